"""Memberships against a real database: who may give what, and who must stay."""

import asyncio
from uuid import UUID

import pytest

from auth.domain.refusals import (
    EscalationRefused,
    LastAdministrator,
    TokenInvalid,
)
from core import identity
from core.errors import EtagMismatch, InvalidField, NotFound, RequestIdReused
from core.identity import Caller
from medhub.auth.v1 import auth_service_pb2 as auth_wire
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from tests.support.credentials import Auth, Clinic, enter

ACTIVE = membership_pb2.MEMBERSHIP_STATE_ACTIVE
SUSPENDED = membership_pb2.MEMBERSHIP_STATE_SUSPENDED


def invitation(email: str, *roles: str, **more: str) -> wire.CreateMembershipRequest:
    """A request to take somebody in."""
    made = membership_pb2.Membership(email=email, display_name="Dr. Zoé Blanc", roles=roles)
    return wire.CreateMembershipRequest(membership=made, **more)


async def of_user(auth: Auth, user: UUID) -> membership_pb2.Membership:
    """The membership of a user in the organization of the call."""
    listed = await auth.memberships.ListMemberships(wire.ListMembershipsRequest())
    return next(each for each in listed.memberships if each.user == f"users/{user}")


def set_roles(held: membership_pb2.Membership, *roles: str) -> wire.SetMembershipRolesRequest:
    """A request to give exactly these roles."""
    return wire.SetMembershipRolesRequest(name=held.name, roles=roles, etag=held.etag)


async def test_a_repeated_request_changes_nothing_more(auth: Auth) -> None:
    """The same request_id gets the same answer, with the token while it is unused."""
    caller = await auth.act_as_administrator(await auth.clinic())
    again = "5d0d1d5a-0f0e-4a54-8f0a-3a2b1c0d9e8f"
    enter(caller, "CreateMembership", request_id=again, request_hash=b"same")

    first = await auth.memberships.CreateMembership(invitation("zoe@parc.test", request_id=again))
    second = await auth.memberships.CreateMembership(invitation("zoe@parc.test", request_id=again))

    assert first.activation_token
    assert second == first
    enter(caller, "CreateMembership", request_id=again, request_hash=b"other")
    with pytest.raises(RequestIdReused):
        await auth.memberships.CreateMembership(invitation("yan@parc.test", request_id=again))


async def test_nobody_gives_more_than_they_hold(auth: Auth) -> None:
    """A member who may invite cannot make an administrator of anybody, nor of themselves."""
    clinic = await auth.clinic()
    inviter = await auth.act_as_administrator(clinic)
    enter(_with(inviter, "auth.memberships.create", "auth.memberships.set_roles"), "Test")

    with pytest.raises(EscalationRefused) as refused:
        await auth.memberships.CreateMembership(invitation("zoe@parc.test", "biller"))

    assert refused.value.metadata == {"permission": "auth.organizations.read"}
    assert auth.rows("SELECT 1 FROM app_user WHERE email = 'zoe@parc.test'") == []


async def test_a_role_that_does_not_exist_is_an_invalid_field(auth: Auth) -> None:
    """The violation names the field."""
    await auth.act_as_administrator(await auth.clinic())

    with pytest.raises(InvalidField) as refused:
        await auth.memberships.CreateMembership(invitation("zoe@parc.test", "surgeon"))

    assert [each.field for each in refused.value.violations] == ["membership.roles"]


async def test_the_role_of_servers_is_nobody_s_to_give(auth: Auth) -> None:
    """Not even an administrator holds what the platform's servers hold."""
    await auth.act_as_administrator(await auth.clinic())

    with pytest.raises(EscalationRefused):
        await auth.memberships.CreateMembership(invitation("zoe@parc.test", "service"))


async def test_roles_act_at_once_and_are_told(auth: Auth) -> None:
    """A token that is already out has the new roles, and the stream says so."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    token = (await auth.log_in("doc@parc.test")).access_token
    await auth.act_as_administrator(clinic)
    held = await of_user(auth, doctor)

    saved = await auth.memberships.SetMembershipRoles(set_roles(held, "nurse"))

    assert (list(saved.roles), saved.etag) == (["nurse"], "2")
    assert (await auth.proving.prove(token)).roles == ("nurse",)
    newest = auth.rows("SELECT event FROM auth_event ORDER BY revision DESC LIMIT 1")
    assert newest[0]["event"]["roles"] == ["nurse"]
    with pytest.raises(EtagMismatch):
        await auth.memberships.SetMembershipRoles(set_roles(held, "doctor"))


async def test_the_last_administrator_stays(auth: Auth) -> None:
    """Neither by roles nor by suspension; one who has not accepted does not count."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    await auth.memberships.CreateMembership(invitation("zoe@parc.test", "administrator"))
    held = await of_user(auth, clinic.administrator)

    with pytest.raises(LastAdministrator):
        await auth.memberships.SetMembershipRoles(set_roles(held, "doctor"))
    with pytest.raises(LastAdministrator):
        await auth.memberships.SuspendMembership(
            wire.SuspendMembershipRequest(name=held.name, etag=held.etag)
        )


