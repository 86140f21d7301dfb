"""Whoever has shut somebody out, and says so, meets a platform that knows it: at every service."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from core.contract import everything
from medhub.analytics.v1 import metric_service_pb2 as metrics
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.auth.v1 import session_service_pb2 as sessions
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.clinical.v1 import practitioner_service_pb2 as practitioners
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support.platform import Platform, platform
from tests.support.servers import reason_of

__all__ = ["platform"]
_SESSIONS = "medhub.auth.v1.SessionService"
_MEMBERSHIPS = "medhub.auth.v1.MembershipService"
_ROLES = "medhub.auth.v1.RoleService"
# One read of each service, that an administrator may make.
READS: dict[str, Message] = {
    "medhub.auth.v1.RoleService/ListRoles": roles.ListRolesRequest(),
    "medhub.clinical.v1.PractitionerService/ListUnits": practitioners.ListUnitsRequest(),
    "medhub.billing.v1.InvoiceService/ListInvoices": invoices.ListInvoicesRequest(),
    "medhub.compliance.v1.AuditService/ListAuditEvents": audit.ListAuditEventsRequest(),
    "medhub.analytics.v1.MetricService/ListMetrics": metrics.ListMetricsRequest(),
}
ROUNDS = 5
SIGNED_OUT = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
DENIED = (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")


class Ward:
    """An organization with an administrator, and others whom they may shut out."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def log_in(self, word: str) -> str:
        """A new session of a member."""
        return await self.platform.login(f"{word}@alpha.example", again=True)

    def call(self, method: str, request: Message, token: str, revision: int = 0) -> Any:
        """Call, with a revision that the answer must not be older than."""
        known = everything().methods[f"/{method}"]
        go: Any = self.platform.channel(method.split(".")[1]).unary_unary(
            known.path,
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        metadata = [("authorization", f"Bearer {token}")]
        if revision:
            metadata.append(("x-medhub-min-auth-revision", str(revision)))
        return go(request, metadata=metadata, timeout=20.0)

    async def change(self, method: str, request: Message, token: str) -> int:
        """Call what changes rights; the revision that the metadata of its answer tell."""
        going = self.call(method, request, token)
        await going
        return int(dict(await going.initial_metadata())["x-medhub-auth-revision"])

    async def membership_of(self, word: str, token: str) -> Any:
        """A member's membership."""
        page = await self.call(
            f"{_MEMBERSHIPS}/ListMemberships",
            memberships.ListMembershipsRequest(page_size=200),
            token,
        )
        email = f"{word}@alpha.example"
        return next(each for each in page.memberships if each.email == email)


@pytest.fixture
async def ward(platform: Platform) -> Ward:
    """Ready, with two administrators."""
    await platform.tenant("alpha", {"head": ["administrator"], "other": ["administrator"]})
    return Ward(platform)


async def _log_out(ward: Ward, victim: str) -> int:
    answer = await ward.call("medhub.auth.v1.AuthService/Logout", auth.LogoutRequest(), victim)
    return int(answer.auth_revision)


async def _all_of_ones_own(ward: Ward, _victim: str) -> int:
    caller = await ward.log_in("other")
    request = sessions.RevokeAllSessionsRequest(keep_current=True)
    return int((await ward.call(f"{_SESSIONS}/RevokeAllSessions", request, caller)).auth_revision)


async def _all_of_a_member(ward: Ward, _victim: str) -> int:
    head = await ward.log_in("head")
    name = (await ward.membership_of("other", head)).name
    request = sessions.RevokeMemberSessionsRequest(name=name)
    return int((await ward.call(f"{_SESSIONS}/RevokeMemberSessions", request, head)).auth_revision)


async def _all_of_the_organization(ward: Ward, _victim: str) -> int:
    head = await ward.log_in("head")
    request = sessions.RevokeOrganizationSessionsRequest()
    answer = await ward.call(f"{_SESSIONS}/RevokeOrganizationSessions", request, head)
    return int(answer.auth_revision)


@pytest.mark.parametrize(
    "shut_out", [_log_out, _all_of_ones_own, _all_of_a_member, _all_of_the_organization]
)
async def test_after_its_answer_every_service_refuses(
    ward: Ward, shut_out: Callable[[Ward, str], Awaitable[int]]
) -> None:
    """At the very next call that passes the revision on; before, each service has let them in."""
    for _ in range(ROUNDS):
        victim = await ward.log_in("other")
        for method, request in READS.items():
            await ward.call(method, request, victim)

        revision = await shut_out(ward, victim)

        await _refused_everywhere(ward, victim, revision, SIGNED_OUT)


async def _no_roles(ward: Ward, head: str) -> int:
    held = await ward.membership_of("other", head)
    request = memberships.SetMembershipRolesRequest(name=held.name, etag=held.etag)
    return await ward.change(f"{_MEMBERSHIPS}/SetMembershipRoles", request, head)


async def _no_bindings(ward: Ward, head: str) -> int:
    held = await ward.membership_of("other", head)
    request = memberships.SetMembershipBindingsRequest(name=held.name, etag=held.etag)
    return await ward.change(f"{_MEMBERSHIPS}/SetMembershipBindings", request, head)


@pytest.mark.parametrize("take", [_no_roles, _no_bindings])
async def test_whose_roles_are_taken_is_denied_everywhere(
    ward: Ward, take: Callable[[Ward, str], Awaitable[int]]
) -> None:
    """At the very next call that passes on what the metadata of the answer told."""
    head, victim = await ward.log_in("head"), await ward.log_in("other")
    for _ in range(ROUNDS):
        for method, request in READS.items():
            await ward.call(method, request, victim)

        revision = await take(ward, head)

        await _refused_everywhere(ward, victim, revision, DENIED)
        await _give_back(ward, head)


async def test_whose_role_gives_less_is_denied_everywhere(ward: Ward) -> None:
    """A role of the organization's own, changed: everybody who holds it may do less."""
    head, victim = await ward.log_in("head"), await ward.log_in("other")
    every = sorted({everything().methods[f"/{each}"].permission for each in READS})
    made = await ward.call(
        f"{_ROLES}/CreateRole",
        roles.CreateRoleRequest(role_id="reader", role=role_pb2.Role(permissions=every)),
        head,
    )
    await _give(ward, head, "reader")
    for method, request in READS.items():
        await ward.call(method, request, victim)
    changed = role_pb2.Role(name=made.name, etag=made.etag, permissions=["auth.memberships.read"])

    revision = await ward.change(
        f"{_ROLES}/UpdateRole",
        roles.UpdateRoleRequest(role=changed, update_mask=FieldMask(paths=["permissions"])),
        head,
    )

    await _refused_everywhere(ward, victim, revision, DENIED)


async def test_who_is_suspended_is_signed_out_everywhere(ward: Ward) -> None:
    """The same answer for whoever asks again, having lost the first."""
    head, victim = await ward.log_in("head"), await ward.log_in("other")
    for method, request in READS.items():
        await ward.call(method, request, victim)

    for _ in range(2):
        held = await ward.membership_of("other", head)
        asked = memberships.SuspendMembershipRequest(name=held.name, etag=held.etag)
        revision = await ward.change(f"{_MEMBERSHIPS}/SuspendMembership", asked, head)

        await _refused_everywhere(ward, victim, revision, SIGNED_OUT)


async def _give_back(ward: Ward, head: str) -> None:
    revision = await _give(ward, head, "administrator")
    victim = await ward.log_in("other")
    for method, request in READS.items():
        await ward.call(method, request, victim, revision)


async def _give(ward: Ward, head: str, role: str) -> int:
    held = await ward.membership_of("other", head)
    request = memberships.SetMembershipRolesRequest(name=held.name, etag=held.etag, roles=[role])
    return await ward.change(f"{_MEMBERSHIPS}/SetMembershipRoles", request, head)


async def _refused_everywhere(
    ward: Ward, victim: str, revision: int, refusal: tuple[grpc.StatusCode, str]
) -> None:
    for method, request in READS.items():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ward.call(method, request, victim, revision)
        told = (refused.value.code(), reason_of(refused.value))
        assert told == refusal, method
