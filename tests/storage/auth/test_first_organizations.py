"""Organizations that the operator makes: found again by the same command, and by no name."""

import asyncio
from functools import partial

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from auth import bootstrap
from auth.bootstrap import first_organization
from auth.storage.memberships import Memberships
from core.database.migrations import migrate
from core.errors import Refusal
from core.ids import name_of
from medhub.auth.v1 import organization_pb2
from medhub.auth.v1 import organization_service_pb2 as wire
from tests.storage.auth.test_organizations import founding
from tests.support.credentials import PASSWORD, Auth

NAME, EMAIL = "CHU Nord", "admin@chu-nord.test"

_BEFORE = """
    SET session_replication_role = replica;
    ALTER TABLE organization DROP COLUMN bootstrapped_as;
    UPDATE medhub.alembic_version SET version_num = '0020';
"""


async def _rename(auth: Auth, name: str, display_name: str, etag: str) -> None:
    await auth.organizations.UpdateOrganization(
        wire.UpdateOrganizationRequest(
            organization=organization_pb2.Organization(
                name=name, display_name=display_name, etag=etag
            ),
            update_mask=FieldMask(paths=["display_name"]),
        )
    )


def _members(auth: Auth) -> list[tuple[str, str]]:
    rows = auth.rows("SELECT organization_id, email FROM membership ORDER BY id")
    return [(name_of("organizations", row["organization_id"]), row["email"]) for row in rows]


async def test_a_name_that_a_tenant_has_taken_leads_nobody_to_them(auth: Auth) -> None:
    """Neither by renaming their organization, nor by founding one."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    await _rename(auth, name_of("organizations", clinic.organization), NAME, "1")
    founded = await auth.organizations.CreateOrganization(founding(NAME))
    theirs = _members(auth)

    made = await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)

    assert name_of("organizations", made) not in [where for where, _ in theirs]
    assert _members(auth) == [*theirs, (name_of("organizations", made), EMAIL)]
    assert founded.name in [where for where, _ in theirs]


async def test_two_of_one_name_are_two(auth: Auth) -> None:
    """Each with an administrator of its own, who is told by their address."""
    first = await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)

    second = await first_organization(auth.store, NAME, "other@chu.test", "O", PASSWORD)

    assert first != second
    assert [email for _, email in _members(auth)] == [EMAIL, "other@chu.test"]


async def test_the_same_command_finds_what_it_made(auth: Auth) -> None:
    """One after the other and at once, however the address is spelled, whatever it is called now.

    Its administrator's own password does not matter any more.
    """
    again = partial(first_organization, auth.store, NAME)
    made = await again(EMAIL, "N", PASSWORD)
    log_in = await auth.log_in(EMAIL)
    await auth.act(log_in.access_token)
    await _rename(auth, name_of("organizations", made), "CHU du Nord", "1")

    found = await asyncio.gather(
        again(EMAIL, "N", PASSWORD),
        again(EMAIL.upper(), "N", PASSWORD),
        again(EMAIL, "Another", "another-kestrel-9-xylophone"),
    )

    assert set(found) == {made}
    assert auth.rows("SELECT display_name FROM organization") == [{"display_name": "CHU du Nord"}]
    assert len(_members(auth)) == 1


async def test_who_was_removed_does_not_come_back_by_a_repeat(auth: Auth) -> None:
    """What its people have done since stays done."""
    made = await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)
    await auth.user(made, "successor@chu-nord.test", "administrator")
    auth.rewrite(f"DELETE FROM membership WHERE email = '{EMAIL}'")

    again = await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)

    assert again == made
    assert [email for _, email in _members(auth)] == ["successor@chu-nord.test"]


async def test_broken_off_the_command_leaves_nothing(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Organization and administrator are made at once, and by the next attempt."""

    async def lost(_: Memberships, _made: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(Memberships, "add", lost)
        with pytest.raises(ConnectionError):
            await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)
    left = auth.rows("SELECT 1 FROM organization UNION ALL SELECT 1 FROM app_user")

    made = await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)

    assert left == []
    assert _members(auth) == [(name_of("organizations", made), EMAIL)]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("Z\nz", EMAIL, "N"), "display_name"),
        (("", EMAIL, "N"), "display_name"),
        (("Z" * 201, EMAIL, "N"), "display_name"),
        ((NAME, "notmail", "N"), "admin_email"),
        ((NAME, f" {EMAIL}", "N"), "admin_email"),
        ((NAME, EMAIL, ""), "admin_name"),
        ((NAME, EMAIL, "N\u202en"), "admin_name"),
    ],
)
async def test_what_a_caller_could_not_name_the_operator_cannot(
    auth: Auth, given: tuple[str, str, str], field: str
) -> None:
    """The field is named, and nothing is written."""
    with pytest.raises(Refusal) as refused:
        await first_organization(auth.store, *given, PASSWORD)

    assert refused.value.reason == "INVALID_FIELD"
    assert {each.field for each in refused.value.violations} == {field}
    assert auth.rows("SELECT 1 FROM organization UNION ALL SELECT 1 FROM app_user") == []


async def test_an_organization_of_before_is_nobodys_to_join(auth: Auth) -> None:
    """What made it is not known: the command makes another. A demonstration goes on."""
    await first_organization(auth.store, NAME, EMAIL, "N", PASSWORD)
    demonstration = await bootstrap.organization(auth.store, "Clinique Démo", test=True)
    assert auth.owner_url is not None
    auth.rows(_BEFORE)

    migrate("auth", auth.owner_url)

    assert await bootstrap.organization(auth.store, "Clinique Démo", test=True) == demonstration
    await first_organization(auth.store, NAME, "other@chu.test", "O", PASSWORD)
    assert len({where for where, _ in _members(auth)}) == 2
