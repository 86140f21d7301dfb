"""Secrets: made once, closed to others."""

from pathlib import Path

from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from hub.secrets import Secrets
from hub.service_secrets import ServiceSecrets


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    """The second start uses the passwords of the first."""
    first = Secrets(tmp_path).text("auth.database.app")

    again = Secrets(tmp_path).text("auth.database.app")

    assert again == first
    assert len(first) >= 43


def test_two_secrets_differ(tmp_path: Path) -> None:
    """No secret can be told from another."""
    secrets = Secrets(tmp_path)

    assert secrets.text("one") != secrets.text("two")


def test_a_secret_is_closed_to_others(tmp_path: Path) -> None:
    """The file is the owner's alone, and no draft of it is left behind."""
    path = Secrets(tmp_path).file("key", lambda: b"key")

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_process_made_is_kept(tmp_path: Path) -> None:
    """Of two that make a secret at once, the first one's stands."""

    def late() -> bytes:
        (tmp_path / "key").write_bytes(b"first")
        return b"second"

    path = Secrets(tmp_path).file("key", late)

    assert path.read_bytes() == b"first"


def test_a_service_gets_a_keyring_that_its_key_file_opens(tmp_path: Path) -> None:
    """What the layout passes by environment is enough to open the keyring."""
    own = ServiceSecrets("clinical", Secrets(tmp_path))

    opened = Keyring.open(own.keyring(), KeyFile(own.keyring_key()))

    assert opened.newest == 1
    assert own.keyring() == own.keyring()
