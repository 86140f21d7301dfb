"""Settings of services that run in containers: what a file of them may hold."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from typer.testing import CliRunner

from hub.__main__ import app
from hub.provisioning import uri_of


@pytest.mark.parametrize(
    "parts",
    [
        {"host": "db.example.org", "port": "5432", "sslmode": "verify-full"},
        {"host": "/var/run/postgresql", "port": "5433"},
        {"host": "a.example,b.example", "port": "1,2", "options": "-c search_path='x y'&z"},
    ],
)
def test_a_uri_says_what_the_connection_string_says(parts: dict[str, str]) -> None:
    """It holds nothing at which a shell or a file of settings would end it."""
    whole = {"user": "medhub_auth_app", "password": "a b/@'?é", "dbname": "medhub_auth", **parts}

    uri = uri_of(make_conninfo("", **whole))

    assert conninfo_to_dict(uri) == whole
    assert not set(uri) & set(" '\"\\#")


def test_without_a_server_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which variable is missing."""
    monkeypatch.delenv("MEDHUB_POSTGRES_URL", raising=False)

    done = CliRunner().invoke(app, ["provision", "--into", "nowhere"])

    assert done.exit_code == 2
    assert "MEDHUB_POSTGRES_URL" in done.stderr


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["provision", "--into", "secrets"], "MEDHUB_POSTGRES_URL"),
        (["migrate", "auth"], "MEDHUB_AUTH_DATABASE_OWNER_URL"),
    ],
)
@pytest.mark.parametrize("url", ["postgresql://u:canary@127.0.0.1:9/x", "canary"])
def test_a_server_that_is_not_there_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], variable: str, url: str
) -> None:
    """No traceback, and no password."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, url)

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 1
    assert done.stderr.startswith("medhub: ")
    assert "canary" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["provision", "--into"],
        ["up", "--data-dir"],
        ["restore", "x", "--key", "y", "--destroyed-keys", "z", "--data-dir"],
    ],
)
def test_a_file_where_a_folder_belongs_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    """It is left as it is."""
    file = tmp_path / "file"
    file.write_text("canary")
    monkeypatch.setenv("MEDHUB_POSTGRES_URL", "postgresql://u:p@127.0.0.1:9/x")

    done = CliRunner().invoke(app, [*words, str(file)])

    assert done.exit_code == 1
    assert done.stderr.startswith(f"medhub: {file}")
    assert done.stderr.count("\n") == 1
    assert file.read_text() == "canary"
