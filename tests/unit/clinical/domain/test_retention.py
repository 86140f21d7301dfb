"""How long a patient's record is kept (CSP article R.1112-7)."""

from datetime import UTC, datetime

import pytest

from clinical.domain.retention import Passage, keeps_until

LAST = datetime(2001, 3, 14, 10, tzinfo=UTC)


def test_twenty_years_from_the_last_stay() -> None:
    """The term begins with the last stay, not with the making of the record."""
    assert keeps_until(Passage(LAST, is_open=False)) == datetime(2021, 3, 14, 10, tzinfo=UTC)


def test_who_never_was_here_has_no_term() -> None:
    """Registration alone is no stay."""
    assert keeps_until(Passage(None, is_open=False, birth_date="1980")) is None


@pytest.mark.parametrize(
    ("born", "day"), [("2000-05-17", (2028, 5, 17)), ("2000-05", (2028, 5, 31)),
                      ("2000", (2028, 12, 31))]
)  # fmt: skip
def test_not_before_the_twenty_eighth_birthday(born: str, day: tuple[int, int, int]) -> None:
    """A date that is not exact counts as the latest that it may be."""
    until = keeps_until(Passage(LAST, is_open=False, birth_date=born))

    assert until is not None
    assert (until.year, until.month, until.day) == day


def test_ten_years_after_a_death_that_followed_soon() -> None:
    """In all cases, so also where twenty years would be longer, and for who was a child."""
    passage = Passage(LAST, is_open=False, birth_date="2000-05-17", death_date="2002-01-01")

    until = keeps_until(passage)

    assert until is not None
    assert until.date() == datetime(2012, 1, 1, tzinfo=UTC).date()


def test_a_late_death_changes_nothing() -> None:
    """Ten years or more after the last stay the usual term holds."""
    passage = Passage(LAST, is_open=False, death_date="2015-01-01")

    assert keeps_until(passage) == datetime(2021, 3, 14, 10, tzinfo=UTC)


def test_a_leap_day_has_a_day_after_it() -> None:
    """The term never ends a day early."""
    born = Passage(datetime(1999, 1, 1, tzinfo=UTC), is_open=False, birth_date="2000-02-29")

    assert keeps_until(born) == datetime.max.replace(2028, 2, 29, tzinfo=UTC)
