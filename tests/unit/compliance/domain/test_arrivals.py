"""Placing events that arrive."""

from dataclasses import replace
from datetime import UTC, datetime
from operator import eq
from uuid import UUID

import pytest

from compliance.domain.arrivals import Arrival, EventConflict, Held, place

ONE = Arrival(
    organization=UUID(int=9),
    event_id=UUID(int=1),
    source="clinical",
    source_seq=1,
    occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
    kind=1,
    method="m",
    subject_ref=None,
    actor_ref=None,
    clear=b"one",
    sealed=b"sealed",
)
TWO = replace(ONE, event_id=UUID(int=2), clear=b"two")


def test_new_events_follow_the_last_leaf() -> None:
    """They take the next indexes, in the order they came."""
    assert place([ONE, TWO], {}, 5, eq) == ([5, 6], [ONE, TWO])


def test_a_repeat_gets_the_place_it_has() -> None:
    """Whether it is in the log or earlier in the batch; other sealed bytes make no difference."""
    again = replace(ONE, sealed=b"sealed anew")

    assert place([ONE, TWO], {ONE.event_id: Held(3, b"one")}, 5, eq) == ([3, 5], [TWO])
    assert place([ONE, again], {}, 5, eq) == ([5, 5], [ONE])


def test_another_event_under_the_id_is_refused() -> None:
    """In the log or in the batch."""
    other = replace(ONE, clear=b"other")

    with pytest.raises(EventConflict):
        place([other], {ONE.event_id: Held(3, b"one")}, 5, eq)
    with pytest.raises(EventConflict):
        place([ONE, other], {}, 5, eq)
