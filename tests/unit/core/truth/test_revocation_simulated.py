"""The revocation protocol under seeded disorder, on a clock of the test's own.

Auth's database, the stream (which delays, drops and breaks) and a server are played in one
thread. The oracle knows when each session was revoked: no call may be let in later than that plus
the bound of its method. Resumed streams, lost deltas and late checkpoints are all in it.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core import clock
from core.errors import Refusal, Unavailable
from core.ids import new_id
from core.truth import NotProven, Resolved, State, Truth
from core.truth.proof import verify
from medhub.auth.v1 import auth_state_pb2 as wire
from tests.support.tokens import SigningKey, claims_of, membership, role, session_revoked

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = SigningKey("k1", bytes(range(32)))
WARD = new_id()
STEP = 0.05
# What a decision may take besides: a wait for the stream, and a hop.
SLACK = 2 * STEP


class _Time:
    """The simulated time, put in place of the loop's and the wall's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(clock, "_sources", [lambda: START + timedelta(seconds=self.now)])


class _Auth:
    """The database: commits in order, sessions revoked at known times."""

    def __init__(self) -> None:
        self.events: list[list[wire.StateEvent]] = []
        self.revoked: dict[UUID, float] = {}
        self.reachable = True

    @property
    def revision(self) -> int:
        return len(self.events) + 1

    def commit(self, *events: wire.StateEvent) -> None:
        self.events.append(list(events))

    async def resolve(self, token: str) -> Resolved:
        if not self.reachable:
            raise Unavailable
        claims = verify(token, {"k1": KEY.key}, clock.now())
        if claims.session in self.revoked:
            raise NotProven("revoked")
        given = frozenset({"a.b.c"})
        return Resolved(claims.subject, claims.organization, ("doctor",), self.revision, given)


class _Stream:
    """A stream to one server, with a will of its own: messages wait, vanish, come late."""

    def __init__(self, auth: _Auth, state: State, chance: random.Random, now: Callable[[], float]):
        self._auth, self._state, self._chance, self._now = auth, state, chance, now
        self._queue: list[tuple[float, Callable[[], None]]] = []
        self._sent = 0
        self.broken_until = 0.0

    def connect(self, *, whole: bool) -> None:
        self._queue.clear()
        if whole:
            revision = self._auth.revision
            alive = [event for events in self._auth.events for event in events]
            basis = [KEY.event(), role("doctor", ["a.b.c"]), *alive]
            part = wire.Snapshot(revision=revision, events=basis, last=True)
            self._later(lambda: self._state.apply_snapshot(part))
            self._sent = revision
        else:
            self._sent = self._state.revision

    def turn(self) -> None:
        """One step: perhaps break, send what is new, deliver what is due."""
        now = self._now()
        if now < self.broken_until:
            return
        if self._chance.random() < 0.01:
            self.broken_until = now + self._chance.uniform(0, 15)
            self.connect(whole=self._chance.random() < 0.3)
            return
        while self._sent < self._auth.revision:
            self._send(self._sent)
            self._sent += 1
        if self._chance.random() < 0.2:
            revision, asked = self._auth.revision, now
            self._later(lambda: self._state.prove(revision, asked))
        while self._queue and self._queue[0][0] <= now:
            self._queue.pop(0)[1]()

    def _send(self, previous: int) -> None:
        if self._chance.random() < 0.02:
            return
        events = self._auth.events[previous - 1]
        delta = wire.Delta(previous_revision=previous, revision=previous + 1, events=events)

        def arrive() -> None:
            if not self._state.apply_delta(delta):
                self.connect(whole=True)

        self._later(arrive)

    def _later(self, deliver: Callable[[], Any]) -> None:
        """A stream keeps its order, so a late message delays those behind it."""
        earliest = self._queue[-1][0] if self._queue else self._now()
        delay = self._chance.expovariate(5) if self._chance.random() < 0.9 else 4.0
        self._queue.append((max(earliest, self._now() + delay), deliver))


@pytest.mark.parametrize("seed", range(12))
async def test_no_call_is_let_in_later_than_its_revocation_plus_the_bound(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds for writes, ten for reads, whatever the stream does."""
    chance, auth, state = random.Random(seed), _Auth(), State()
    time = _Time(asyncio.get_running_loop(), monkeypatch)
    stream = _Stream(auth, state, chance, lambda: time.now)
    stream.connect(whole=True)
    truth = Truth(state, auth.resolve)
    nurse, late, allowed, refused = new_id(), [], 0, 0
    auth.commit(membership(nurse, WARD, ["doctor"]))
    tokens = _tokens(nurse, 40)

    for _ in range(2400):
        time.now += STEP
        stream.turn()
        if chance.random() < 0.02:
            auth.reachable = not auth.reachable
        if chance.random() < 0.03 and (alive := [s for s in tokens if s not in auth.revoked]):
            session = chance.choice(alive)
            auth.revoked[session] = time.now
            auth.commit(session_revoked(session, timedelta(minutes=10)))
        session, token = chance.choice(list(tokens.items()))
        for bound in (2.0, 10.0, 0.0):
            try:
                await _settled(truth.caller_of(token, bound=bound), time)
            except Refusal:
                refused += 1
                continue
            allowed += 1
            since = time.now - auth.revoked.get(session, time.now)
            if since > bound + SLACK:
                late.append((session, bound, since))

    assert late == []
    assert allowed > 500
    assert refused > 500


def _tokens(nurse: UUID, count: int) -> dict[UUID, str]:
    sessions = [new_id() for _ in range(count)]
    return {
        session: KEY.token(
            claims_of(nurse, WARD, session=session, expires_at=clock.now() + timedelta(minutes=5))
        )
        for session in sessions
    }


async def _settled(call: Any, time: _Time) -> object:
    """Run a call to its end; the time stands still but for what its own timers need."""
    task, turn = asyncio.ensure_future(call), 0
    while not task.done():
        await asyncio.sleep(0)
        turn += 1
        if turn > 20:
            time.now += STEP / 10
    return await task
