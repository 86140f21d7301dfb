"""Answers: each bucket that was asked for, with the cells that may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from analytics.domain.buckets import Frame
from analytics.domain.facts import Total
from analytics.domain.suppression import Cell, withheld
from core.errors import Refusal

MOST_CELLS = 10_000
"""In one answer: some 300 KB, where clients take 4 MB."""


class TooManyCells(Refusal):
    """The answer would be too long."""

    reason = "TOO_MANY_CELLS"


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A figure of 11 events or more."""

    value: str
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ShownBucket:
    """One bucket, and whether something of it is not shown."""

    start: datetime
    end: datetime
    cells: tuple[ShownCell, ...]
    withheld: bool


def answer(frame: Frame, figures: Mapping[Cell, Total]) -> list[ShownBucket]:
    """What of these figures is shown. Raises TooManyCells."""
    if len(figures) > MOST_CELLS:
        raise TooManyCells
    counts = {cell: total.count for cell, total in figures.items()}
    hidden = withheld(counts, [bucket.parent for bucket in frame.buckets])
    cells: dict[int, list[ShownCell]] = {}
    for cell, total in sorted(figures.items()):
        if cell not in hidden:
            shown = ShownCell(cell.value, total.count, total.amount)
            cells.setdefault(cell.bucket, []).append(shown)
    partly = {cell.bucket for cell in hidden}
    return [
        ShownBucket(one.start, one.end, tuple(cells.get(at, ())), at in partly)
        for at, one in enumerate(frame.buckets)
        if frame.first <= at <= frame.last
    ]
