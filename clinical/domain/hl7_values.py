"""Field states, dates and times as HL7 v2 senders write them.

Every field that a message can change has three states, which are never merged: ABSENT (the
sender said nothing: no change), ERASE (the sender wrote `""`) and a value. An update that
blanks a name because its field was empty is the classic disaster.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")


class Unvalued(Enum):
    """The two states of a field that holds no value."""

    ABSENT = "absent"
    ERASE = "erase"


ABSENT: Final = Unvalued.ABSENT
ERASE: Final = Unvalued.ERASE

State: TypeAlias = T | Unvalued


def valued(state: State[T]) -> T | None:
    """The value of a field, or None when there is none to be had."""
    return None if isinstance(state, Unvalued) else state


class Precision(Enum):
    """The last part of a date or time that the sender wrote."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"
    FRACTION = "fraction"


_SPANS: Final = {
    Precision.YEAR: timedelta(days=366),
    Precision.MONTH: timedelta(days=31),
    Precision.DAY: timedelta(days=1),
    Precision.HOUR: timedelta(hours=1),
    Precision.MINUTE: timedelta(minutes=1),
    Precision.SECOND: timedelta(seconds=1),
    Precision.FRACTION: timedelta(microseconds=1),
}


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as precise as it was written: no January 1st is ever invented."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def precision(self) -> Precision:
        """YEAR, MONTH or DAY."""
        if self.month is None:
            return Precision.YEAR
        return Precision.MONTH if self.day is None else Precision.DAY

    @property
    def earliest(self) -> date:
        """The first day that the date can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    def __str__(self) -> str:
        """ISO 8601, cut at its precision: 1980, 1980-05 or 1980-05-17."""
        parts = [f"{self.year:04d}"]
        parts += [f"{part:02d}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


@dataclass(frozen=True, slots=True)
class Moment:
    """The earliest instant that a written time can mean, with how precisely it was written.

    `at` keeps the offset of the sender; `offset_stated` is False when the endpoint's zone was
    taken because the sender wrote none.
    """

    at: datetime
    precision: Precision
    offset_stated: bool

    @property
    def at_utc(self) -> datetime:
        """The same instant in UTC, as rows keep it."""
        return self.at.astimezone(UTC)

    def may_be_since(self, instant: datetime) -> bool:
        """Whether the time, as precisely as it is written, can lie at an instant or after it."""
        return self.at + _SPANS[self.precision] > instant


CLOCKS_DIFFER: Final = timedelta(days=1)
"""Allowed for a sender's clock and for a zone that it does not say."""


def is_to_come(instant: datetime | None, *, at: datetime) -> bool:
    """Whether a time lies further ahead than clocks differ."""
    return instant is not None and instant > at + CLOCKS_DIFFER
