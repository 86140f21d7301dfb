"""HL7 times: precision and offset as written, absurd ones refused."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.hl7_values import PartialDate, Precision
from clinical.formats.hl7v2.times import Untimely, date_of, moment_of

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "at", "precision"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=PARIS), Precision.YEAR),
        ("202603", datetime(2026, 3, 1, tzinfo=PARIS), Precision.MONTH),
        ("20260302", datetime(2026, 3, 2, tzinfo=PARIS), Precision.DAY),
        ("2026030210", datetime(2026, 3, 2, 10, tzinfo=PARIS), Precision.HOUR),
        ("202603021011", datetime(2026, 3, 2, 10, 11, tzinfo=PARIS), Precision.MINUTE),
        ("20260302101112", datetime(2026, 3, 2, 10, 11, 12, tzinfo=PARIS), Precision.SECOND),
        (
            "20260302101112.5",
            datetime(2026, 3, 2, 10, 11, 12, 500000, tzinfo=PARIS),
            Precision.FRACTION,
        ),
        (
            "20260302101112.1234",
            datetime(2026, 3, 2, 10, 11, 12, 123400, tzinfo=PARIS),
            Precision.FRACTION,
        ),
    ],
)
def test_a_time_keeps_its_precision(text: str, at: datetime, precision: Precision) -> None:
    """Without an offset, it is a time of the endpoint's zone."""
    moment = moment_of(text, PARIS)

    assert moment.at == at
    assert (moment.precision, moment.offset_stated) == (precision, False)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("202607011200", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("202601011200", datetime(2026, 1, 1, 11, tzinfo=UTC)),
        ("202607011200+0000", datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("202607011200-0400", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("202610250230", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_one_instant(text: str, utc: datetime) -> None:
    """Summer time counts, a stated offset wins, and an hour that comes twice is the first."""
    assert moment_of(text, PARIS).at_utc == utc


def test_a_stated_offset_is_kept() -> None:
    """Réunion writes +0400, and that is what is kept."""
    moment = moment_of("20260302101112+0400", PARIS)

    assert moment.at.tzinfo == timezone(timedelta(hours=4))
    assert moment.offset_stated


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "time.syntax"),
        ("soon", "time.syntax"),
        ("2026-03-02", "time.syntax"),
        ("202", "time.syntax"),
        ("20263", "time.syntax"),
        ("20260302+1", "time.syntax"),
        ("\uff12\uff10\uff12\uff16", "time.syntax"),
        ("20260231", "time.absurd"),
        ("20261301", "time.absurd"),
        ("20260001", "time.absurd"),
        ("00000000", "time.absurd"),
        ("99991231", "time.absurd"),
        ("2026030224", "time.absurd"),
        ("202603021060", "time.absurd"),
        ("20260302101160", "time.absurd"),
        ("20260302+2500", "time.absurd"),
        ("20260302+0160", "time.absurd"),
    ],
)
def test_what_is_no_time_is_refused_by_rule(text: str, rule: str) -> None:
    """Another syntax, and days that never were, are told apart."""
    with pytest.raises(Untimely) as caught:
        moment_of(text, PARIS)

    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1980", PartialDate(1980)),
        ("198005", PartialDate(1980, 5)),
        ("19800517", PartialDate(1980, 5, 17)),
        ("198005171230+0100", PartialDate(1980, 5, 17)),
    ],
)
def test_a_date_keeps_its_precision(text: str, written: PartialDate) -> None:
    """A time of birth is left out of the date."""
    assert date_of(text) == written


@given(st.one_of(st.text(max_size=24), st.from_regex(r"\d{0,16}(\.\d*)?([+-]\d{0,4})?")))
def test_nothing_else_raises(text: str) -> None:
    """Any text is a time or Untimely, and any time can be had in UTC."""
    with contextlib.suppress(Untimely):
        assert moment_of(text, PARIS).at_utc.tzinfo is UTC
    with contextlib.suppress(Untimely):
        assert date_of(text).earliest.year >= 1850
