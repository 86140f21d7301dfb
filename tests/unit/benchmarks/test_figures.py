"""Figures: medians with their spread, ratios launch by launch, targets met and missed."""

# ruff: noqa: RUF001 - figures are set as people read them

from benchmarks.figures import TIMES, Line, Series, Target


def test_a_ratio_is_formed_launch_by_launch() -> None:
    """A slow round is slow for both sides, so each launch is compared with its own neighbour."""
    mine, theirs = Series.of([300.0, 900.0, 330.0]), Series.of([200.0, 600.0, 200.0])

    ratio = mine.over(theirs)

    assert ratio.values == (1.5, 1.5, 1.65)
    assert ratio.told(TIMES) == "1.50× (1.50–1.65)"


def test_a_target_of_a_ratio_is_judged_by_the_ratio() -> None:
    """The line's own figure has another unit."""
    echo, call = Series.of([100.0]), Series.of([170.0])
    target = Target(1.6, TIMES)

    line = Line("a call", call, "µs", "the echo", call.over(echo), target)

    assert line.cells() == ("a call", "170 µs (170–170)", "1.70× (1.70–1.70) the echo",
                            "≤ 1.60×", "**missed**")  # fmt: skip


def test_a_target_of_a_value_is_judged_by_the_median() -> None:
    """One launch past the target does not decide."""
    line = Line("messages", Series.of([1400.0, 1600.0, 1700.0]), "/s",
                target=Target(1500, "/s", at_most=False))  # fmt: skip

    assert line.is_met


def test_what_has_no_target_is_not_judged() -> None:
    """A figure alone is neither met nor missed."""
    assert Line("calls", Series.of([1.0]), "/s").is_met is None
