"""Gaps in what sources sent."""

from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.completeness import Gap, gaps


def test_nothing_is_missing_from_a_whole_sequence() -> None:
    """Order and repeats make no difference."""
    assert gaps([("clinical", 2), ("auth", 1), ("clinical", 1), ("clinical", 2)]) == []
    assert gaps([]) == []


def test_missing_numbers_are_named_by_source() -> None:
    """Gaps at the start, in the middle and, where the source says how far it is, at the end."""
    numbered = [("clinical", 3), ("clinical", 7), ("clinical", 4), ("auth", 1)]

    assert gaps(numbered, {"auth": 3, "billing": 2, "clinical": 7}) == [
        Gap("auth", 2, 3),
        Gap("billing", 1, 2),
        Gap("clinical", 1, 2),
        Gap("clinical", 5, 6),
    ]


def test_a_huge_number_is_one_gap() -> None:
    """A forged number costs no memory."""
    assert gaps([("clinical", 2**62)]) == [Gap("clinical", 1, 2**62 - 1)]


@given(st.sets(st.integers(-3, 60)), st.integers(0, 70))
def test_gaps_are_exactly_what_is_missing(numbers: set[int], last: int) -> None:
    """The gaps hold every number up to the last known one that is absent, and no other."""
    found = gaps([("clinical", number) for number in numbers], {"clinical": last})

    missing = set(range(1, max({last} | numbers) + 1)) - numbers
    assert {n for gap in found for n in range(gap.first, gap.last + 1)} == missing
