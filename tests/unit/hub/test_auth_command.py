"""`medhub auth`: where it finds auth's database, and what it runs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auth.commands import _parser
from hub.__main__ import app
from hub.data_dir import DataDir
from hub.ports import Port


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
        [
            "appoint-administrator", "organizations/00000000-0000-4000-8000-000000000000",
            "--admin-email", "a@b.test", "--admin-name", "A", "--password-file", "p",
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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Auth's database as each command that is run is told it."""
    urls: list[str] = []

    def run(
        command: list[str], env: dict[str, str], **_: Any
    ) -> subprocess.CompletedProcess[bytes]:
        urls.append(env["MEDHUB_AUTH_DATABASE_APP_URL"])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return urls


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data directory of a platform that runs, on a PostgreSQL of the operator's."""
    data = DataDir.at(tmp_path)
    data.create()
    data.ports.write_text(json.dumps(dict.fromkeys(Port, 1)))
    monkeypatch.setenv("MEDHUB_POSTGRES_URL", "postgresql://admin@platform.example/postgres")
    return tmp_path


@pytest.mark.parametrize(
    ("option", "host"), [(False, "elsewhere.example"), (True, "platform.example")]
)
def test_the_database_of_the_environment_goes_before_its_data_directory(
    told: list[str],
    platform: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: bool,
    host: str,
) -> None:
    """Only a directory that was given with the command goes before it."""
    monkeypatch.setenv("MEDHUB_DATA_DIR", str(platform))
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", "postgresql://u@elsewhere.example/x")
    given = ["--data-dir", str(platform)] if option else []

    done = CliRunner().invoke(app, ["auth", "lock", "a@b.test", *given])

    assert done.exit_code == 0
    [url] = told
    assert host in url


def test_the_data_directory_of_the_environment_is_used(
    told: list[str], platform: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing goes before it."""
    monkeypatch.setenv("MEDHUB_DATA_DIR", str(platform))
    monkeypatch.delenv("MEDHUB_AUTH_DATABASE_APP_URL", raising=False)

    done = CliRunner().invoke(app, ["auth", "lock", "a@b.test"])

    assert done.exit_code == 0
    [url] = told
    assert "platform.example" in url
