"""The first rows, made once however often the command runs."""

import asyncio
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from auth import bootstrap
from auth.commands import run
from auth.domain.refusals import PasswordTooCommon
from auth.formats.key_files import read_or_create
from auth.operation import disable_account
from core.errors import InvalidField
from tests.support.credentials import PASSWORD, Auth
from tests.support.postgres import ServiceDatabase
from tests.support.tokens import public_key

KEY = public_key()

UNKNOWN = "organizations/01980000-0000-7000-8000-000000000001"


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


async def test_an_account_joins_by_its_own_password_alone(auth: Auth) -> None:
    """Somebody else may have made it: an address proves nobody. What was asked for is not made."""
    first, second = await auth.clinic(), await auth.clinic("Clinique des Lilas")
    await auth.user(first.organization, "squatter@parc.test")

    for password in ("another-kestrel-9-xylophone", PASSWORD[:-1]):
        with pytest.raises(bootstrap.AccountNotProven):
            await bootstrap.user(
                auth.store, second.organization, "Squatter@parc.test", "S", password, []
            )
    assert len(auth.rows("SELECT 1 FROM membership")) == 3

    joined = await auth.user(second.organization, "squatter@parc.test", "administrator")
    assert len(auth.rows(f"SELECT 1 FROM membership WHERE user_id = '{joined}'")) == 2


async def test_an_account_that_is_shut_out_joins_nothing(auth: Auth) -> None:
    """Though its password is known."""
    first, second = await auth.clinic(), await auth.clinic("Clinique des Lilas")
    await disable_account(auth.store, first.email)

    with pytest.raises(bootstrap.AccountNotProven):
        await auth.user(second.organization, first.email, "administrator")


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
        await bootstrap.service_account(auth.store, None, "x", KEY, ["doctor"])
    with pytest.raises(bootstrap.NotAServer):
        await bootstrap.service_account(auth.store, None, "MLLP gateway", KEY, ["service"])


async def test_a_server_is_registered_anew(auth: Auth) -> None:
    """Name and roles are as they were given last; its tokens of before are dead. It is audited."""
    register = partial(bootstrap.service_account, auth.store, None)
    account = await register("clinic", KEY, ["service"])
    (before,) = auth.rows("SELECT value FROM auth_revision")

    for _ in range(2):
        again = await register("clinical", KEY, ["service.compliance", "service"])
        assert again == account

    assert auth.rows("SELECT display_name, roles FROM service_account") == [
        {"display_name": "clinical", "roles": ["service", "service.compliance"]}
    ]
    told = auth.rows(
        f"SELECT event FROM auth_event WHERE revision > {before['value']} ORDER BY ordinal"
    )
    assert [row["event"]["kind"] for row in told] == ["subject_epoch", "membership_changed"]
    written = auth.rows(
        "SELECT operation FROM medhub.audit_outbox WHERE entity = 'service_account' ORDER BY seq"
    )
    assert [row["operation"] for row in written] == ["insert", "update"]


async def test_a_key_under_which_anybody_signs_is_not_registered(auth: Auth) -> None:
    """Neither for a server nor for a program."""
    with pytest.raises(InvalidField):
        await bootstrap.service_account(auth.store, None, "clinical", bytes(32), ["service"])

    assert auth.rows("SELECT 1 FROM service_account") == []


async def test_a_key_stays_where_it_is(auth: Auth) -> None:
    """What proves a program of an organization proves no server, and the other way round."""
    clinic = await auth.clinic()
    await bootstrap.service_account(
        auth.store, clinic.organization, "MLLP gateway", KEY, ["integration"]
    )

    with pytest.raises(bootstrap.AnotherOrganization):
        await bootstrap.service_account(auth.store, None, "clinical", KEY, ["service"])


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


@pytest.mark.parametrize(
    ("password", "email", "said"),
    [
        ("", "b@beta.test", "the administrator's password is missing"),
        ("short", "b@beta.test", "INVALID_FIELD (password: 15 to 1024 characters)"),
        ("administrator2026", "b@beta.test", "PASSWORD_TOO_COMMON"),
        ("another-kestrel-9-xylophone", "a@alpha.test", "`medhub auth release-address`"),
    ],
)
def test_without_a_password_that_can_be_theirs_nothing_is_made(
    database: Callable[..., ServiceDatabase],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
    email: str,
    said: str,
) -> None:
    """Neither the organization: what is missing is said, and the command is given again."""
    service = database("auth")
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", service.urls.app)
    command = ["bootstrap", "organization", "--admin-name", "A", "--display-name"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert run([*command, "Alpha", "--admin-email", "a@alpha.test"]) == 0

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    done = run([*command, "Beta", "--admin-email", email])

    assert done == 1
    assert said in capsys.readouterr().err
    assert service.rows("SELECT display_name FROM organization") == [{"display_name": "Alpha"}]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["operate", "suspend-organization", UNKNOWN], "there is no such organization"),
        (["operate", "suspend-organization", "Alpha"], "of the form organizations/{uuid}"),
        (["operate", "disable-server", UNKNOWN], "of the form serviceAccounts/{uuid}"),
        (["bootstrap", "service-account", "--key", "open", "--role", "service"], "chmod 600"),
        (["bootstrap", "service-account", "--key", "new", "--role", "nurse"], "nurse is no"),
        (
            ["bootstrap", "service-account", "--key", "new", "--role", "integration",
             "--organization", UNKNOWN],
            "there is no such organization",
        ),
    ],
)  # fmt: skip
def test_a_refused_command_names_what_it_is_about(
    database: Callable[..., ServiceDatabase],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    said: str,
) -> None:
    """A name of nothing, a name of another form, a key file open to others, a role."""
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", database("auth").urls.app)
    monkeypatch.chdir(tmp_path)
    Path("open").touch(mode=0o644)

    assert run(command) == 1

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("refused: ")
    assert said in line
