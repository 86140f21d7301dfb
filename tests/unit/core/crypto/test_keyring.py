"""The sealed keyring file."""

import json
import stat
import threading
from pathlib import Path

import pytest

from core.crypto.keyring import KeyProvider, Keyring, KeyringUnusable
from core.crypto.seal import Unopenable, new_key
from core.crypto.unlocking import MAX_COST, KeyFile, Passphrase, Secret, content_key_of

PHRASE = Passphrase("correct horse", cost=2)
PURPOSE = b"organization_key/1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a keyring may be made."""
    return tmp_path / "keyring.json"


@pytest.fixture(params=["passphrase", "key file"])
def secret(request: pytest.FixtureRequest, tmp_path: Path) -> Secret:
    """Either kind of secret."""
    return PHRASE if request.param == "passphrase" else KeyFile.create(tmp_path / "unlock.key")


def test_a_wrapped_key_unwraps_after_a_restart(path: Path, secret: Secret) -> None:
    """What one process wrapped, another one that opens the same file unwraps."""
    key = new_key()
    provider: KeyProvider = Keyring.create(path, secret)

    wrapped = provider.wrap(key, PURPOSE)

    assert Keyring.open(path, secret).unwrap(wrapped, PURPOSE) == key
    assert len(wrapped) == 102


def test_rotation_wraps_with_the_new_key_and_unwraps_with_the_old(
    path: Path, secret: Secret
) -> None:
    """After a rotation old wraps still unwrap, here and elsewhere, and new ones differ in key."""
    key = new_key()
    keyring = Keyring.create(path, secret)
    elsewhere = Keyring.open(path, secret)
    old = keyring.wrap(key, PURPOSE)

    number = keyring.rotate()
    new = keyring.wrap(key, PURPOSE)

    assert number == keyring.newest == 2
    assert [old[1:5], new[1:5]] == [b"\0\0\0\x01", b"\0\0\0\x02"]
    for ring in (keyring, elsewhere, Keyring.open(path, secret)):
        assert [ring.unwrap(old, PURPOSE), ring.unwrap(new, PURPOSE)] == [key, key]


def test_rotations_at_once_lose_no_key(path: Path) -> None:
    """Eight rotations through eight openings of one file leave nine keys, all of them usable."""
    Keyring.create(path, PHRASE)
    rings = [Keyring.open(path, PHRASE) for _ in range(8)]
    threads = [threading.Thread(target=ring.rotate) for ring in rings]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    key = new_key()
    assert sorted(ring.newest for ring in rings) == list(range(2, 10))
    for ring in rings:
        assert Keyring.open(path, PHRASE).unwrap(ring.wrap(key, PURPOSE), PURPOSE) == key


def test_another_purpose_keyring_or_damage_does_not_unwrap(path: Path, tmp_path: Path) -> None:
    """A wrapped key is bound to its purpose and its keyring, and is whole or nothing."""
    keyring = Keyring.create(path, PHRASE)
    stranger = Keyring.create(tmp_path / "other.json", PHRASE)
    wrapped = keyring.wrap(new_key(), PURPOSE)

    attempts = [
        (keyring, wrapped, b"organization_key/2"),
        (stranger, wrapped, PURPOSE),
        (keyring, wrapped[:-1], PURPOSE),
        (keyring, b"\x02" + wrapped[1:], PURPOSE),
        (keyring, wrapped[:4] + b"\x09" + wrapped[5:], PURPOSE),
        (keyring, b"", PURPOSE),
    ]

    for ring, value, purpose in attempts:
        with pytest.raises(Unopenable):
            ring.unwrap(value, purpose)


def test_only_keys_are_wrapped(path: Path) -> None:
    """Anything but 32 bytes is not a key."""
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring.create(path, PHRASE).wrap(b"short", PURPOSE)


