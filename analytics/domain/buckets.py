"""How time is cut: whole buckets of a zone's calendar, as exact moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from analytics.domain.facts import QUARTER
from core.errors import InvalidField
from core.zones import is_zone

EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""No fact is older than medhub; and before, some zones were no whole quarters from UTC."""

LONGEST = timedelta(days=5 * 366)
"""Five years: at most 175,000 quarters of an hour of one series and value, added up in a second."""

MOST_BUCKETS = 1_000
"""In one answer: more than a chart has points."""


class Cut(StrEnum):
    """How long a bucket is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


# The longer bucket that those of a kind make up whole: none of them must be found by taking the
# others off it. Weeks and months cross one another, so a week is part of nothing.
_PARENT = {Cut.HOUR: Cut.DAY, Cut.DAY: Cut.MONTH, Cut.WEEK: Cut.WEEK, Cut.MONTH: Cut.MONTH}
_LONGEST_BUCKET = {
    Cut.HOUR: timedelta(hours=1),
    Cut.DAY: timedelta(hours=25),
    Cut.WEEK: timedelta(days=7, hours=1),
    Cut.MONTH: timedelta(days=31, hours=1),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """From `start` to before `end`. `parent` is the start of the longer one it is part of."""

    start: datetime
    end: datetime
    parent: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """Buckets without a gap that make up whole parents. Those from `first` to `last` were asked
    for, both included; the others are looked at to decide what is withheld.
    """

    buckets: tuple[Bucket, ...]
    first: int
    last: int

    @property
    def bounds(self) -> list[datetime]:
        """Where each begins, and where the last one ends."""
        return [bucket.start for bucket in self.buckets] + [self.buckets[-1].end]


def frame(start: datetime, end: datetime, cut: Cut, zone: str) -> Frame:
    """The buckets that a time touches. Raises InvalidField, naming what is wrong."""
    calendar = _zone(zone)
    _check(start, end, cut)
    parent = _PARENT[cut]
    opens = _floor(start.astimezone(calendar).date(), parent)
    closes = _after(
        _floor((end - timedelta.resolution).astimezone(calendar).date(), parent), parent
    )
    buckets = tuple(_buckets(opens, closes, cut, calendar))
    asked = [at for at, one in enumerate(buckets) if one.end > start and one.start < end]
    if len(asked) > MOST_BUCKETS:
        raise InvalidField(field="bucket", rule="at_most_1000")
    return Frame(buckets, asked[0], asked[-1])


def _check(start: datetime, end: datetime, cut: Cut) -> None:
    if start >= end:
        raise InvalidField(field="end_time", rule="after_start_time")
    if start < EARLIEST:
        raise InvalidField(field="start_time", rule="from_2020")
    if end > LATEST:
        raise InvalidField(field="end_time", rule="until_2100")
    if end - start > LONGEST:
        raise InvalidField(field="end_time", rule="within_five_years")
    # Before it is cut: five years of hours would be work for nothing.
    if end - start > MOST_BUCKETS * _LONGEST_BUCKET[cut]:
        raise InvalidField(field="bucket", rule="at_most_1000")


def _buckets(opens: date, closes: date, cut: Cut, calendar: ZoneInfo) -> Iterator[Bucket]:
    day, parent = opens, _PARENT[cut]
    while day < closes:
        following = _after(day, parent)
        starts = list(_starts(day, following, cut, calendar))
        for start, end in pairwise([*starts, _midnight(following, calendar)]):
            yield Bucket(start, end, starts[0])
        day = following


def _starts(day: date, following: date, cut: Cut, calendar: ZoneInfo) -> Iterator[datetime]:
    """Where the buckets of one parent begin."""
    if cut is Cut.HOUR:
        yield from _hours(_midnight(day, calendar), _midnight(following, calendar), calendar)
    elif cut is Cut.DAY:
        for number in range((following - day).days):
            yield _midnight(day + timedelta(days=number), calendar)
    else:
        yield _midnight(day, calendar)


def _hours(moment: datetime, end: datetime, calendar: ZoneInfo) -> Iterator[datetime]:
    """Where the clock of the zone shows another hour, or the same one for a second time."""
    shown: object = None
    while moment < end:
        local = moment.astimezone(calendar)
        if shown != (local.hour, local.utcoffset()):
            shown = local.hour, local.utcoffset()
            yield moment
        moment += QUARTER


def _midnight(day: date, calendar: ZoneInfo) -> datetime:
    """Where a day begins: at the first of two midnights, or where the clock leaps over it."""
    return datetime.combine(day, time(), tzinfo=calendar).astimezone(UTC)


def _floor(day: date, cut: Cut) -> date:
    if cut is Cut.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if cut is Cut.MONTH else day


def _after(day: date, cut: Cut) -> date:
    if cut is Cut.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if cut is Cut.WEEK else 1)


def _zone(name: str) -> ZoneInfo:
    if not is_zone(name):
        raise InvalidField(field="time_zone", rule="iana_zone")
    return ZoneInfo(name)
