"""Invitations over a real server: nobody joins without consent, and nobody takes an address."""

from uuid import UUID

import pytest

from auth import bootstrap
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as memberships
from tests.support.auth_server import PASSWORD, AuthServer

HERE = "admin@parc.test"
THERE = "admin@second.test"
ZOE = "zoe@parc.test"
THEIRS = "tilleul-harfang-8-grue"
REFUSED = ("UNAUTHENTICATED", "ACTIVATION_REFUSED")


@pytest.fixture
async def second(server: AuthServer) -> UUID:
    """Another organization; both have an administrator."""
    made = await bootstrap.organization(server.store, "Second", test=True)
    await bootstrap.user(server.store, made, THERE, "T", PASSWORD, ["administrator"])
    await server.member(HERE, "administrator")
    return made


async def invite(server: AuthServer, inviter: str, email: str) -> membership_pb2.Membership:
    """An invitation by somebody who administers one organization."""
    made = membership_pb2.Membership(email=email, display_name="Zoé", roles=["nurse"])
    answer: membership_pb2.Membership = await server.call(
        "MembershipService/CreateMembership",
        memberships.CreateMembershipRequest(membership=made),
        (await server.log_in(inviter)).access_token,
    )
    return answer


def with_password(token: str, password: str = PASSWORD) -> wire.ActivateAccountRequest:
    """A request to take an invitation up with a first password."""
    return wire.ActivateAccountRequest(activation_token=token, password=password)


async def test_an_address_taken_first_does_not_join_by_another_s_invitation(
    server: AuthServer, second: UUID
) -> None:
    """The second organization makes an account of a person whom the first one invites later."""
    taken = await invite(server, THERE, ZOE)
    await server.call("AuthService/ActivateAccount", with_password(taken.activation_token, THEIRS))

    meant = await invite(server, HERE, ZOE)
    thief = await server.log_in(ZOE, THEIRS)
    entering = wire.LoginRequest(
        email=ZOE, password=THEIRS, organization=f"organizations/{server.organization}"
    )

    assert [each.organization for each in thief.organizations] == [f"organizations/{second}"]
    assert await server.refused("AuthService/Login", entering) == (
        "PERMISSION_DENIED",
        "NOT_A_MEMBER",
    )
    # Their own token opens nothing more, and the person's cannot set a second password.
    for token in (taken.activation_token, "unknown"):
        accepting = wire.AcceptMembershipRequest(activation_token=token)
        refused = await server.refused(
            "AuthService/AcceptMembership", accepting, thief.access_token
        )
        assert refused == REFUSED
    activating = with_password(meant.activation_token)
    assert await server.refused("AuthService/ActivateAccount", activating) == REFUSED


async def test_nobody_is_pulled_into_an_organization(server: AuthServer, second: UUID) -> None:
    """A nurse's log-in leads where it always did, until they accept by themselves."""
    await server.member(ZOE, "nurse")
    made = await invite(server, THERE, ZOE)

    before = await server.log_in(ZOE)
    accepted = await server.call(
        "AuthService/AcceptMembership",
        wire.AcceptMembershipRequest(activation_token=made.activation_token),
        before.access_token,
    )
    after = await server.log_in(ZOE)
    moved = await server.call(
        "AuthService/SwitchOrganization",
        wire.SwitchOrganizationRequest(organization=accepted.organization.organization),
        before.access_token,
    )

    assert before.organization == f"organizations/{server.organization}"
    assert len(before.organizations) == 1
    assert accepted.organization.organization == f"organizations/{second}"
    assert accepted.organization.display_name == "Second"
    assert len(after.organizations) == 2
    assert moved.credentials.access_token


async def test_an_invitation_tells_nothing_of_an_account(server: AuthServer, second: UUID) -> None:
    """For an address with an account and for one without, the same shape, now and later."""
    await server.member(ZOE, "nurse")
    known = await invite(server, THERE, ZOE)
    unknown = await invite(server, THERE, "nobody@nowhere.test")
    token = (await server.log_in(THERE)).access_token

    shown = [
        await server.call(
            "MembershipService/GetMembership",
            memberships.GetMembershipRequest(name=each.name),
            token,
        )
        for each in (known, unknown)
    ]

    for made in (known, unknown):
        assert made.state == membership_pb2.MEMBERSHIP_STATE_INVITED
        assert (made.user, len(made.activation_token), made.etag) == ("", 43, "1")
    for one in shown:
        assert (one.user, one.activation_token, one.etag) == ("", "", "1")


async def test_an_invitation_is_for_its_address_and_for_people_who_are_logged_in(
    server: AuthServer, second: UUID
) -> None:
    """Another account and nobody at all are refused; the invitation is still good afterwards."""
    await server.member(ZOE, "nurse")
    made = await invite(server, THERE, ZOE)
    accepting = wire.AcceptMembershipRequest(activation_token=made.activation_token)
    method = "AuthService/AcceptMembership"

    nobody = await server.refused(method, accepting)
    stranger = await server.refused(method, accepting, (await server.log_in(HERE)).access_token)
    owner = (await server.log_in(ZOE)).access_token
    accepted = await server.call(method, accepting, owner)
    again = await server.refused(method, accepting, owner)

    assert nobody == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    assert stranger == again == REFUSED
    assert accepted.organization.display_name == "Second"


@pytest.mark.parametrize("text", ["a\0b", "\0"])
async def test_no_text_of_a_request_is_a_fault_of_the_server(
    server: AuthServer, second: UUID, text: str
) -> None:
    """What PostgreSQL cannot keep is refused as a field, not as an internal error."""
    member = membership_pb2.Membership(email=ZOE, display_name=text)
    token = (await server.log_in(HERE)).access_token

    for method, request in (
        ("MembershipService/CreateMembership",
         memberships.CreateMembershipRequest(membership=member)),
        ("AuthService/Login", wire.LoginRequest(email=f"{text}@a.test", password=PASSWORD)),
        ("AuthService/AcceptMembership", wire.AcceptMembershipRequest(activation_token=text)),
        ("AuthService/RefreshToken", wire.RefreshTokenRequest(refresh_token=text)),
    ):  # fmt: skip
        code, _ = await server.refused(method, request, token)
        assert code in ("INVALID_ARGUMENT", "UNAUTHENTICATED"), method
