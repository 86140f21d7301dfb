"""Memberships, roles, service accounts and sessions over a real server: every reason once."""

import asyncio
from contextlib import suppress

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from medhub.auth.v1 import (
    auth_service_pb2,
    membership_pb2,
    membership_service_pb2,
    organization_service_pb2,
    role_pb2,
    role_service_pb2,
    service_account_pb2,
    service_account_service_pb2,
    session_service_pb2,
)
from tests.support.auth_server import AuthServer

ADMIN = "admin@parc.test"
DOCTOR = "doc@parc.test"
NOBODY = "memberships/00000000-0000-4000-8000-000000000000"
DENIED = ("PERMISSION_DENIED", "PERMISSION_DENIED")


@pytest.fixture
async def token(server: AuthServer) -> str:
    """An administrator's."""
    await server.member(ADMIN, "administrator")
    return (await server.log_in(ADMIN)).access_token


def invitation(email: str, *roles: str) -> membership_service_pb2.CreateMembershipRequest:
    """A request to take somebody in."""
    made = membership_pb2.Membership(email=email, display_name="Zoé", roles=roles)
    return membership_service_pb2.CreateMembershipRequest(membership=made)


async def test_a_person_is_taken_in_and_works_at_once(server: AuthServer, token: str) -> None:
    """Invited, activated, logged in; a role given later acts on the token that is out."""
    made = await server.call("MembershipService/CreateMembership", invitation(DOCTOR), token)
    await server.call(
        "AuthService/ActivateAccount",
        auth_service_pb2.ActivateAccountRequest(
            activation_token=made.activation_token, password="tilleul-harfang-8-grue"
        ),
    )
    theirs = (await server.log_in(DOCTOR, "tilleul-harfang-8-grue")).access_token
    accepted = await server.call(
        "MembershipService/GetMembership",
        membership_service_pb2.GetMembershipRequest(name=made.name),
        token,
    )
    listing = role_service_pb2.ListRolesRequest()
    before = await server.refused("RoleService/ListRoles", listing, theirs)

    await server.call(
        "MembershipService/SetMembershipRoles",
        membership_service_pb2.SetMembershipRolesRequest(
            name=made.name, roles=["auditor"], etag=accepted.etag
        ),
        token,
    )
    after = await _until_allowed(server, theirs)

    assert before == DENIED
    assert "auditor" in after


async def test_each_reason_of_memberships(server: AuthServer, token: str) -> None:
    """Refused by what is wrong, and by nothing else."""
    service = "MembershipService"
    made = await server.call(f"{service}/CreateMembership", invitation(DOCTOR, "doctor"), token)
    own = next(
        each
        for each in (
            await server.call(
                f"{service}/ListMemberships",
                membership_service_pb2.ListMembershipsRequest(),
                token,
            )
        ).memberships
        if each.email == ADMIN
    )
    set_roles = membership_service_pb2.SetMembershipRolesRequest

    for invited, refusal in (
        (invitation(DOCTOR), ("ALREADY_EXISTS", "ALREADY_A_MEMBER")),
        (invitation("a@b.test", "service"), ("PERMISSION_DENIED", "ESCALATION_REFUSED")),
        (invitation("a@b.test", "surgeon"), ("INVALID_ARGUMENT", "INVALID_FIELD")),
        (invitation("no address"), ("INVALID_ARGUMENT", "INVALID_FIELD")),
    ):
        assert await server.refused(f"{service}/CreateMembership", invited, token) == refusal
    for request, refusal in (
        (set_roles(name=made.name, etag="7"), ("ABORTED", "ETAG_MISMATCH")),
        (set_roles(name=NOBODY, etag="1"), ("NOT_FOUND", "NOT_FOUND")),
        (set_roles(name=own.name, etag=own.etag), ("FAILED_PRECONDITION", "LAST_ADMINISTRATOR")),
    ):
        assert await server.refused(f"{service}/SetMembershipRoles", request, token) == refusal


async def test_each_reason_of_roles(server: AuthServer, token: str) -> None:
    """An id that is taken, a permission that is not held, one that does not exist."""

    def asked(key: str, *permissions: str) -> role_service_pb2.CreateRoleRequest:
        role = role_pb2.Role(permissions=permissions)
        return role_service_pb2.CreateRoleRequest(role_id=key, role=role)

    for request, refusal in (
        (asked("doctor"), ("ALREADY_EXISTS", "ROLE_EXISTS")),
        (asked("watcher", "auth.state.watch"), ("PERMISSION_DENIED", "ESCALATION_REFUSED")),
        (asked("witch", "clinical.patients.bewitch"), ("INVALID_ARGUMENT", "INVALID_FIELD")),
    ):
        assert await server.refused("RoleService/CreateRole", request, token) == refusal


async def test_a_member_without_the_right_is_denied(server: AuthServer, token: str) -> None:
    """Before existence and before validation: a doctor administers nothing."""
    await server.member(DOCTOR, "doctor")
    theirs = (await server.log_in(DOCTOR)).access_token

    for method, request in (
        ("MembershipService/CreateMembership", invitation("not an address")),
        ("MembershipService/GetMembership", membership_service_pb2.GetMembershipRequest(name="?")),
        (
            "MembershipService/SuspendMembership",
            membership_service_pb2.SuspendMembershipRequest(name=NOBODY, etag="1"),
        ),
        ("RoleService/CreateRole", role_service_pb2.CreateRoleRequest()),
        (
            "ServiceAccountService/CreateServiceAccount",
            service_account_service_pb2.CreateServiceAccountRequest(),
        ),
    ):
        assert await server.refused(method, request, theirs) == DENIED


