"""What `medhub offboard` refuses before it touches anything."""

from pathlib import Path

import pyrage
import pytest
from typer.testing import CliRunner

from hub.__main__ import app
from hub.places import Unplaced, of_environment

ORGANIZATION = "organizations/01980000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "x", "o.age", "--recipient", "age1"), "organizations/{uuid}"),
        (("export", ORGANIZATION, "o.age", "--recipient", "age1"), "no platform has run"),
        (("destroy", ORGANIZATION, "--digest", "00", "--receipts", "r"), "no platform has run"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEDHUB_AUTH_DATABASE_APP_URL", raising=False)

    ran = CliRunner().invoke(app, ["offboard", *words, "--data-dir", str(tmp_path / "none")])

    assert ran.exit_code == 1
    assert said in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_whom_a_package_is_for_is_made_once(tmp_path: Path) -> None:
    """A file that its owner alone reads; the public half is printed, also of one that is there."""
    file = tmp_path / "owner.key"

    made, again = (CliRunner().invoke(app, ["offboard", "key", str(file)]) for _ in range(2))

    public = pyrage.x25519.Identity.from_str(file.read_text().strip()).to_public()
    assert (made.stdout, again.stdout) == (f"{public}\n", f"{public}\n")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("mode", "said"), [(0o644, "closed to group and others"), (0o600, "is no package")]
)
def test_a_package_that_cannot_be_opened_says_why(tmp_path: Path, mode: int, said: str) -> None:
    """A key that others could read opens nothing; what was altered or is another's is no backup."""
    key, package = tmp_path / "owner.key", tmp_path / "package.age"
    CliRunner().invoke(app, ["offboard", "key", str(key)])
    key.chmod(mode)
    package.write_bytes(pyrage.encrypt(b"x", [pyrage.x25519.Identity.generate().to_public()]))

    ran = CliRunner().invoke(app, ["offboard", "verify", str(package), "--key", str(key)])

    assert ran.exit_code == 1
    [line] = ran.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_backup_is_not_sealed_to_a_key_that_others_can_read(tmp_path: Path, command: str) -> None:
    """Nor opened by one: it says so in a line."""
    key, none = tmp_path / "key", tmp_path / "none"
    CliRunner().invoke(app, ["offboard", "key", str(key)])
    key.chmod(0o644)
    none.touch()
    options = ["--key", str(key), "--data-dir", str(tmp_path / "data")]
    options += ["--destroyed-keys", str(none)] if command == "restore" else []

    ran = CliRunner().invoke(app, [command, str(tmp_path / "x.age"), *options])

    assert ran.exit_code == 1
    [line] = ran.stderr.splitlines()
    assert "closed to group and others" in line


def test_what_the_environment_lacks_is_named() -> None:
    """Of the first service that lacks something, all of it."""
    with pytest.raises(Unplaced) as refused:
        of_environment({"MEDHUB_CLINICAL_DATABASE_APP_URL": "postgresql://x"})

    assert str(refused.value) == (
        "set MEDHUB_CLINICAL_DATABASE_OWNER_URL, MEDHUB_CLINICAL_KEYRING_PATH,"
        " MEDHUB_CLINICAL_KEYRING_KEY_PATH"
    )


def test_what_is_no_connection_string_is_named_and_not_shown() -> None:
    """psycopg would quote it, with the password."""
    told = {
        "MEDHUB_CLINICAL_DATABASE_APP_URL": "postgresql://u:can ary@h/x",
        "MEDHUB_CLINICAL_DATABASE_OWNER_URL": "postgresql://u@h/x",
        "MEDHUB_CLINICAL_KEYRING_PATH": "/nowhere",
        "MEDHUB_CLINICAL_KEYRING_KEY_PATH": "/nowhere",
    }

    with pytest.raises(Unplaced, match="MEDHUB_CLINICAL_DATABASE_APP_URL") as refused:
        of_environment(told)

    assert "ary" not in str(refused.value)
