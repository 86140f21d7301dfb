"""Scaling: the steps only grow, and who logs in is spread over all people."""

import math
from itertools import pairwise

from benchmarks import scaling
from benchmarks.figures import Found
from benchmarks.scaling import people_of, steps


def test_the_steps_end_with_what_was_asked_for() -> None:
    """A million people and patients in ten thousand organizations, one after the other."""
    taken = steps(1_000_000)

    counts = [(step.organizations, step.users, step.patients) for step in taken]
    assert counts == [
        (0, 50, 0),
        (100, 50, 0),
        (10_000, 50, 0),
        (10_000, 10_000, 0),
        (10_000, 1_000_000, 0),
        (10_000, 1_000_000, 10_000),
        (10_000, 1_000_000, 1_000_000),
    ]


def test_nothing_becomes_less_on_a_small_platform() -> None:
    """Rows are never taken away, so each step holds at least what the one before it held."""
    for largest in (5_000, 20_000, 123_456):
        taken = steps(largest)
        counts = [(step.organizations, step.users, step.patients) for step in taken]
        assert all(
            before <= after
            for earlier, later in pairwise(counts)
            for before, after in zip(earlier, later, strict=True)
        )


def test_those_who_log_in_exist() -> None:
    """Numbers go from 1 to the number of people, evenly and without repetition."""
    few, many = people_of(50), people_of(1_000_000)

    assert few[0] == many[0] == "user1@grown.example"
    assert few[-1] == "user50@grown.example"
    assert many[-1] == "user980001@grown.example"
    assert len(set(many)) == len(many)


def test_a_call_that_failed_at_a_step_is_told_and_has_no_figure_there() -> None:
    """What became of the other calls, and of this one before, still stands in the table."""
    taken, found = steps(20_000), Found()
    for _ in range(2):
        found.add(
            **{
                f"{call.key}_{number}_{part}": 100.0
                for call in scaling._CALLS
                for number, _step in enumerate(taken)
                for part in ("whole", "postgres", "p99")
            }
        )
    found.values["list_6_whole"][1] = math.nan

    section = scaling._section(found, taken)

    told = [line.what for line in section.lines if line.what.startswith("ListPatients: ")]
    assert told == [f"ListPatients: {step.title}" for step in taken[:-1]]
    assert section.notes[0] == (
        "**ListPatients was refused or too slow at the step `and 20,000 patients`.**"
    )
    slowest = [line for line in section.lines if line.what.startswith("Login, p99: ")]
    assert [line.is_met for line in slowest] == [True] * len(taken)
