"""Bindings: what is held when, and what a change gives that was not held."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.bindings import Binding, Held, held_from
from core.errors import InvalidField

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = 12  # hours
_BOUND = st.none() | st.integers(-LONG, LONG)


def _at(hour: float | None) -> datetime | None:
    return None if hour is None else NOW + timedelta(hours=hour)


def _whole(start: int | None, end: int | None) -> bool:
    return start is None or end is None or start < end


_PERIOD = st.tuples(st.sampled_from("abc"), _BOUND, _BOUND).filter(lambda p: _whole(p[1], p[2]))
_ASKED = st.lists(_PERIOD, max_size=8)
# Of the present and what is to come: the past gives nothing any more.
_MOMENTS = [NOW + timedelta(minutes=30 * step) for step in range(2 * LONG + 2)]


def _held(asked: list[tuple[str, int | None, int | None]]) -> Held:
    return held_from(
        [Binding(role, _at(start), _at(end)) for role, start, end in asked], NOW, field="bindings"
    )


def _plainly(asked: list[tuple[str, int | None, int | None]], at: datetime) -> set[str]:
    return {
        role
        for role, start, end in asked
        if (start is None or NOW + timedelta(hours=start) <= at)
        and (end is None or at < NOW + timedelta(hours=end))
    }


@given(_ASKED)
def test_what_is_held_is_what_the_periods_say(
    asked: list[tuple[str, int | None, int | None]],
) -> None:
    """From now on, whatever was left out, joined or put in order; and it stays when it is put in
    order again.
    """
    held = _held(asked)

    assert [set(held.at(at)) for at in _MOMENTS] == [_plainly(asked, at) for at in _MOMENTS]
    assert held_from(held.bindings, NOW, field="bindings") == held


@given(_ASKED, _ASKED)
def test_nothing_is_gained_that_is_not_looked_at(
    before: list[tuple[str, int | None, int | None]],
    after: list[tuple[str, int | None, int | None]],
) -> None:
    """What is held at any time and was not before is in what the giver is asked for."""
    old, new = _held(before), _held(after)

    looked_at = Held(timed=tuple(new.beyond(old, NOW)))

    for at in _MOMENTS:
        assert set(new.at(at)) - set(old.at(at)) <= set(looked_at.at(at))


@given(_ASKED, _PERIOD)
def test_who_holds_a_role_throughout_holds_it_at_each_moment(
    asked: list[tuple[str, int | None, int | None]], period: tuple[str, int | None, int | None]
) -> None:
    """Of the period that is given, from now on."""
    held, given_for = _held(asked), Binding(period[0], _at(period[1]), _at(period[2]))

    throughout = set(held.throughout(given_for, NOW))

    for at in _MOMENTS:
        if given_for.holds(at):
            assert throughout <= set(held.at(at))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    """Also one of no length: it would give nothing, which is not what was meant."""
    for end in (NOW, NOW - timedelta(hours=1)):
        with pytest.raises(InvalidField):
            held_from([Binding("a", NOW, end)], NOW, field="bindings")
