"""Figures as they are told: medians with their spread, ratios, and whether a target is met."""

# ruff: noqa: RUF001, RUF002 - figures are set as people read them

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.run import WorthlessRun

TIMES = "×"
# A launch is repeated this often at most.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each launch."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> "Series":
        """Measured values in the order of their launches; at least one."""
        if not values:
            raise ValueError("nothing was measured")
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def over(self, other: "Series") -> "Series":
        """Launch by launch, how many times the other it is."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(mine / theirs if theirs else 0.0 for mine, theirs in pairs))

    def plus(self, other: "Series") -> "Series":
        """Launch by launch, both together."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(mine + theirs for mine, theirs in pairs))

    def less(self, other: "Series") -> "Series":
        """Launch by launch, how much more than the other it is."""
        pairs = zip(self.values, other.values, strict=True)
        return Series(tuple(mine - theirs for mine, theirs in pairs))

    def told(self, unit: str) -> str:
        """`196 µs (178–224)`: the median, the smallest and the largest."""
        low, high = min(self.values), max(self.values)
        median = f"{_number(self.median)} {unit}".replace(" ×", "×").strip()
        return f"{median} ({_number(low)}–{_number(high)})"


@dataclass
class Found:
    """Values of all launches, by name."""

    values: dict[str, list[float]] = field(default_factory=dict)
    repeated: int = 0

    def launch(self, work: Callable[[], None]) -> None:
        """Do the work of a launch, which adds its values at its end; again if it was worthless.

        A machine that does other things besides may make a call fail now and then.
        """
        for left in reversed(range(_ATTEMPTS)):
            try:
                work()
                return
            except WorthlessRun as why:
                if not left:
                    raise
                print(f"once more: {why}", file=sys.stderr, flush=True)
                self.repeated += 1

    def notes(self) -> list[str]:
        """What a reader should know of how it went."""
        if not self.repeated:
            return []
        return [f"Launches repeated because a call had failed: {self.repeated}."]

    def add(self, **values: float) -> None:
        """The values of one launch."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> Series:
        return Series.of(self.values[name])


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised of a line's ratio, or of its value where it has none."""

    limit: float
    unit: str
    at_most: bool = True

    def met_by(self, value: float) -> bool:
        """Whether a median keeps the promise."""
        return value <= self.limit if self.at_most else value >= self.limit

    def told(self) -> str:
        """`≤ 1.6×`."""
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {_number(self.limit)} {self.unit}".replace(" ×", "×")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `ratio` compares it with `against`, launch by launch."""

    what: str
    series: Series
    unit: str
    against: str = ""
    ratio: Series | None = None
    target: Target | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        judged = self.ratio if self.target.unit == TIMES and self.ratio else self.series
        return self.target.met_by(judged.median)

    def cells(self) -> tuple[str, ...]:
        """The line as cells of a table."""
        compared = f"{self.ratio.told(TIMES)} {self.against}" if self.ratio else ""
        verdict = {True: "met", False: "**missed**", None: ""}[self.is_met]
        target = self.target.told() if self.target else ""
        return (self.what, self.series.told(self.unit), compared, target, verdict)


@dataclass
class Section:
    """What one scenario found out."""

    title: str
    text: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure. A quick run shows that all works; its figures mean little.

    `largest` is how many people, and how many patients, there are where their number is judged.
    """

    launches: int
    quick: bool
    largest: int = 1_000_000

    def calls(self, full: int, quick: int) -> int:
        """How many calls for one figure."""
        return quick if self.quick else full


def _number(value: float) -> str:
    """Three figures that count, and no more."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"
