"""Hops: auth is asked about one token, once for all who wait for the same answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from core import clock
from core.errors import Refusal
from core.truth.grants import TimedGrant
from core.truth.periods import RolePeriod, next_boundary
from core.truth.proof import NotProven
from core.truth.refusals import AuthUnavailable, Unauthenticated
from core.truth.state import Membership

# A hop to auth may take this long; then the call is refused (or continued, if declared).
HOP_SECONDS = 2.0
# The answer of a hop serves other calls with the token for this long. So does a failure, or an
# outage of auth would bring a hop for every call.
HOP_KEPT_SECONDS = 1.0
# A call that names a later revision than the kept answer brings a new hop, but no more often than
# this for a token: a made-up revision must not be a way to flood auth.
HOP_PAUSE_SECONDS = 0.1
_log = logging.getLogger("medhub.truth")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What auth answers about a token: whom it stands for and what they may do, now.

    `roles` are those without a period. With an actor, `permissions` are what both may do.
    `grants` are the subject's that have not ended.
    """

    subject: UUID
    organization: UUID | None
    roles: tuple[str, ...]
    revision: int
    permissions: frozenset[str]
    actor_roles: tuple[str, ...] = ()
    grants: tuple[TimedGrant, ...] = ()
    periods: tuple[RolePeriod, ...] = ()

    @property
    def membership(self) -> Membership:
        """What it says of the subject."""
        return Membership(self.roles, self.revision, periods=self.periods)

    @property
    def actor_membership(self) -> Membership:
        """What it says of the actor; a server of the platform holds its roles without a period."""
        return Membership(self.actor_roles, self.revision)


@dataclass(slots=True)
class _Hop:
    """A question asked of auth, and when: on the loop's clock, and on the wall's."""

    answer: asyncio.Future[Resolved]
    asked_at: float
    asked_on: datetime

    @property
    def answered(self) -> bool:
        """Whether auth has said something; a failure is no answer."""
        answer = self.answer
        return answer.done() and not answer.cancelled() and answer.exception() is None

    def serves(self, revision: int) -> bool:
        """Whether its answer is, or will be, no older than the revision."""
        if not self.answer.done() or self.answer.cancelled():
            return not self.answer.done()
        return self.answer.exception() is not None or self.answer.result().revision >= revision

    def outlived(self) -> bool:
        """Whether a role of the answer has begun or ended since it was asked for."""
        if not self.answer.done() or self.answer.cancelled() or self.answer.exception():
            return False
        boundary = next_boundary(self.answer.result().periods, self.asked_on)
        return boundary is not None and boundary <= clock.now()


Resolve: TypeAlias = Callable[[str], Awaitable[Resolved]]


class Hops:
    """Asks auth, and keeps each answer for a moment."""

    def __init__(self, resolve: Resolve) -> None:
        self.count = 0
        self._resolve = resolve
        self._asked: dict[bytes, _Hop] = {}

    async def ask(
        self, token: str, digest: bytes, revision: int, bound: float, pause: float = 0.0
    ) -> Resolved:
        """One hop for all who ask about the token at once; its answer is kept for a second.

        The answer was asked for within `bound`, and is no older than `revision`, if that has been
        issued and the token's last hop is longer ago than `pause`. A waiter whose own call is
        cancelled leaves the shared hop running for the others.
        """
        told = await asyncio.shield(self._shared(token, digest, revision, bound, pause).answer)
        if told.revision < revision:
            # That hop was on its way already when the revision was issued.
            told = await asyncio.shield(self._shared(token, digest, revision, bound, pause).answer)
        return told

    def _shared(self, token: str, digest: bytes, revision: int, bound: float, pause: float) -> _Hop:
        now = asyncio.get_running_loop().time()
        hop = self._asked.get(digest)
        late = hop is not None and not hop.serves(revision) and now - hop.asked_at >= pause
        # An answer that was long on its way, and was kept besides, speaks of too long ago.
        old = hop is not None and hop.answered and now - hop.asked_at > bound
        if hop is None or late or old or hop.outlived():
            asking = asyncio.ensure_future(self.once(token))
            hop = self._asked[digest] = _Hop(asking, now, clock.now())
            hop.answer.add_done_callback(lambda _: self._keep(digest, hop))
        return hop

    def _keep(self, digest: bytes, hop: _Hop) -> None:
        """Forget a hop a second after its answer; whoever waits for it has been told."""
        if not hop.answer.cancelled():
            hop.answer.exception()

        def forget() -> None:
            if self._asked.get(digest) is hop:
                del self._asked[digest]

        asyncio.get_running_loop().call_later(HOP_KEPT_SECONDS, forget)

    async def once(self, token: str) -> Resolved:
        """One hop for one call. Raises Unauthenticated and AuthUnavailable."""
        self.count += 1
        try:
            async with asyncio.timeout(HOP_SECONDS):
                return await self._resolve(token)
        except NotProven:
            raise Unauthenticated from None
        except (Refusal, TimeoutError):
            raise AuthUnavailable from None
        except Exception:  # noqa: BLE001 - whatever it is, it proves nothing of the caller
            _log.exception("auth could not be asked")
            raise AuthUnavailable from None
