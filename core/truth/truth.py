"""From a token to a caller: the verdict that every call asks for.

In the steady state nothing leaves the process: the proof is cached by the token's SHA-256, and
what the stream has told decides the rest. Auth is asked (one hop, shared by all who wait for
the same token) for a principal seen first, for methods that ask each time, and while the stream
lags behind the method's bound.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from core import clock
from core.errors import Refusal
from core.identity import Caller, Grant, Kind
from core.truth.grants import TimedGrant, open_at
from core.truth.hops import HOP_PAUSE_SECONDS, Hops, Resolve, Resolved
from core.truth.periods import next_boundary
from core.truth.proof import (
    FEDERATED,
    FEDERATED_ALONE,
    SKEW,
    Claims,
    Expired,
    NotProven,
    UnknownKey,
    revision_claimed,
    verify,
)
from core.truth.refusals import AuthUnavailable, Unauthenticated
from core.truth.state import Membership, State

# Proofs remembered; each is some hundred bytes, and a token lives five minutes.
MAX_VERDICTS = 50_000
# How long a call waits for the stream to reach a revision that its token or header names.
CATCH_UP_SECONDS = 0.25
# Declared reads go on without auth for at most this long.
CONTINUE_SECONDS = 300.0
# Auth counts as away when it has answered nothing for this long (the bound of reads).
AWAY_SECONDS = 10.0


@dataclass(slots=True)
class _Verdict:
    claims: Claims
    expires: float
    caller: Caller | None = None
    version: int = -1
    # Until when the caller is as kept, by the clock alone: no later than `expires`.
    until: float = float("-inf")
    membership: Membership | None = None


class Truth:
    """Proves callers. One for each server; `state` is kept current by whoever follows auth."""

    def __init__(self, state: State, resolve: Resolve, service: str = "") -> None:
        """`resolve` asks auth; it raises NotProven for a dead token, anything else if it fails.

        `service` is the server's name: tokens on behalf of somebody are made for one server.
        """
        self.state = state
        self._service = service
        self._hops = Hops(resolve)
        self._verdicts: OrderedDict[bytes, _Verdict] = OrderedDict()
        self._moved = asyncio.Event()
        state.changed.append(self._on_change)

    @property
    def hops(self) -> int:
        """How often auth was asked so far."""
        return self._hops.count

    async def caller_of(
        self, token: str, *, bound: float, continues: bool = False, min_revision: int = 0
    ) -> Caller:
        """Who the token stands for, with what they may do in its organization.

        `bound` is how old the truth may be, in seconds; 0 asks auth. Raises Unauthenticated, or
        AuthUnavailable when that cannot be decided.
        """
        digest = hashlib.sha256(token.encode("ascii", "replace")).digest()
        verdict = self._verdicts.get(digest) or await self._first_proof(token, digest)
        state, now = self.state, asyncio.get_running_loop().time()
        fresh = 0.0 < now - state.proven_at <= bound
        known = verdict.claims.revision <= state.revision and min_revision <= state.revision
        if fresh and known and verdict.version == state.version and now < verdict.until:
            return verdict.caller  # type: ignore[return-value]  # set together with version
        return await self._decide(token, digest, verdict, bound, continues, min_revision)

    def claims_of(self, token: str) -> Claims:
        """The claims of a token that `caller_of` has just accepted."""
        digest = hashlib.sha256(token.encode("ascii", "replace")).digest()
        try:
            return (self._verdicts.get(digest) or self._prove(token, digest)).claims
        except UnknownKey:
            raise self.out_of_time() from None

    async def _first_proof(self, token: str, digest: bytes) -> _Verdict:
        """The proof of a token that is seen first.

        A key is published before it signs. So a token that says it is from later than what has
        been heard here may be signed by a key that is on its way: it is waited for. A token can say
        anything, hence auth is not asked about it.
        """
        try:
            return self._prove(token, digest)
        except UnknownKey:
            if not await self._catch_up(revision_claimed(token)):
                raise AuthUnavailable from None
        try:
            return self._prove(token, digest)
        except UnknownKey:
            raise self.out_of_time() from None

    def _prove(self, token: str, digest: bytes) -> _Verdict:
        """Raises UnknownKey, beside the refusals."""
        loop = asyncio.get_running_loop()
        try:
            claims = verify(token, self.state.keys, clock.now())
        except UnknownKey:
            raise
        except Expired:
            raise self.out_of_time() from None
        except NotProven:
            raise Unauthenticated from None
        if claims.audience and claims.audience != self._service:
            raise Unauthenticated
        verdict = _Verdict(claims, expires=loop.time() + self._left(claims))
        self._verdicts[digest] = verdict
        if len(self._verdicts) > MAX_VERDICTS:
            self._verdicts.popitem(last=False)
        return verdict

    def out_of_time(self) -> Refusal:
        """Why a token that ran out, or whose key nobody told us of, is refused.

        While auth is away nobody can renew a token and no key can be heard of, so that is told
        as the outage; otherwise the caller has to log in again.
        """
        silence = asyncio.get_running_loop().time() - self.state.heard_at
        return AuthUnavailable() if silence > AWAY_SECONDS else Unauthenticated()

    def _left(self, claims: Claims) -> float:
        """Seconds until the token or its key runs out, with the skew."""
        key = self.state.keys.get(claims.kid)
        ends = claims.expires_at
        if key is not None and key.not_after is not None:
            ends = min(ends, key.not_after)
        return (ends - clock.now() + SKEW).total_seconds()

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
        if asyncio.get_running_loop().time() > verdict.expires:
            self._verdicts.pop(digest, None)
            raise self.out_of_time()
        if bound <= 0:
            return self._judged(verdict, await self._hops.once(token))
        wanted = max(verdict.claims.revision, min_revision)
        reached = await self._catch_up(wanted)
        if reached and self._lag() <= bound:
            return await self._from_stream(token, digest, verdict, bound)
        try:
            told = await self._hops.ask(token, digest, wanted, bound, HOP_PAUSE_SECONDS)
        except AuthUnavailable:
            return self._continued(verdict, continues and reached)
        if told.revision < wanted:
            raise AuthUnavailable
        return self._judged(verdict, told)

    def _judged(self, verdict: _Verdict, told: Resolved) -> Caller:
        """The caller that auth speaks of; where the stream has told as much or more, it decides."""
        claims, state, now = verdict.claims, self.state, clock.now()
        if told.subject != claims.subject or told.organization != claims.organization:
            raise Unauthenticated
        subject, actor = self._memberships(claims)
        subject = _newer(subject, told.membership)
        actor = _newer(actor, told.actor_membership)
        answered = _grants(claims, told.grants)[0]
        if state.revision < told.revision:
            return _caller(claims, told.membership.held(now), told.permissions, answered)
        if state.dead(claims) or subject.ended or actor.ended:
            raise Unauthenticated
        if not state.understood:
            return _caller(claims, told.membership.held(now), told.permissions, answered)
        roles = subject.held(now)
        given = _given(state, claims, roles, actor)
        return _caller(claims, roles, given, _streamed(state, claims)[0])

    async def _from_stream(
        self, token: str, digest: bytes, verdict: _Verdict, bound: float
    ) -> Caller:
        state, claims = self.state, verdict.claims
        if state.dead(claims):
            raise Unauthenticated
        subject, actor = self._memberships(claims)
        if subject is None or (actor is None and claims.actor is not None):
            subject, actor, told = await self._first_sight(token, digest, claims, bound)
            if self._lag() > bound:
                # The question took so long that the stream is too old by now; its answer is not.
                return self._judged(verdict, told)
        if subject.ended or (actor is not None and actor.ended) or state.dead(claims):
            raise Unauthenticated
        # The loop's clock is read first: a pause in between makes the verdict end early, not late.
        now = asyncio.get_running_loop().time()
        grants, unchanged = _streamed(state, claims)
        roles, held_for = _roles(subject)
        given = _given(state, claims, roles, actor)
        verdict.caller = _caller(claims, roles, given, grants)
        verdict.version, verdict.membership = state.version, subject
        verdict.expires = now + self._left(claims)
        verdict.until = min(verdict.expires, now + unchanged, now + held_for)
        return verdict.caller

    def _memberships(self, claims: Claims) -> tuple[Membership | None, Membership | None]:
        """What is known of the subject's roles and, where one acts for them, of the actor's."""
        known = self.state.memberships
        actor = None if claims.actor is None else known.get((claims.actor, None))
        return known.get((claims.subject, claims.organization)), actor

    async def _first_sight(
        self, token: str, digest: bytes, claims: Claims, bound: float
    ) -> tuple[Membership, Membership | None, Resolved]:
        """Ask for memberships once, and for the answer; from then on the stream keeps them true.

        An answer that is older than what was forgotten since may miss a change that no delta will
        bring again: learned, it would stay wrong. It is asked for anew.
        """
        found = await self._hops.ask(token, digest, self.state.forgotten_at, bound)
        if found.revision < self.state.forgotten_at:
            # A snapshot came while auth was asked.
            found = await self._hops.ask(token, digest, self.state.forgotten_at, bound)
        if found.revision < self.state.forgotten_at:
            raise AuthUnavailable
        if found.subject != claims.subject or found.organization != claims.organization:
            raise Unauthenticated
        known = self.state.learn(claims.subject, claims.organization, found.membership)
        if claims.actor is None:
            return known, None, found
        return known, self.state.learn(claims.actor, None, found.actor_membership), found

    def _continued(self, verdict: _Verdict, continues: bool) -> Caller:
        """A declared read goes on for a principal proven before the outage; all else does not."""
        claims, before = verdict.claims, verdict.caller
        # Without auth no server gets a token on behalf of somebody, so none goes on with one.
        if not continues or self._lag() > CONTINUE_SECONDS or before is None or before.actor:
            raise AuthUnavailable
        known = self._memberships(claims)[0] or verdict.membership
        if self.state.dead(claims) or known is None or known.ended:
            raise Unauthenticated
        # Without auth, too, a role begins and ends at its time.
        roles = known.held(clock.now())
        given = self.state.permissions(claims.organization, roles)
        return _caller(claims, roles, given, _streamed(self.state, claims)[0], degraded=True)

    async def _catch_up(self, revision: int) -> bool:
        """Wait a moment for the stream to reach a revision; False when it does not."""
        if revision <= self.state.revision:
            return True
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


def _newer(known: Membership | None, told: Membership) -> Membership:
    """What the stream has told of a membership if that is newer than auth's answer, or that."""
    return known if known is not None and known.revision > told.revision else told


