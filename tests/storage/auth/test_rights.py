"""Roles, questions about rights, and one's own sessions, against a real database."""

import pytest

from auth.background import own_call
from auth.domain.events import RoleChanged
from auth.domain.refusals import EscalationRefused, RoleExists
from core.errors import InvalidField, NotFound
from core.ids import new_id
from medhub.auth.v1 import (
    auth_pb2,
    membership_service_pb2,
    role_pb2,
    role_service_pb2,
    session_service_pb2,
)
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import Auth, enter


def definition(
    key: str, *permissions: str, request_id: str = ""
) -> role_service_pb2.CreateRoleRequest:
    """A request to define a role."""
    role = role_pb2.Role(display_name="Reader", permissions=permissions)
    return role_service_pb2.CreateRoleRequest(role_id=key, role=role, request_id=request_id)


async def test_a_role_of_the_organization_gives_its_permissions(auth: Auth) -> None:
    """Define, give, ask; and every server is told."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "doc@parc.test")
    token = (await auth.log_in("doc@parc.test")).access_token
    await auth.act_as_administrator(clinic)
    made = await auth.roles.CreateRole(definition("reader", "clinical.patients.read"))
    listed = await auth.memberships.ListMemberships(membership_service_pb2.ListMembershipsRequest())
    held = next(each for each in listed.memberships if each.email == "doc@parc.test")
    await auth.memberships.SetMembershipRoles(
        membership_service_pb2.SetMembershipRolesRequest(
            name=held.name, roles=["reader"], etag=held.etag
        )
    )

    await auth.act(token, "Authorize")
    answer = await auth.auth.Authorize(
        wire.AuthorizeRequest(resource="clinical.patients", action="read")
    )

    assert (made.name, made.display_name) == ("roles/reader", "Reader")
    assert list(made.permissions) == ["clinical.patients.read"]
    assert (answer.authorized, answer.role) == (True, "reader")
    assert answer.permission == "clinical.patients.read"
    told = auth.rows("SELECT key FROM auth_state WHERE key LIKE 'role/%%/reader'")
    assert told == [{"key": f"role/{clinic.organization}/reader"}]


async def test_questions_are_answered_in_their_order(auth: Auth) -> None:
    """From one revision, with the role that gives each right."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "doc@parc.test", "doctor", "biller")
    made = await auth.log_in("doc@parc.test")
    await auth.act(made.access_token, "BatchAuthorize")
    asked = [("clinical.records", "read"), ("clinical.units", "read"), ("auth.roles", "create")]

    answer = await auth.auth.BatchAuthorize(
        wire.BatchAuthorizeRequest(
            questions=[auth_pb2.AccessQuestion(resource=r, action=a) for r, a in asked]
        )
    )

    assert [(each.authorized, each.role) for each in answer.answers] == [
        (True, "doctor"),
        (True, "biller"),
        (False, ""),
    ]
    assert len({each.auth_revision for each in answer.answers}) == 1


async def test_a_role_s_id_is_taken_once(auth: Auth) -> None:
    """Built-in ids are taken from the start; another organization may use the same one."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.act_as_administrator(first)
    await auth.roles.CreateRole(definition("reader"))

    for taken in ("reader", "doctor", "service"):
        with pytest.raises(RoleExists):
            await auth.roles.CreateRole(definition(taken))
    await auth.act_as_administrator(second)
    assert (await auth.roles.CreateRole(definition("reader"))).name == "roles/reader"


async def test_a_role_gives_no_more_than_its_maker_holds(auth: Auth) -> None:
    """What no contract declares is an invalid field; what others hold is an escalation."""
    await auth.act_as_administrator(await auth.clinic())

    with pytest.raises(InvalidField):
        await auth.roles.CreateRole(definition("reader", "clinical.patients.bewitch"))
    with pytest.raises(EscalationRefused):
        await auth.roles.CreateRole(definition("watcher", "auth.state.watch"))


async def test_a_repeated_definition_answers_the_same(auth: Auth) -> None:
    """The same request_id defines once."""
    caller = await auth.act_as_administrator(await auth.clinic())
    again = "6a0d1d5a-0f0e-4a54-8f0a-3a2b1c0d9e8f"
    enter(caller, "CreateRole", request_id=again, request_hash=b"same")

    first = await auth.roles.CreateRole(definition("reader", request_id=again))
    second = await auth.roles.CreateRole(definition("reader", request_id=again))

    assert first == second


async def test_roles_are_listed_by_id_over_pages(auth: Auth) -> None:
    """Built-in and own together; the role of servers is not among them."""
    await auth.act_as_administrator(await auth.clinic())
    await auth.roles.CreateRole(definition("midwife"))

    first = await auth.roles.ListRoles(role_service_pb2.ListRolesRequest(page_size=5))
    second = await auth.roles.ListRoles(
        role_service_pb2.ListRolesRequest(page_size=5, page_token=first.next_page_token)
    )

    listed = [role.name.removeprefix("roles/") for role in (*first.roles, *second.roles)]
    assert listed == [
        "administrator",
        "auditor",
        "biller",
        "data_protection_officer",
        "doctor",
        "integration",
        "midwife",
        "nurse",
    ]
    assert second.next_page_token == ""


async def test_people_see_and_end_their_own_sessions_only(auth: Auth) -> None:
    """Newest first, the current one marked; another person's is not found."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "doc@parc.test", "doctor")
    theirs = await auth.log_in("doc@parc.test")
    older = await auth.log_in(clinic.email)
    newer = await auth.log_in(clinic.email)
    await auth.act(newer.access_token, "ListSessions")

    listed = await auth.sessions.ListSessions(session_service_pb2.ListSessionsRequest())
    ended = await auth.sessions.RevokeSession(
        session_service_pb2.RevokeSessionRequest(name=older.session)
    )

    assert [(each.name, each.current) for each in listed.sessions] == [
        (newer.session, True),
        (older.session, False),
    ]
    assert listed.sessions[0].peer == "192.0.2.7"
    left = await auth.sessions.ListSessions(session_service_pb2.ListSessionsRequest())
    assert [each.name for each in left.sessions] == [newer.session]
    assert ended.auth_revision == auth.rows("SELECT value FROM auth_revision")[0]["value"]
    for name in (theirs.session, f"sessions/{new_id()}"):
        with pytest.raises(NotFound):
            await auth.sessions.RevokeSession(session_service_pb2.RevokeSessionRequest(name=name))


async def test_where_somebody_belongs_is_listed_by_name(auth: Auth) -> None:
    """The caller's own organizations, whatever the token names."""
    first, second = await auth.clinic("Beta"), await auth.clinic("Alpha")
    await auth.user(second.organization, first.email, "nurse")
    await auth.act((await auth.log_in(first.email)).access_token, "ListMyOrganizations")

    mine = await auth.auth.ListMyOrganizations(wire.ListMyOrganizationsRequest())

    assert [each.display_name for each in mine.organizations] == ["Alpha", "Beta"]


async def test_what_was_published_of_a_role_is_what_it_gives(auth: Auth) -> None:
    """While auth is upgraded, servers of two versions answer: alike, and as the stream says."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "doc@parc.test", "doctor")
    token = (await auth.log_in("doc@parc.test")).access_token
    async with auth.store.begin_as(own_call("Test", "auth.tests")) as tx:
        await tx.state.publish([RoleChanged(None, "doctor", ("clinical.units.read",))])

    proven = await auth.proving.prove(token)

    assert proven.permissions == {"clinical.units.read"}