async def test_two_administrators_cannot_remove_each_other_at_once(auth: Auth) -> None:
    """Changes take turns, so the second sees that it would be the last."""
    clinic = await auth.clinic()
    other = await auth.user(clinic.organization, "two@parc.test", "administrator")
    await auth.act_as_administrator(clinic)
    both = [await of_user(auth, user) for user in (clinic.administrator, other)]

    answers = await asyncio.gather(
        *(auth.memberships.SetMembershipRoles(set_roles(held, "doctor")) for held in both),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in answers) == ["LastAdministrator", "Membership"]


async def test_a_suspended_member_is_out_and_stays_out_of_old_tokens(auth: Auth) -> None:
    """Tokens die, log-in does not offer the organization, and nothing old comes back."""
    clinic, elsewhere = await auth.clinic("Alpha"), await auth.clinic("Beta")
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    await auth.user(elsewhere.organization, "doc@parc.test", "doctor")
    here = f"organizations/{clinic.organization}"
    there = f"organizations/{elsewhere.organization}"
    token = (await auth.log_in("doc@parc.test", organization=here)).access_token
    kept = (await auth.log_in("doc@parc.test", organization=there)).access_token
    moved = (await auth.log_in("doc@parc.test", organization=here)).access_token
    await auth.act(moved, "SwitchOrganization")
    await auth.auth.SwitchOrganization(auth_wire.SwitchOrganizationRequest(organization=there))
    await auth.act_as_administrator(clinic)
    held = await of_user(auth, doctor)

    suspended = await auth.memberships.SuspendMembership(
        wire.SuspendMembershipRequest(name=held.name, etag=held.etag)
    )

    assert suspended.state == SUSPENDED
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(token)
    assert (await auth.proving.prove(kept)).roles == ("doctor",)
    assert (await auth.log_in("doc@parc.test")).organization == there
    await auth.act_as_administrator(clinic)
    back = await auth.memberships.ReactivateMembership(
        wire.ReactivateMembershipRequest(name=held.name, etag=suspended.etag)
    )
    assert (back.state, list(back.roles)) == (ACTIVE, ["doctor"])
    for old in (token, moved):
        with pytest.raises(TokenInvalid):
            await auth.proving.prove(old)


async def test_another_organization_s_memberships_do_not_exist(auth: Auth) -> None:
    """Not even one's own: an organization sees its own rows and nothing else."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.user(second.organization, first.email, "doctor")
    await auth.act_as_administrator(first)
    listed = await auth.memberships.ListMemberships(wire.ListMembershipsRequest())
    foreign = _foreign(auth, second)

    with pytest.raises(NotFound):
        await auth.memberships.GetMembership(wire.GetMembershipRequest(name=foreign))
    with pytest.raises(NotFound):
        await auth.memberships.SetMembershipRoles(
            wire.SetMembershipRolesRequest(name=foreign, etag="1")
        )

    assert [each.user for each in listed.memberships] == [f"users/{first.administrator}"]


async def test_a_list_is_paged_oldest_first(auth: Auth) -> None:
    """Every member once, over as many pages as it takes."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    for number in range(4):
        await auth.memberships.CreateMembership(invitation(f"m{number}@parc.test"))

    seen: list[str] = []
    token = ""
    while True:
        page = await auth.memberships.ListMemberships(
            wire.ListMembershipsRequest(page_size=2, page_token=token)
        )
        seen += [each.email for each in page.memberships]
        token = page.next_page_token
        if not token:
            break

    assert seen == [clinic.email, *(f"m{number}@parc.test" for number in range(4))]


async def test_a_change_is_in_the_trail_under_who_made_it(auth: Auth) -> None:
    """Before and after, the person concerned, and the administrator."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    await auth.act_as_administrator(clinic)
    held = await of_user(auth, doctor)

    await auth.memberships.SetMembershipRoles(set_roles(held, "nurse"))

    change = auth.rows(
        "SELECT organization_id, subject, subject_kind, before->'roles' AS was,"
        " after->'roles' AS becomes, context->>'actor' AS actor FROM medhub.audit_outbox"
        " WHERE entity = 'membership' AND operation = 'update'"
    )
    assert change == [
        {
            "organization_id": clinic.organization,
            "subject": doctor,
            "subject_kind": "user",
            "was": ["doctor"],
            "becomes": ["nurse"],
            "actor": str(clinic.administrator),
        }
    ]


def _with(caller: Caller, *permissions: str) -> Caller:
    return Caller(
        kind=caller.kind,
        subject=caller.subject,
        organization=caller.organization,
        session=caller.session,
        permissions=frozenset(permissions),
    )


def _foreign(auth: Auth, clinic: Clinic) -> str:
    rows = auth.rows(
        "SELECT id FROM membership WHERE organization_id = %s LIMIT 1", clinic.organization
    )
    assert identity.caller().organization != clinic.organization
    return f"memberships/{rows[0]['id']}"
