"""Placing events that arrive: a repeat keeps its place, a new one gets the next.

A relay that dies between our commit and its own confirmation sends the same events again, so
delivery is at least once and the log makes it exactly once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from core.errors import Refusal


class EventConflict(Refusal):
    """Another event stands in the log under this id, or under this source and number."""

    reason = "EVENT_CONFLICT"


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as its relay sent it, and what of its clear part the log is searched by."""

    organization: UUID
    event_id: UUID
    source: str
    source_seq: int
    occurred_at: datetime
    kind: int
    method: str
    subject_ref: UUID | None
    actor_ref: UUID | None
    clear: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """An event that the log has: where, and its clear part."""

    leaf_index: int
    clear: bytes


SameEvent = Callable[[bytes, bytes], bool]
"""Whether the clear part that arrives (second) is a repeat of the one held (first)."""


class Placed(NamedTuple):
    """The place of every arrival in the order they came, and those that are new."""

    indexes: list[int]
    fresh: list[Arrival]


def place(
    arrivals: Iterable[Arrival], held: Mapping[UUID, Held], size: int, same: SameEvent
) -> Placed:
    """Give each arrival its leaf index in a log of `size` leaves. Raises EventConflict.

    Clear parts alone are compared. The sealed part of a repeat differs every time, because
    sealing is random; the one that came first stays, and its digest is in the leaf.
    """
    known = dict(held)
    placed = Placed([], [])
    for arrival in arrivals:
        before = known.get(arrival.event_id)
        if before is None:
            before = Held(size + len(placed.fresh), arrival.clear)
            known[arrival.event_id] = before
            placed.fresh.append(arrival)
        elif not same(before.clear, arrival.clear):
            raise EventConflict
        placed.indexes.append(before.leaf_index)
    return placed
