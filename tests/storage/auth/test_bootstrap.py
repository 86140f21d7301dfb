"""The first rows, made once however often the command runs."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from auth import bootstrap
from auth.commands import run
from auth.domain.refusals import PasswordTooCommon
from auth.formats.key_files import read_or_create
from tests.support.credentials import PASSWORD, Auth
from tests.support.postgres import ServiceDatabase


async def test_everything_is_made_once(auth: Auth) -> None:
    """Repeated one after the other, and at once."""
    clinic = await auth.clinic()

    again = await asyncio.gather(*(auth.clinic() for _ in range(3)))

    assert [each.organization for each in again] == [clinic.organization] * 3
    assert [each.administrator for each in again] == [clinic.administrator] * 3
    assert len(auth.rows("SELECT 1 FROM membership")) == 1


async def test_a_repeat_changes_no_password(auth: Auth) -> None:
    """Who is there keeps what they have set."""
    clinic = await auth.clinic()

    await bootstrap.user(
        auth.store, clinic.organization, clinic.email, "x", "another-kestrel-9-xylophone", []
    )

    assert (await auth.log_in(clinic.email, PASSWORD)).access_token


async def test_bad_wishes_are_refused(auth: Auth) -> None:
    """A common password, and roles that an account cannot hold."""
    clinic = await auth.clinic()

    with pytest.raises(PasswordTooCommon):
        await bootstrap.user(
            auth.store, clinic.organization, "a@b.test", "A", "administrator2026", []
        )
    with pytest.raises(bootstrap.UnknownRole):
        await auth.user(clinic.organization, "a@b.test", "service")
    with pytest.raises(bootstrap.UnknownRole):
        await bootstrap.service_account(auth.store, None, "x", bytes(32), ["doctor"])


async def test_its_writes_are_audited(auth: Auth) -> None:
    """In the name of the bootstrap, and without the password."""
    clinic = await auth.clinic()

    written = auth.rows(
        "SELECT entity, context->>'action' AS action, after->>'password_hash' AS hash"
        " FROM medhub.audit_outbox WHERE entity IN ('organization', 'app_user', 'membership')"
        " ORDER BY seq"
    )

    assert [(row["entity"], row["action"]) for row in written] == [
        ("organization", "auth.bootstrap"),
        ("app_user", "auth.bootstrap"),
        ("membership", "auth.bootstrap"),
    ]
    assert written[1]["hash"] == "***"
    assert clinic.email


def test_the_commands_make_an_organization_and_a_key_file(
    database: Callable[..., ServiceDatabase],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As an operator runs them, twice; the password comes by standard input."""
    service = database("auth")
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", service.urls.app)
    key = tmp_path / "auth.key.json"
    organization = ["bootstrap", "organization", "--display-name", "Alpha"]
    administrator = ["--admin-email", "a@alpha.test", "--admin-name", "A"]
    account = ["bootstrap", "service-account", "--key", str(key), "--role", "service"]

    for _ in range(2):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        assert run([*organization, *administrator]) == 0
        assert run(account) == 0

    said = capsys.readouterr().out.split()
    assert said[:2] == said[2:]
    assert read_or_create(key).account == said[1]
    assert key.stat().st_mode & 0o077 == 0
    assert service.rows("SELECT roles FROM service_account") == [{"roles": ["service"]}]
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert run([*organization[:-1], "Beta", *administrator]) == 1