def _roles(subject: Membership) -> tuple[tuple[str, ...], float]:
    """The roles that are held now, and for how many seconds that stays so."""
    now = clock.now()
    boundary = next_boundary(subject.periods, now)
    left = float("inf") if boundary is None else (boundary - now).total_seconds()
    return subject.held(now), left


def _given(
    state: State, claims: Claims, roles: tuple[str, ...], actor: Membership | None
) -> frozenset[str]:
    """What the subject's roles give; where somebody acts for them, only what both may do."""
    given = state.permissions(claims.organization, roles)
    if claims.actor is None:
        return given
    return given & state.permissions(None, actor.roles if actor is not None else ())


def _streamed(state: State, claims: Claims) -> tuple[tuple[Grant, ...], float]:
    """As `_grants`, of what the stream has told."""
    return _grants(claims, state.grants.of(claims.subject, claims.organization))


def _grants(claims: Claims, known: Iterable[TimedGrant]) -> tuple[tuple[Grant, ...], float]:
    """The subject's grants that are open now, and for how many seconds that stays so.

    Whoever acts for somebody sees whom they were given to see, as a care link of theirs would
    show. Breaking the glass is an act of the person: what they took, nobody takes for them.
    """
    grants, left = open_at(known, clock.now())
    if claims.actor is not None:
        grants = tuple(grant for grant in grants if not grant.break_glass)
    return grants, float("inf") if left is None else left.total_seconds()


def _caller(
    claims: Claims,
    roles: tuple[str, ...],
    permissions: frozenset[str],
    grants: tuple[Grant, ...],
    *,
    degraded: bool = False,
) -> Caller:
    return Caller(
        kind=Kind(claims.kind),
        subject=claims.subject,
        organization=claims.organization,
        session=claims.session,
        assurance=claims.assurance,
        authenticated_at=claims.authenticated_at,
        revision=claims.revision,
        roles=roles,
        permissions=permissions,
        actor=claims.actor,
        service=claims.service,
        confirmation=claims.confirmation,
        degraded=degraded,
        federated=FEDERATED in claims.methods and FEDERATED_ALONE not in claims.methods,
        grants=grants,
    )