async def test_a_suspended_member_is_refused_everywhere(server: AuthServer, token: str) -> None:
    """Within milliseconds, on every method, and at log-in."""
    await server.member(DOCTOR, "doctor")
    made = await server.log_in(DOCTOR)
    listed = await server.call(
        "MembershipService/ListMemberships", membership_service_pb2.ListMembershipsRequest(), token
    )
    held = next(each for each in listed.memberships if each.email == DOCTOR)

    await server.call(
        "MembershipService/SuspendMembership",
        membership_service_pb2.SuspendMembershipRequest(name=held.name, etag=held.etag),
        token,
    )
    dead = await server.refused(
        "AuthService/ValidateToken",
        auth_service_pb2.ValidateTokenRequest(token=made.access_token),
    )
    renewal = await server.refused(
        "AuthService/RefreshToken",
        auth_service_pb2.RefreshTokenRequest(refresh_token=made.refresh_token),
    )

    assert dead == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert renewal == ("UNAUTHENTICATED", "REFRESH_REFUSED")


async def test_the_organization_of_the_token_is_shown_and_no_other(
    server: AuthServer, token: str
) -> None:
    """Another one is not found, whether it exists or not."""
    own = f"organizations/{server.organization}"
    request = organization_service_pb2.GetOrganizationRequest
    foreign = "organizations/00000000-0000-4000-8000-000000000000"

    shown = await server.call("OrganizationService/GetOrganization", request(name=own), token)

    assert (shown.name, shown.display_name, shown.test) == (own, "Clinique du Parc", True)
    assert await server.refused(
        "OrganizationService/GetOrganization", request(name=foreign), token
    ) == ("NOT_FOUND", "NOT_FOUND")


async def test_a_program_is_registered_and_shut_out(server: AuthServer, token: str) -> None:
    """Made, listed, disabled."""
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    asked = service_account_pb2.ServiceAccount(
        display_name="Gateway", public_key=key, roles=["integration"]
    )
    service = "ServiceAccountService"

    made = await server.call(
        f"{service}/CreateServiceAccount",
        service_account_service_pb2.CreateServiceAccountRequest(service_account=asked),
        token,
    )
    saved = await server.call(
        f"{service}/DisableServiceAccount",
        service_account_service_pb2.DisableServiceAccountRequest(name=made.name, etag=made.etag),
        token,
    )
    listed = await server.call(
        f"{service}/ListServiceAccounts",
        service_account_service_pb2.ListServiceAccountsRequest(),
        token,
    )

    assert list(listed.service_accounts) == [saved]
    assert saved.disabled


async def test_each_change_of_a_program_tells_its_revision(server: AuthServer, token: str) -> None:
    """The answer is the program and has no field for it; what ends no right tells none."""
    first, second = (Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in "12")
    asked = service_account_pb2.ServiceAccount(
        display_name="Gateway", public_key=first, roles=["integration"]
    )
    request = service_account_service_pb2.CreateServiceAccountRequest(service_account=asked)
    held, told = await server.change("ServiceAccountService/CreateServiceAccount", request, token)
    key, revisions = held.keys[0].id, [told]

    for method, more in (
        ("AddServiceAccountKey", {"key": service_account_pb2.ServiceAccountKey(public_key=second)}),
        ("RemoveServiceAccountKey", {"key_id": key}),
        ("SetServiceAccountRoles", {"roles": ["auditor"]}),
        ("DisableServiceAccount", {}),
        ("DisableServiceAccount", {}),
    ):
        kind = getattr(service_account_service_pb2, f"{method}Request")
        request = kind(name=held.name, etag=held.etag, **more)
        held, told = await server.change(f"ServiceAccountService/{method}", request, token)
        revisions.append(told)

    newest = revisions[-1]
    assert newest
    assert revisions == [0, 0, newest - 2, newest - 1, newest, newest]


async def test_a_session_ended_from_elsewhere_is_refused_here(
    server: AuthServer, token: str
) -> None:
    """A person ends the session of a lost device."""
    lost = await server.log_in(ADMIN)
    ended = await server.call(
        "SessionService/RevokeSession",
        session_service_pb2.RevokeSessionRequest(name=lost.session),
        token,
    )

    refused = await server.refused(
        "SessionService/ListSessions",
        session_service_pb2.ListSessionsRequest(),
        lost.access_token,
        x_medhub_min_auth_revision=str(ended.auth_revision),
    )

    assert refused == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def _until_allowed(server: AuthServer, token: str) -> list[str]:
    """The answer does not name the revision; the stream brings it within milliseconds."""
    for _ in range(50):
        with suppress(grpc.aio.AioRpcError):
            listed = await server.call(
                "RoleService/ListRoles", role_service_pb2.ListRolesRequest(), token
            )
            return [role.name.removeprefix("roles/") for role in listed.roles]
        await asyncio.sleep(0.02)
    raise TimeoutError
