"""What is withheld: every cell of fewer than 11 events, and enough beside it that none is found.

Two sums that a cell is part of can be had by asking again: that of its bucket (the same question
without a dimension) and that of its value over the longer bucket (the same question by days
instead of hours, by months instead of days). So in each of those lines what is withheld is nothing
at all or 11 events or more: taking what is shown off the sum tells of no fewer. Where it would, the
smallest cell that is still shown is withheld too, until it holds everywhere.

It does not depend on what else was asked for: a line is always looked at whole.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

MIN_CELL = 11
"""Events. What is published of French hospital stays (PMSI) shows no cell of fewer."""


class Cell(NamedTuple):
    """A place in the table: the number of its bucket, and a value of the dimension."""

    bucket: int
    value: str


def withheld(counts: Mapping[Cell, int], parents: Sequence[datetime]) -> set[Cell]:
    """The cells that must not be shown. `parents` are those of the buckets, by number."""
    lines = _lines(counts, parents)
    hidden = {cell for cell, count in counts.items() if count < MIN_CELL}
    waiting = [line for cell in sorted(hidden) for line in _of(cell, parents)]
    while waiting:
        line = waiting.pop()
        neighbour = _to_hide(lines[line], counts, hidden)
        if neighbour is not None:
            hidden.add(neighbour)
            waiting += [line, *_of(neighbour, parents)]
    return hidden


def _to_hide(line: Sequence[Cell], counts: Mapping[Cell, int], hidden: set[Cell]) -> Cell | None:
    """The smallest shown cell of a line of which too little is withheld; None: it is enough."""
    told = sum(counts[cell] for cell in line if cell in hidden)
    if not 0 < told < MIN_CELL:
        return None
    return min((c for c in line if c not in hidden), key=lambda c: (counts[c], c), default=None)


def _of(cell: Cell, parents: Sequence[datetime]) -> tuple[object, object]:
    """The two lines that a cell is part of: its bucket, and its value over the longer bucket."""
    return cell.bucket, (parents[cell.bucket], cell.value)


def _lines(
    counts: Mapping[Cell, int], parents: Sequence[datetime]
) -> Mapping[object, Sequence[Cell]]:
    lines: dict[object, list[Cell]] = defaultdict(list)
    for cell in sorted(counts):
        for line in _of(cell, parents):
            lines[line].append(cell)
    return lines
