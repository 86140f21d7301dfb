"""From a token to a caller: the verdict that every call asks for.

In the steady state nothing leaves the process: the proof is cached by the token's SHA-256, and
what the stream has told decides the rest. Auth is asked (one hop, shared by all who wait for
the same token) for a principal seen first, for methods that ask each time, and while the stream
lags behind the method's bound.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from core import clock
from core.errors import Refusal, Unavailable
from core.identity import Caller, Kind
from core.truth.proof import SKEW, Claims, Expired, NotProven, verify
from core.truth.state import Membership, State

# Proofs remembered; each is some hundred bytes, and a token lives five minutes.
MAX_VERDICTS = 50_000
# A hop to auth may take this long; then the call is refused (or continued, if declared).
HOP_SECONDS = 2.0
# The answer of a hop serves other calls with the token for this long.
HOP_KEPT_SECONDS = 1.0
# How long a call waits for the stream to reach a revision that its token or header names.
CATCH_UP_SECONDS = 0.25
# Declared reads go on without auth for at most this long.
CONTINUE_SECONDS = 300.0
# Auth counts as away when nothing has been proven for this long (the bound of reads).
AWAY_SECONDS = 10.0
# What a caller may do about an outage of auth: try again after this many seconds.
RETRY_SECONDS = 1.0


class Unauthenticated(Refusal):
    """No credential, or one that proves nothing."""

    reason = "UNAUTHENTICATED"


class AuthUnavailable(Refusal):
    """Auth cannot be asked, and what is known is too old. Not a log-out."""

    reason = "AUTH_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(retry_after=RETRY_SECONDS)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What auth answers about a token: whom it stands for, now."""

    subject: UUID
    organization: UUID | None
    roles: tuple[str, ...]
    revision: int


@dataclass(slots=True)
class _Verdict:
    claims: Claims
    expires: float
    caller: Caller | None = None
    version: int = -1
    asked_at: float = float("-inf")


Resolve: TypeAlias = Callable[[str], Awaitable[Resolved]]


