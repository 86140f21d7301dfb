"""What is withheld cannot be found by taking what is shown off a sum."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.suppression import MIN_CELL, Cell, withheld

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
_counts = st.integers(1, 40)


def table(rows: dict[str, list[int]]) -> dict[Cell, int]:
    """Counts by value, one for each bucket; 0 is an empty cell."""
    return {
        Cell(bucket, value): count
        for value, counts in rows.items()
        for bucket, count in enumerate(counts)
        if count
    }


def shown(counts: dict[Cell, int], parents: list[datetime]) -> dict[Cell, int]:
    hidden = withheld(counts, parents)
    return {cell: count for cell, count in counts.items() if cell not in hidden}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Cell, int], list[datetime]]:
    """A table of some buckets in one to three longer ones."""
    parents = [
        MONTH + timedelta(days=31 * number)
        for number in range(draw(st.integers(1, 3)))
        for _ in range(draw(st.integers(1, 6)))
    ]
    cells = st.builds(Cell, st.integers(0, len(parents) - 1), st.sampled_from("abcde"))
    return draw(st.dictionaries(cells, _counts, max_size=30)), parents


@given(tables())
def test_no_sum_less_what_is_shown_tells_of_fewer_than_eleven(
    made: tuple[dict[Cell, int], list[datetime]],
) -> None:
    """Of a bucket, and of a value over the longer bucket: the rest is nothing, or 11 or more, or
    the sum itself, which would then be withheld where it is asked for.
    """
    counts, parents = made

    seen = shown(counts, parents)

    assert all(count >= MIN_CELL for count in seen.values())
    rest: dict[object, int] = defaultdict(int)
    told: set[object] = set()
    for cell, count in counts.items():
        for line in (cell.bucket, (parents[cell.bucket], cell.value)):
            if cell in seen:
                told.add(line)
            else:
                rest[line] += count
    assert {line: count for line, count in rest.items() if line in told and count < MIN_CELL} == {}


@given(tables())
def test_a_longer_bucket_is_judged_by_itself(
    made: tuple[dict[Cell, int], list[datetime]],
) -> None:
    """What else was asked for changes nothing, so asking twice finds out nothing."""
    counts, parents = made

    whole = withheld(counts, parents)

    for parent in set(parents):
        part = {cell: count for cell, count in counts.items() if parents[cell.bucket] == parent}
        assert withheld(part, parents) == {cell for cell in whole if cell in part}


@given(tables())
def test_nothing_is_withheld_without_a_cause(
    made: tuple[dict[Cell, int], list[datetime]],
) -> None:
    """Where every cell is of 11 or more, all are shown."""
    counts, parents = made
    large = {cell: count + MIN_CELL for cell, count in counts.items()}

    assert withheld(large, parents) == set()


def test_the_smallest_neighbour_covers_a_small_cell() -> None:
    """Of 3, 20 and 50 in one bucket only the 50 is shown: the sum less 50 tells of 23."""
    counts = table({"a": [3], "b": [20], "c": [50]})

    assert shown(counts, [MONTH]) == {Cell(0, "c"): 50}


def test_small_cells_cover_each_other() -> None:
    """5 and 6 are 11 together, so nothing else is withheld."""
    counts = table({"a": [5], "b": [6], "c": [50]})

    assert shown(counts, [MONTH]) == {Cell(0, "c"): 50}


def test_a_small_day_is_not_found_from_its_month() -> None:
    """The month less the other days would tell it, so another day is withheld too."""
    counts = table({"": [30, 4, 25, 90]})

    assert shown(counts, [MONTH] * 4) == {Cell(0, ""): 30, Cell(3, ""): 90}


def test_a_lone_small_cell_stays_alone() -> None:
    """Its sum is as small and is withheld itself, where it is asked for."""
    assert shown(table({"a": [7]}), [MONTH]) == {}
    assert shown(table({"a": [11]}), [MONTH]) == {Cell(0, "a"): 11}
