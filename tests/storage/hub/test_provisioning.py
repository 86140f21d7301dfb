"""`medhub provision` changes nothing of a platform that keeps its passwords elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from core.database.provision import Passwords, provision
from hub.__main__ import app
from hub.data_dir import DataDir
from hub.layout import Layout
from hub.service_secrets import KeptElsewhere
from tests.support.postgres import Server

# Those that every test gives to these roles: the server is shared.
PASSWORDS = Passwords("owner-of-tests", "app-of-tests", "relay-of-tests")


@pytest.fixture
def running(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server where a platform runs, whose passwords are kept elsewhere; none may change."""
    urls = provision(postgres.admin_url, "billing", PASSWORDS)
    monkeypatch.setenv("MEDHUB_POSTGRES_URL", postgres.admin_url)
    yield postgres
    psycopg.connect(urls.app).close()


@pytest.mark.usefixtures("running")
def test_another_folder_than_the_first_is_refused(tmp_path: Path) -> None:
    """The platform that runs with the first one goes on, and no folder is made."""
    other = tmp_path / "other"

    done = CliRunner().invoke(app, ["provision", "--into", str(other), "billing"])

    assert done.exit_code == 1
    assert done.stderr.startswith("medhub: ")
    assert "first kept in" in done.stderr
    assert not other.exists()


@pytest.mark.usefixtures("running")
def test_a_platform_takes_over_no_server_of_another_one(tmp_path: Path) -> None:
    """`up` in another data directory changes nothing either."""
    data = DataDir.at(tmp_path)
    data.create()

    with pytest.raises(KeptElsewhere):
        Layout.on(data, {}).provision()

    assert not list(data.secrets.iterdir())


def test_of_several_services_none_is_made_when_one_is_of_another_folder(
    running: Server, tmp_path: Path
) -> None:
    """All are looked at before the first is changed."""
    own = tmp_path / "own"
    own.mkdir()
    for role in ("owner", "app", "relay"):
        (own / f"billing.database.{role}").write_text(getattr(PASSWORDS, role))
    provision(running.admin_url, "analytics", PASSWORDS)

    done = CliRunner().invoke(app, ["provision", "--into", str(own), "billing", "analytics"])

    assert done.exit_code == 1
    assert "analytics" in done.stderr
    assert sorted(each.name for each in own.iterdir()) == [
        "billing.database.app",
        "billing.database.owner",
        "billing.database.relay",
    ]


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["provision", "--into", "secrets"], "MEDHUB_POSTGRES_URL"),
        (["migrate", "auth"], "MEDHUB_AUTH_DATABASE_OWNER_URL"),
    ],
)
def test_a_role_that_is_not_let_in_is_told_in_a_line(
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
    variable: str,
) -> None:
    """It names the role, and shows no password."""
    wrong = make_conninfo(postgres.admin_url, user="nobody_here", password="canary")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, wrong)

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "nobody_here" in done.stderr
    assert "canary" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_role_that_may_not_migrate_is_told_in_a_line(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL says which right is missing."""
    urls = provision(postgres.admin_url, "billing", PASSWORDS)
    monkeypatch.setenv("MEDHUB_BILLING_DATABASE_OWNER_URL", urls.app)

    done = CliRunner().invoke(app, ["migrate", "billing"])

    assert done.exit_code == 1
    assert done.stderr.startswith("medhub: permission denied")
    assert done.stderr.count("\n") == 1
