"""Roles that are held for a time: at every moment the verdict is that of the plain rule."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import Unavailable
from core.ids import new_id
from core.truth import Resolved, State, Truth
from core.truth.periods import RolePeriod, held, next_boundary
from core.truth.state import Membership
from medhub.auth.v1 import auth_state_pb2 as wire
from medhub.auth.v1.membership_pb2 import RoleBinding
from tests.support.tokens import SigningKey, claims_of, membership, role

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = SigningKey("k1", bytes(range(32)))
WARD, NURSE = new_id(), new_id()
LONG = 20  # seconds; within the life of a token

_SECOND = st.none() | st.integers(min_value=0, max_value=LONG)
_PERIODS = st.lists(st.tuples(st.sampled_from("abc"), _SECOND, _SECOND), max_size=6)
_ALWAYS = st.sets(st.sampled_from("abcd"), max_size=2)
_ASKED = st.lists(
    st.integers(min_value=0, max_value=8 * LONG).map(lambda quarter: quarter / 4),
    min_size=1,
    max_size=30,
)


def _at(second: float | None) -> datetime | None:
    return None if second is None else START + timedelta(seconds=second)


def _plainly(always: set[str], periods: list[tuple[str, Any, Any]], second: float) -> set[str]:
    """The rule itself: from the beginning on, and before the end."""
    return always | {
        name
        for name, start, end in periods
        if (start is None or start <= second) and (end is None or second < end)
    }


def _told(always: set[str], periods: list[tuple[str, Any, Any]]) -> wire.StateEvent:
    event = membership(NURSE, WARD, sorted(always))
    for name, start, end in periods:
        binding = RoleBinding(role=name)
        if start is not None:
            binding.start_time.FromSeconds(int(START.timestamp()) + start)
        if end is not None:
            binding.end_time.FromSeconds(int(START.timestamp()) + end)
        event.membership_changed.bindings.append(binding)
    return event


class _Server:
    """A server that has heard of the nurse, on a clock of the test's own."""

    def __init__(self, resolve: Callable[[str], Any], *events: wire.StateEvent) -> None:
        self.second = 0.0
        self.state = State()
        roles = [role(name, [f"x.y.{name}"]) for name in "abcd"]
        self.state.apply_snapshot(
            wire.Snapshot(revision=1, events=[KEY.event(), *roles, *events], last=True)
        )
        self.truth = Truth(self.state, resolve)

    async def ask(self, token: str, second: float, bound: float = 10.0) -> set[str]:
        self.second = second
        self.state.proven_at = second - 0.5
        caller = await self.truth.caller_of(token, bound=bound)
        assert caller.permissions == {f"x.y.{name}" for name in caller.roles}
        return set(caller.roles)


def _on_the_clock(work: Callable[[Callable[[str], None]], Any]) -> None:
    """Run on a loop whose clock, as the wall's, is the server's `second`."""
    source: list[_Server] = []
    loop = asyncio.new_event_loop()
    loop.time = lambda: source[0].second if source else 0.0  # type: ignore[method-assign]
    before = clock._sources[:]
    clock._sources[:] = [lambda: START + timedelta(seconds=source[0].second if source else 0.0)]
    try:
        loop.run_until_complete(work(source.append))  # type: ignore[arg-type]
    finally:
        clock._sources[:] = before
        loop.close()


async def _never(_token: str) -> Resolved:
    raise Unavailable


@given(_ALWAYS, _PERIODS, _ASKED)
def test_at_any_time_the_verdict_is_that_of_the_plain_rule(
    always: set[str], periods: list[tuple[str, Any, Any]], asked: list[float]
) -> None:
    """From the stream alone: no hop, and no verdict that outlives a beginning or an end."""

    async def calls(begin: Callable[[_Server], None]) -> None:
        server = _Server(_never, _told(always, periods))
        begin(server)
        token = KEY.token(claims_of(NURSE, WARD))

        for second in sorted(asked):
            assert await server.ask(token, second) == _plainly(always, periods, second)
        assert server.truth.hops == 0

    _on_the_clock(calls)  # type: ignore[arg-type]