class Truth:
    """Proves callers. One for each server; `state` is kept current by whoever follows auth."""

    def __init__(self, state: State, resolve: Resolve) -> None:
        """`resolve` asks auth; it raises NotProven for a dead token, anything else if it fails."""
        self.state = state
        self.hops = 0
        self._resolve = resolve
        self._verdicts: OrderedDict[bytes, _Verdict] = OrderedDict()
        self._asking: dict[bytes, asyncio.Future[Resolved]] = {}
        self._moved = asyncio.Event()
        state.changed.append(self._on_change)

    async def caller_of(
        self, token: str, *, bound: float, continues: bool = False, min_revision: int = 0
    ) -> Caller:
        """Who the token stands for, with what they may do in its organization.

        `bound` is how old the truth may be, in seconds; 0 asks auth. Raises Unauthenticated, or
        AuthUnavailable when that cannot be decided.
        """
        digest = hashlib.sha256(token.encode("ascii", "replace")).digest()
        verdict = self._verdicts.get(digest) or self._prove(token, digest)
        state, now = self.state, asyncio.get_running_loop().time()
        fresh = 0.0 < now - state.proven_at <= bound
        known = verdict.claims.revision <= state.revision and min_revision <= state.revision
        if fresh and known and verdict.version == state.version and _unexpired(verdict, now):
            return verdict.caller  # type: ignore[return-value]  # set together with version
        return await self._decide(token, digest, verdict, bound, continues, min_revision)

    def still_holds(self, claims: Claims) -> bool:
        """Whether a live stream of these claims may go on."""
        membership = self.state.memberships.get((claims.subject, claims.organization))
        ended = membership is not None and membership.ended
        return not ended and not self.state.dead(claims)

    def claims_of(self, token: str) -> Claims:
        """The claims of a token that `caller_of` has just accepted."""
        digest = hashlib.sha256(token.encode("ascii", "replace")).digest()
        return (self._verdicts.get(digest) or self._prove(token, digest)).claims

    def _prove(self, token: str, digest: bytes) -> _Verdict:
        loop = asyncio.get_running_loop()
        try:
            claims = verify(token, self.state.keys, clock.now())
        except Expired:
            raise self._expired() from None
        except NotProven:
            raise self._not_proven() from None
        left = (claims.expires_at + SKEW - clock.now()).total_seconds()
        verdict = _Verdict(claims, expires=loop.time() + left)
        self._verdicts[digest] = verdict
        if len(self._verdicts) > MAX_VERDICTS:
            self._verdicts.popitem(last=False)
        return verdict

    def _expired(self) -> Refusal:
        """While auth is away nobody can renew a token, so its end is told as the outage."""
        return AuthUnavailable() if self._lag() > AWAY_SECONDS else Unauthenticated()

    def _not_proven(self) -> Refusal:
        """Without a first snapshot there are no keys to prove anything with."""
        return Unauthenticated() if self.state.keys else AuthUnavailable()

    def _lag(self) -> float:
        return asyncio.get_running_loop().time() - self.state.proven_at

    async def _decide(
        self,
        token: str,
        digest: bytes,
        verdict: _Verdict,
        bound: float,
        continues: bool,
        min_revision: int,
    ) -> Caller:
        claims = verdict.claims
        if not _unexpired(verdict, asyncio.get_running_loop().time()):
            self._verdicts.pop(digest, None)
            raise self._expired()
        if bound > 0 and self._lag() <= bound:
            wanted = max(claims.revision, min_revision)
            if wanted <= self.state.revision or await self._catch_up(wanted):
                return await self._from_stream(token, digest, verdict)
        try:
            resolved = await self._ask(token, digest)
        except AuthUnavailable:
            return self._continued(verdict, continues and bound > 0)
        if resolved.subject != claims.subject or resolved.organization != claims.organization:
            raise Unauthenticated
        return _caller(claims, resolved.roles, self.state, degraded=False)

    async def _from_stream(self, token: str, digest: bytes, verdict: _Verdict) -> Caller:
        state, claims = self.state, verdict.claims
        if state.dead(claims):
            raise Unauthenticated
        membership = state.memberships.get((claims.subject, claims.organization))
        if membership is None:
            found = await self._ask(token, digest)
            known = Membership(roles=found.roles, revision=found.revision)
            membership = state.learn(claims.subject, claims.organization, known)
        if membership.ended or state.dead(claims):
            raise Unauthenticated
        verdict.caller = _caller(claims, membership.roles, state, degraded=False)
        verdict.version = state.version
        return verdict.caller

    def _continued(self, verdict: _Verdict, continues: bool) -> Caller:
        """A declared read goes on for a principal proven before the outage; all else does not."""
        if not continues or self._lag() > CONTINUE_SECONDS or verdict.caller is None:
            raise AuthUnavailable
        if not self.still_holds(verdict.claims):
            raise Unauthenticated
        return _caller(verdict.claims, verdict.caller.roles, self.state, degraded=True)

    async def _ask(self, token: str, digest: bytes) -> Resolved:
        """One hop for all who ask about the token at once; its answer is kept for a second.

        A waiter whose own call is cancelled leaves the shared hop running for the others.
        """
        asking = self._asking.get(digest)
        if asking is None:
            asking = asyncio.ensure_future(self._hop(token))
            self._asking[digest] = asking
            asking.add_done_callback(lambda done: self._keep(digest, done))
        return await asyncio.shield(asking)

    def _keep(self, digest: bytes, done: asyncio.Future[Resolved]) -> None:
        failed = done.cancelled() or done.exception() is not None
        delay = 0.0 if failed else HOP_KEPT_SECONDS
        asyncio.get_running_loop().call_later(delay, self._asking.pop, digest, None)

    async def _hop(self, token: str) -> Resolved:
        self.hops += 1
        try:
            async with asyncio.timeout(HOP_SECONDS):
                return await self._resolve(token)
        except NotProven:
            raise Unauthenticated from None
        except (TimeoutError, Unavailable):
            raise AuthUnavailable from None

    async def _catch_up(self, revision: int) -> bool:
        """Wait a moment for the stream to reach a revision; False when it does not."""
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while self.state.revision < revision:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _on_change(self) -> None:
        self._moved.set()


def _unexpired(verdict: _Verdict, now: float) -> bool:
    """Whether the token's own time has not run out, on the loop's clock."""
    return now <= verdict.expires


def _caller(claims: Claims, roles: tuple[str, ...], state: State, *, degraded: bool) -> Caller:
    return Caller(
        kind=Kind(claims.kind),
        subject=claims.subject,
        organization=claims.organization,
        session=claims.session,
        assurance=claims.assurance,
        authenticated_at=claims.authenticated_at,
        revision=claims.revision,
        roles=roles,
        permissions=state.permissions(claims.organization, roles),
        actor=claims.actor,
        degraded=degraded,
    )
