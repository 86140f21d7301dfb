"""An organization whose last administrator is gone gets another one by the operator alone."""

import asyncio
import io

import pytest

from auth.bootstrap import (
    AccountNotProven,
    Administered,
    NoSuchOrganization,
    administrator,
    first_organization,
)
from auth.commands import run
from auth.operation import release_address
from core.errors import Refusal
from core.ids import name_of, new_id
from tests.support.credentials import PASSWORD, Auth, Clinic

NEW = "new@parc.test"


async def _roles(auth: Auth, clinic: Clinic, email: str) -> tuple[str, ...]:
    name = name_of("organizations", clinic.organization)
    made = await auth.log_in(email, organization=name)
    return (await auth.proving.prove(made.access_token)).roles


async def _left_alone(auth: Auth) -> Clinic:
    clinic = await auth.clinic()
    await release_address(auth.store, clinic.email)
    return clinic


async def test_who_is_appointed_administers_it(auth: Auth) -> None:
    """The trail of the organization says what was done, and a repeat does nothing more."""
    clinic = await _left_alone(auth)

    appointed = [
        await administrator(auth.store, clinic.organization, NEW, "New", PASSWORD) for _ in range(2)
    ]

    assert appointed[0] == appointed[1]
    assert await _roles(auth, clinic, NEW) == ("administrator",)
    written = auth.rows(
        "SELECT entity FROM medhub.audit_outbox WHERE organization_id = %s"
        " AND context->>'action' = 'auth.organizations.appoint_administrator' ORDER BY seq",
        clinic.organization,
    )
    assert "membership" in [row["entity"] for row in written]


async def test_a_released_address_can_be_appointed(auth: Auth) -> None:
    """Whose it is makes an account of their own by it."""
    clinic = await _left_alone(auth)

    person = await administrator(auth.store, clinic.organization, clinic.email, "Own", PASSWORD)

    assert person != clinic.administrator
    assert await _roles(auth, clinic, clinic.email) == ("administrator",)


async def test_a_member_is_raised_by_their_own_password(auth: Auth) -> None:
    """They keep what they hold; without their password nothing changes."""
    clinic = await auth.clinic()
    nurse = await auth.user(clinic.organization, "nina@parc.test", "nurse")
    await release_address(auth.store, clinic.email)

    with pytest.raises(AccountNotProven):
        await administrator(
            auth.store, clinic.organization, "nina@parc.test", "N", "another-kestrel-9-xylophone"
        )
    raised = await administrator(auth.store, clinic.organization, "nina@parc.test", "N", PASSWORD)

    assert raised == nurse
    assert await _roles(auth, clinic, "nina@parc.test") == ("administrator", "nurse")


async def test_nobody_is_appointed_beside_an_administrator(auth: Auth) -> None:
    """Who administers it invites others; a name of no organization is refused, too."""
    clinic = await auth.clinic()

    with pytest.raises(Administered):
        await administrator(auth.store, clinic.organization, NEW, "New", PASSWORD)
    with pytest.raises(NoSuchOrganization):
        await administrator(auth.store, new_id(), NEW, "New", PASSWORD)
    with pytest.raises(Refusal):
        await administrator(auth.store, clinic.organization, "notmail", "New", PASSWORD)

    assert len(auth.rows("SELECT 1 FROM app_user")) == 1


async def test_the_commands_say_who_is_left_alone(
    auth: Auth, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do about it; of an organization with another administrator, nothing."""
    alone = await first_organization(auth.store, "CHU", "a@chu.test", "A", PASSWORD)
    other = await auth.clinic()
    await auth.user(other.organization, "a@chu.test", "administrator")
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", auth.store._database.url)
    name, person = name_of("organizations", alone), ["--admin-email", NEW, "--admin-name", "New"]
    first = ["organization", "--display-name", "CHU", "--admin-email", "a@chu.test"]

    async def tell(*command: str) -> tuple[str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        assert await asyncio.to_thread(run, list(command)) == 0
        return capsys.readouterr()

    released, _ = await tell("operate", "release-address", "a@chu.test")
    again, noticed = await tell("bootstrap", *first, "--admin-name", "A")
    appointed, _ = await tell("bootstrap", "administrator", name, *person)
    after, silence = await tell("bootstrap", *first, "--admin-name", "A")

    [_, line] = released.splitlines()
    assert line.startswith(f"{name} has no administrator")
    assert f"medhub auth appoint-administrator {name}" in line
    assert (again, noticed) == (f"{name}\n", f"{line}\n")
    assert appointed.startswith("users/")
    assert (after, silence) == (f"{name}\n", "")
