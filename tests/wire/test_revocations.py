"""Whoever has shut somebody out, and says so, meets a platform that knows it: at every service."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from core.contract import everything
from medhub.analytics.v1 import metric_service_pb2 as metrics
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import membership_service_pb2 as memberships
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
# One read of each service, that an administrator may make.
READS: dict[str, Message] = {
    "medhub.auth.v1.RoleService/ListRoles": roles.ListRolesRequest(),
    "medhub.clinical.v1.PractitionerService/ListUnits": practitioners.ListUnitsRequest(),
    "medhub.billing.v1.InvoiceService/ListInvoices": invoices.ListInvoicesRequest(),
    "medhub.compliance.v1.AuditService/ListAuditEvents": audit.ListAuditEventsRequest(),
    "medhub.analytics.v1.MetricService/ListMetrics": metrics.ListMetricsRequest(),
}
ROUNDS = 5


class Ward:
    """An organization with an administrator, and others whom they may shut out."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def log_in(self, word: str) -> str:
        """A new session of a member."""
        return await self.platform.login(f"{word}@alpha.example", again=True)

    async def call(self, method: str, request: Message, token: str, revision: int = 0) -> Any:
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
        return await go(request, metadata=metadata, timeout=20.0)

    async def membership_of(self, word: str, token: str) -> str:
        """The name of a member's membership."""
        page = await self.call(
            f"{_MEMBERSHIPS}/ListMemberships",
            memberships.ListMembershipsRequest(page_size=200),
            token,
        )
        email = f"{word}@alpha.example"
        return next(str(each.name) for each in page.memberships if each.email == email)


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
    name = await ward.membership_of("other", head)
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

        for method, request in READS.items():
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await ward.call(method, request, victim, revision)
            told = (refusal.value.code(), reason_of(refusal.value))
            assert told == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), method
