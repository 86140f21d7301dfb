"""Commands of the operator need what they use of the environment, and say what is missing."""

import asyncio
import sys
from pathlib import Path

import pytest

from auth.commands import run
from core.starting import EXIT_CODE
from tests.support.credentials import Auth


@pytest.fixture
def told(auth: Auth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Auth:
    """What the file of settings holds that `medhub provision` writes, and no more."""
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", auth.store._database.url)
    monkeypatch.setenv("MEDHUB_AUTH_KEYRING_PATH", str(tmp_path / "keyring"))
    monkeypatch.setenv("MEDHUB_AUTH_KEYRING_PASSPHRASE", "of tests")
    return auth


@pytest.mark.parametrize("variables", [{}, {"LISTEN": "0.0.0.0:1", "TLS_KEY_PATH": "nowhere"}])
async def test_the_keyring_is_opened_whatever_a_server_would_miss(
    told: Auth, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Also where what is said of the server's own connections is wrong."""
    clinic = await told.clinic()
    kid = told.rows("SELECT kid FROM signing_key")[0]["kid"]
    for name, value in variables.items():
        monkeypatch.setenv(f"MEDHUB_AUTH_{name}", value)

    done = [
        await asyncio.to_thread(run, ["operate", *command])
        for command in (
            ["unlock-account", clinic.email], ["outbox"], ["rotate-keys"], ["revoke-key", kid],
        )
    ]  # fmt: skip

    assert done == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("DATABASE_APP_URL", "MEDHUB_AUTH_DATABASE_APP_URL: Field required"),
        ("KEYRING_PATH", "MEDHUB_AUTH_KEYRING_PATH: Field required"),
        ("KEYRING_PASSPHRASE", "MEDHUB_AUTH_…: the keyring needs KEYRING_KEY_PATH"),
    ],
)
async def test_what_is_missing_is_told_in_a_line(
    told: Auth, monkeypatch: pytest.MonkeyPatch, missing: str, said: str
) -> None:
    """And the process ends as one that is told too little."""
    monkeypatch.delenv(f"MEDHUB_AUTH_{missing}")

    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth", "operate", "rotate-keys", stderr=asyncio.subprocess.PIPE
    )
    _, written = await done.communicate()

    assert done.returncode == EXIT_CODE
    [line] = written.decode().splitlines()
    assert line.startswith(f"medhub: {said}")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--role", "nope"],
        ["--role", "service", "--organization", "Alpha"],
        ["--role", "integration", "--display-name", "Z\nz", "--organization",
         "organizations/01980000-0000-7000-8000-000000000001"],
        ["--role", "integration", "--organization",
         "organizations/01980000-0000-7000-8000-000000000001"],
    ],
)  # fmt: skip
async def test_a_refused_service_account_leaves_no_key_behind(
    told: Auth, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    """Whatever is refused of it: a role, the organization's name, its own, no such organization."""
    key = tmp_path / "new.service-key.json"

    done = await asyncio.to_thread(run, ["bootstrap", "service-account", "--key", str(key), *wrong])

    assert done == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("refused: ")
    assert not key.exists()
    assert told.rows("SELECT 1 FROM service_account") == []
