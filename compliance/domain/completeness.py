"""Completeness: every source numbers what it sends without gaps, so what is missing shows.

A perfect tree can lack events that never arrived; only the numbers inside the leaves tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

FIRST_NUMBER = 1
"""The number of a source's first event in a log."""


class Gap(NamedTuple):
    """The numbers `first` to `last`, both included, of which no event is in the log."""

    source: str
    first: int
    last: int


def gaps(
    numbered: Iterable[tuple[str, int]], through: Mapping[str, int] | None = None
) -> list[Gap]:
    """What is missing among (source, source_seq) pairs, by source and number.

    The pairs may come in any order and more than once. That a source's latest events are missing
    can only be seen with `through`: the number that each source knows to have used last.
    """
    seen: dict[str, set[int]] = defaultdict(set)
    for source, number in numbered:
        seen[source].add(number)
    lasts = through or {}
    return [
        gap
        for source in sorted(seen.keys() | lasts.keys())
        for gap in _gaps_of(source, seen[source], lasts.get(source, 0))
    ]


def _gaps_of(source: str, numbers: set[int], last: int) -> Iterable[Gap]:
    expected = FIRST_NUMBER
    for number in sorted(numbers):
        if number > expected:
            yield Gap(source, expected, number - 1)
        expected = max(expected, number + 1)
    if last >= expected:
        yield Gap(source, expected, last)