def test_files_are_closed_to_others_and_hold_no_key_in_clear(path: Path, tmp_path: Path) -> None:
    """Both files have mode 0600, and the keyring's content cannot be read without its secret."""
    unlock = KeyFile.create(tmp_path / "unlock.key")
    keyring = Keyring.create(path, unlock)
    keyring.rotate()

    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    document = json.loads(path.read_text())

    assert modes == {0o600}
    assert set(document) == {"format", "lock", "content"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["keyring.json", "unlock.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_open_to_others_is_refused(path: Path, tmp_path: Path, mode: int) -> None:
    """Neither keyring nor key file is used once others may read or write it."""
    unlock = KeyFile.create(tmp_path / "unlock.key")
    Keyring.create(path, unlock)

    for file in (path, unlock.path):
        file.chmod(mode)
        with pytest.raises(KeyringUnusable, match="closed to group and others"):
            Keyring.open(path, unlock)
        file.chmod(0o600)

    assert Keyring.open(path, unlock).newest == 1


def test_a_file_for_reading_only_is_accepted(path: Path) -> None:
    """A narrower mode than 0600 is as good, as mounted secrets have it."""
    Keyring.create(path, PHRASE)

    path.chmod(0o400)

    assert Keyring.open(path, PHRASE).newest == 1


def test_creating_never_replaces_a_keyring(path: Path, tmp_path: Path) -> None:
    """A second creation is refused, leaves the first file as it was and no other behind."""
    Keyring.create(path, PHRASE)
    before = path.read_bytes()

    with pytest.raises(KeyringUnusable, match="exists"):
        Keyring.create(path, PHRASE)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_another_secret_does_not_open(path: Path, tmp_path: Path) -> None:
    """A wrong secret, a secret of the other kind and a missing file are each said to be so."""
    Keyring.create(path, PHRASE)
    locked_by_file = tmp_path / "second.json"
    Keyring.create(locked_by_file, KeyFile.create(tmp_path / "a.key"))
    other_file = KeyFile.create(tmp_path / "b.key")

    wrong: list[tuple[Path, Secret, str]] = [
        (path, Passphrase("battery staple"), "does not open"),
        (locked_by_file, other_file, "does not open"),
        (path, other_file, "another kind"),
        (locked_by_file, PHRASE, "another kind"),
        (locked_by_file, KeyFile(tmp_path / "missing.key"), "No such file"),
        (tmp_path / "missing.json", PHRASE, "No such file"),
    ]

    for file, secret, why in wrong:
        with pytest.raises(KeyringUnusable, match=why):
            Keyring.open(file, secret)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"lock": {}},
        {"content": "AAAA"},
        {"content": None},
    ],
)
def test_a_damaged_keyring_is_refused(path: Path, change: dict[str, object]) -> None:
    """Whatever is wrong with the file, opening it says so in one way."""
    Keyring.create(path, PHRASE)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(KeyringUnusable):
        Keyring.open(path, PHRASE)


def test_a_lock_cannot_ask_for_any_amount_of_work() -> None:
    """A crafted file does not take all memory before it is found wrong."""
    lock = {"by": "passphrase", "kdf": "scrypt", "salt": "00", "cost": MAX_COST * 2}

    with pytest.raises(ValueError, match="bounded"):
        content_key_of(lock, PHRASE)


def test_a_file_that_is_no_document_is_refused(path: Path) -> None:
    """Any other content, and any other thing than a file, is not a keyring."""
    path.write_bytes(b"\xff\x00")
    path.chmod(0o600)

    with pytest.raises(KeyringUnusable, match="no keyring"):
        Keyring.open(path, PHRASE)
    with pytest.raises(KeyringUnusable):
        Keyring.open(path.parent, PHRASE)


@pytest.mark.parametrize("content", [None, b"canary", b"ab" * 31, bytes([255])])
def test_a_key_file_that_cannot_be_used_is_named(
    path: Path, tmp_path: Path, content: bytes | None
) -> None:
    """And not the keyring, with which nothing is wrong."""
    key = tmp_path / "key"
    Keyring.create(path, KeyFile.create(key))
    key.unlink()
    if content is not None:
        key.touch(mode=0o600)
        key.write_bytes(content)

    with pytest.raises(KeyringUnusable) as refused:
        Keyring.open(path, KeyFile(key))

    assert str(refused.value).startswith(f"{key}: ")
    assert "canary" not in str(refused.value)


def test_a_key_file_that_others_can_read_is_named(path: Path, tmp_path: Path) -> None:
    """When a keyring is made with it, too."""
    key = KeyFile.create(tmp_path / "key")
    Keyring.create(path, key)
    key.path.chmod(0o644)

    for use in (Keyring.open, Keyring.create):
        with pytest.raises(KeyringUnusable, match="chmod 600") as refused:
            use(path, key)

        assert str(refused.value).startswith(f"{key.path}: ")


def test_an_empty_passphrase_is_refused(path: Path) -> None:
    """An unset environment setting must not become a passphrase."""
    with pytest.raises(ValueError, match="not empty"):
        Keyring.create(path, Passphrase(""))


def test_secrets_do_not_print() -> None:
    """A passphrase does not appear in a log or a traceback that shows its holder."""
    assert "horse" not in repr(PHRASE)