@given(_ALWAYS, _PERIODS, _ASKED)
def test_what_auth_answers_is_not_kept_past_a_boundary(
    always: set[str], periods: list[tuple[str, Any, Any]], asked: list[float]
) -> None:
    """While the stream lags: answers of auth serve other calls, until one would be another."""

    async def calls(begin: Callable[[_Server], None]) -> None:
        async def resolve(_token: str) -> Resolved:
            now = _plainly(always, periods, server.second)
            return Resolved(
                subject=NURSE,
                organization=WARD,
                roles=tuple(sorted(always)),
                revision=2,
                permissions=frozenset(f"x.y.{name}" for name in now),
                periods=tuple(RolePeriod(n, _at(start), _at(end)) for n, start, end in periods),
            )

        server = _Server(resolve)
        begin(server)
        token = KEY.token(claims_of(NURSE, WARD))
        for second in sorted(asked):
            # The stream is a moment too old, so auth's answer decides.
            assert await server.ask(token, second, bound=0.1) == _plainly(always, periods, second)

    _on_the_clock(calls)  # type: ignore[arg-type]


@given(_ALWAYS, _PERIODS, st.integers(min_value=0, max_value=2 * LONG))
def test_nothing_changes_before_the_next_boundary(
    always: set[str], periods: list[tuple[str, Any, Any]], second: int
) -> None:
    """What holds at a moment holds until the boundary that is named."""
    known = [RolePeriod(name, _at(start), _at(end)) for name, start, end in periods]
    now = START + timedelta(seconds=second)

    boundary = next_boundary(known, now)

    assert boundary is None or boundary > now
    last = boundary - timedelta(microseconds=1) if boundary else now + timedelta(days=9)
    roles = tuple(sorted(always))
    assert set(held(roles, known, now)) == set(held(roles, known, last))


def test_a_binding_that_is_not_known_whole_is_not_passed_over() -> None:
    """A field of a later version may narrow what the rest says, so nothing here decides then."""
    event = _told(set(), [("a", None, None)])
    later = event.membership_changed.bindings[0]
    later.MergeFromString(b"\xa2\x06\x01x")  # field 100, which this version does not know
    state = State()

    state.apply_snapshot(wire.Snapshot(revision=1, events=[KEY.event(), event], last=True))

    assert not state.understood
    assert (NURSE, WARD) not in state.memberships


def test_a_period_without_bounds_holds_always() -> None:
    """And a membership without periods is what it was."""
    assert Membership(("a",), 1, periods=(RolePeriod("b"),)).held(START) == ("a", "b")
    assert Membership(("b", "a"), 1).held(START) == ("b", "a")


async def test_a_read_that_goes_on_without_auth_ends_with_the_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outage prolongs no role, also once the membership has been forgotten here."""
    now = asyncio.get_running_loop().time()
    wall = [START]
    monkeypatch.setattr(clock, "_sources", [lambda: wall[0]])
    server = _Server(_never, _told({"d"}, [("a", None, 15)]))
    server.state.proven_at = now
    token = KEY.token(claims_of(NURSE, WARD))
    before = await server.truth.caller_of(token, bound=10.0)

    server.state.memberships.clear()
    server.state.proven_at = now - 60
    wall[0] = START + timedelta(seconds=20)
    caller = await server.truth.caller_of(token, bound=10.0, continues=True)

    assert (before.roles, caller.roles) == (("a", "d"), ("d",))
    assert caller.permissions == {"x.y.d"}
    assert caller.degraded


def test_the_same_person_elsewhere_holds_nothing() -> None:
    """Periods belong to one organization."""
    state = _Server(_never, _told(set(), [("a", None, None)])).state

    assert state.memberships.keys() == {(NURSE, WARD)}
    assert isinstance(NURSE, UUID)
