"""AuthStateService: what other servers follow and ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from auth.feed import Feed, Subscription
from auth.proving import Proving
from auth.servicers.bindings import binding_to_proto
from auth.servicers.times import timestamp
from core.errors import Refusal, Unavailable
from core.truth import Claims
from core.truth.grants import TimedGrant
from medhub.auth.v1 import auth_state_service_pb2 as wire
from medhub.auth.v1.auth_state_pb2 import AccessGrantChanged


class AuthState:
    """The AuthStateService of the contract."""

    def __init__(self, feed: Feed, proving: Proving) -> None:
        self._feed = feed
        self._proving = proving

    async def Watch(
        self, requests: AsyncIterator[wire.WatchRequest]
    ) -> AsyncIterator[wire.WatchResponse]:
        """Bring the follower to the present, then pass on what changes."""
        first = await anext(aiter(requests), None)
        if first is None:
            return
        with self._feed.subscribed() as line:
            for part in await self._feed.opening(first.from_revision, line, first.history):
                yield part
            if first.probe:
                self._feed.probe(line, first.probe)
            probing = asyncio.create_task(self._pass_on(requests, line))
            try:
                async for message in line.messages():
                    yield message.response
            finally:
                probing.cancel()
                with suppress(asyncio.CancelledError):
                    await probing

    async def ResolvePrincipal(
        self, request: wire.ResolvePrincipalRequest
    ) -> wire.ResolvePrincipalResponse:
        """Say whom a token stands for and what they hold."""
        proven = await self._proving.prove(request.access_token)
        return wire.ResolvePrincipalResponse(
            subject_id=str(proven.claims.subject),
            organization_id=str(proven.claims.organization or ""),
            roles=sorted(proven.held.roles),
            auth_revision=proven.revision,
            permissions=sorted(proven.permissions),
            actor_roles=sorted(proven.actor_roles),
            bindings=[binding_to_proto(each) for each in proven.held.timed],
            grants=[_grant_to_proto(each, proven.claims) for each in proven.grants],
        )

    async def _pass_on(
        self, requests: AsyncIterator[wire.WatchRequest], line: Subscription
    ) -> None:
        """Ask for what each probe asks, until the follower stops or breaks a rule."""
        try:
            async for request in requests:
                self._feed.probe(line, request.probe)
        except Refusal as refusal:
            line.cut(refusal)
        else:
            line.cut(Unavailable())


def _grant_to_proto(told: TimedGrant, claims: Claims) -> AccessGrantChanged:
    return AccessGrantChanged(
        grant_id=str(told.grant.id),
        subject_id=str(claims.subject),
        organization_id=str(claims.organization or ""),
        patient_id=str(told.grant.patient),
        break_glass=told.grant.break_glass,
        start_time=timestamp(told.starts_at),
        end_time=timestamp(told.ends_at),
    )
