"""`medhub auth`: where it finds auth's database, and what it runs."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auth.commands import _parser
from hub.__main__ import app


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is run, instead of running it."""
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[3:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


@pytest.mark.parametrize(
    "words",
    [
        ["lock", "a@b.test"],
        ["unlock", "a@b.test"],
        ["revoke", "a@b.test"],
        ["revoke-everything"],
        ["disable", "serviceAccounts/00000000-0000-4000-8000-000000000000"],
        ["release-address", "a@b.test"],
        ["rotate-keys"],
        ["revoke-key", "kid"],
        ["suspend-organization", "organizations/00000000-0000-4000-8000-000000000000"],
        ["reactivate-organization", "organizations/00000000-0000-4000-8000-000000000000"],
        ["outbox"],
        ["bootstrap-service-account", "--key", "x.json", "--role", "service", "--role", "y"],
        [
            "bootstrap-organization", "--display-name", "P", "--admin-email", "a@b.test",
            "--admin-name", "A", "--test", "--password-file", "p",
        ],
    ],
)  # fmt: skip
def test_every_command_is_one_that_auth_understands(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """The environment says where the database is, and auth's own parser takes the words."""
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", "postgresql://somewhere")

    done = CliRunner().invoke(app, ["auth", *words])

    assert done.exit_code == 0
    [ran] = commands
    assert callable(_parser().parse_args(ran).work)


def test_without_a_platform_nothing_is_run(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says so, and what to do."""
    monkeypatch.delenv("MEDHUB_AUTH_DATABASE_APP_URL", raising=False)

    done = CliRunner().invoke(app, ["auth", "lock", "a@b.test", "--data-dir", str(tmp_path)])

    assert (done.exit_code, commands) == (1, [])
