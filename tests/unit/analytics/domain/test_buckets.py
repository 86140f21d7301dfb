"""How time is cut, against a slow oracle that asks the clock of the zone at every quarter."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.buckets import EARLIEST, LATEST, LONGEST, MOST_BUCKETS, Cut, Frame, frame
from analytics.domain.facts import QUARTER, quarter_of
from core.errors import InvalidField

PARIS = "Europe/Paris"
ZONES = sorted(available_timezones() - {"localtime", "Factory"})  # which are refused
# Half an hour of summer time, midnight leapt over, midnight twice, a quarter of an hour apart.
ODD = ["Australia/Lord_Howe", "Atlantic/Azores", "Africa/Cairo", "Asia/Kathmandu", "America/Havana"]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def asked(made: Frame) -> list[tuple[datetime, datetime]]:
    return [(one.start, one.end) for one in made.buckets[made.first : made.last + 1]]


def shown(moment: datetime, cut: Cut, zone: ZoneInfo) -> tuple[object, ...]:
    """What a calendar and a clock on the wall say, as far as it matters."""
    local = moment.astimezone(zone)
    day = local.date()
    match cut:
        case Cut.HOUR:
            return (day, local.hour, local.utcoffset())
        case Cut.DAY:
            return (day,)
        case Cut.WEEK:
            return day.isocalendar()[:2]
        case Cut.MONTH:
            return (day.year, day.month)


moments = st.datetimes(datetime(2020, 1, 2), datetime(2099, 11, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@given(
    start=moments,
    hours=st.integers(1, 24 * 70),
    cut=st.sampled_from(Cut),
    zone=st.sampled_from(ZONES) | st.sampled_from(ODD),
)
def test_a_moment_is_in_the_bucket_that_the_wall_shows(
    start: datetime, hours: int, cut: Cut, zone: str
) -> None:
    """Quarters between two moments are of one bucket if, and only if, the wall says the same."""
    end = min(start + timedelta(hours=hours), start + 900 * timedelta(hours=1))

    made = frame(start, end, cut, zone)

    bounds, moment, number = made.bounds, made.bounds[0], 0
    before = None
    while moment < bounds[-1]:
        if moment == bounds[number + 1]:
            number += 1
        says = (number, shown(moment, cut, ZoneInfo(zone)))
        if before is not None:
            assert (says[0] == before[0]) == (says[1] == before[1]), moment
        before, moment = says, moment + QUARTER
    assert number == len(made.buckets) - 1
    assert asked(made)[0][0] <= start < asked(made)[0][1]
    assert asked(made)[-1][0] < end <= asked(made)[-1][1]


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)]
)
def test_a_day_has_the_hours_that_it_has(day: tuple[int, int, int], hours: int) -> None:
    """Summer time takes one hour and gives it back."""
    noon = at(*day, 12)

    day_made = frame(noon, noon + QUARTER, Cut.DAY, PARIS)
    hours_made = frame(*asked(day_made)[0], Cut.HOUR, PARIS)

    ((start, end),) = asked(day_made)
    assert end - start == timedelta(hours=hours)
    assert len(asked(hours_made)) == hours


def test_what_was_asked_for_is_widened_to_whole_buckets() -> None:
    """A week begins on Monday, a month on its first, in the zone asked for."""
    start, end = at(2026, 11, 5, 12), at(2026, 11, 5, 13)

    assert asked(frame(start, end, Cut.WEEK, PARIS)) == [(at(2026, 11, 1, 23), at(2026, 11, 8, 23))]
    assert asked(frame(start, end, Cut.MONTH, PARIS)) == [
        (at(2026, 10, 31, 23), at(2026, 11, 30, 23))
    ]
    assert asked(frame(start, end, Cut.HOUR, PARIS)) == [(start, end)]


def test_parents_are_whole_whatever_part_was_asked_for() -> None:
    """What is withheld does not depend on how much of a day or a month was asked for."""
    hour = frame(at(2026, 11, 5, 12), at(2026, 11, 5, 13), Cut.HOUR, PARIS)
    day = frame(at(2026, 11, 5, 12), at(2026, 11, 5, 13), Cut.DAY, PARIS)

    assert len(hour.buckets) == 24
    assert {one.parent for one in hour.buckets} == {at(2026, 11, 4, 23)}
    assert len(day.buckets) == 30
    assert {one.parent for one in day.buckets} == {at(2026, 10, 31, 23)}


@pytest.mark.parametrize(
    ("start", "end", "cut", "zone", "field"),
    [
        (at(2026, 2, 1), at(2026, 1, 1), Cut.DAY, PARIS, "end_time"),
        (at(2026, 1, 1), at(2026, 1, 1), Cut.DAY, PARIS, "end_time"),
        (at(2019, 12, 31), at(2020, 1, 2), Cut.DAY, PARIS, "start_time"),
        (at(2099, 12, 1), LATEST + QUARTER, Cut.DAY, PARIS, "end_time"),
        (at(1950, 1, 1), at(2050, 1, 1), Cut.HOUR, PARIS, "start_time"),
        (EARLIEST, EARLIEST + LONGEST + QUARTER, Cut.MONTH, PARIS, "end_time"),
        (EARLIEST, EARLIEST + LONGEST, Cut.HOUR, PARIS, "bucket"),
        (EARLIEST, EARLIEST + LONGEST, Cut.DAY, PARIS, "bucket"),
        (at(2026, 1, 1), at(2026, 2, 1), Cut.DAY, "Mars/Olympus", "time_zone"),
        (at(2026, 1, 1), at(2026, 2, 1), Cut.DAY, "../etc/passwd", "time_zone"),
        (at(2026, 1, 1), at(2026, 2, 1), Cut.DAY, "localtime", "time_zone"),
        (at(2026, 1, 1), at(2026, 2, 1), Cut.DAY, "right/Europe/Paris", "time_zone"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_its_field(
    start: datetime, end: datetime, cut: Cut, zone: str, field: str
) -> None:
    """Reversed, endless, too fine, of no zone: INVALID_FIELD names what to change."""
    with pytest.raises(InvalidField) as refused:
        frame(start, end, cut, zone)

    assert refused.value.violations[0].field == field


def test_as_many_buckets_as_are_promised_are_made() -> None:
    """1,000 hours are answered, 1,001 are refused."""
    start = at(2026, 1, 1)

    assert len(asked(frame(start, start + timedelta(hours=1000), Cut.HOUR, "UTC"))) == MOST_BUCKETS
    with pytest.raises(InvalidField):
        frame(start, start + timedelta(hours=1001), Cut.HOUR, "UTC")


@given(moments)
def test_a_quarter_holds_its_moment(moment: datetime) -> None:
    """Quarters begin at :00, :15, :30 and :45."""
    quarter = quarter_of(moment)

    assert quarter <= moment < quarter + QUARTER
    assert (quarter.minute % 15, quarter.second, quarter.microsecond) == (0, 0, 0)
