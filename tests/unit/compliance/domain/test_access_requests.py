"""The clocks of a request, and when what was gathered is everything."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from compliance.domain.access_requests import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    RIGHTS_SINCE,
    Answer,
    AnswerState,
    Requester,
    Standing,
    deadlines,
    due,
    earliest,
    is_whole,
    received,
    retry_at,
    standing_of,
)
from core.errors import InvalidField

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
GATHERED, MISSING = AnswerState.GATHERED, AnswerState.MISSING


def test_the_french_term_rules_and_waits_two_days() -> None:
    """Eight days, not before forty-eight hours (CSP L.1111-7), come before the month of GDPR."""
    clocks = deadlines(NOON)

    assert [(clock.regime, clock.due_at) for clock in clocks] == [
        ("eu.gdpr", datetime(2026, 12, 25, 12, tzinfo=UTC)),
        ("fr.csp", datetime(2026, 12, 3, 12, tzinfo=UTC)),
    ]
    assert due(clocks) == datetime(2026, 12, 3, 12, tzinfo=UTC)
    assert earliest(clocks) == datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert all(clock.source for clock in clocks)


@pytest.mark.parametrize(
    ("at", "month_later"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2028, 1, 31, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2026, 12, 15, tzinfo=UTC), datetime(2027, 1, 15, tzinfo=UTC)),
    ],
)
def test_a_month_ends_on_its_last_day_at_the_latest(at: datetime, month_later: datetime) -> None:
    """A month that has no such day ends on its last."""
    [month] = [clock.due_at for clock in deadlines(at) if clock.regime == "eu.gdpr"]

    assert month == month_later


def test_a_request_is_not_of_tomorrow_nor_from_before_the_law() -> None:
    """The clock starts at the receipt, which may be past but never to come."""
    last_week = NOON - timedelta(days=7)

    assert received(None, NOON) == NOON
    assert received(last_week, NOON) == last_week
    with pytest.raises(InvalidField):
        received(NOON + timedelta(seconds=1), NOON)
    with pytest.raises(InvalidField):
        received(RIGHTS_SINCE - timedelta(seconds=1), NOON)


def _answer(service: str, state: AnswerState) -> Answer:
    return Answer(service, 1, state)


def test_it_is_whole_when_every_service_has_answered_of_a_known_person() -> None:
    """One service missing, one nobody asked, an unknown person, no service: none is the whole."""
    both = [_answer("auth", GATHERED), _answer("clinical", GATHERED)]
    services = ("auth", "clinical")

    assert is_whole(Standing.KNOWN, both, services)
    assert not is_whole(Standing.KNOWN, [both[0], _answer("clinical", MISSING)], services)
    assert not is_whole(Standing.KNOWN, both, (*services, "billing"))
    assert not is_whole(Standing.UNKNOWN, both, services)
    assert not is_whole(Standing.NOT_REGISTERED_HERE, both, services)
    assert not is_whole(Standing.KNOWN, [], ())


def test_the_register_decides_whether_a_person_is_known() -> None:
    """That others hold nothing says nothing."""
    elsewhere = Standing.NOT_REGISTERED_HERE

    assert standing_of([elsewhere, Standing.KNOWN]) is Standing.KNOWN
    assert standing_of([Standing.UNKNOWN, elsewhere]) is Standing.UNKNOWN
    assert standing_of([elsewhere]) is elsewhere


def test_it_is_tried_again_ever_more_rarely_and_for_longer_than_the_law_gives() -> None:
    """The pauses double to ten minutes; together they outlast eight days, and end."""
    pauses = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        again = retry_at(NOON, attempt)
        if again is not None:
            pauses.append(again - NOON)

    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE
    assert sum(pauses, timedelta()) > timedelta(days=8)
    assert retry_at(NOON, MOST_ATTEMPTS) is None


def test_a_failure_is_counted_and_an_answer_forgotten_whole() -> None:
    """What has to be asked anew keeps its place and nothing else."""
    failed = Answer("clinical", 3).failed("UNAVAILABLE").failed("DATA_LOSS")

    assert (failed.state, failed.failures, failed.last_failure) == (MISSING, 2, "DATA_LOSS")
    assert failed.asked_anew == Answer("clinical", 3)


def test_a_requester_is_named_by_kind() -> None:
    """People and programs stand in collections of their own."""
    assert Requester("user", UUID(int=1)).name == f"users/{UUID(int=1)}"
    assert Requester("service", UUID(int=1)).name == f"serviceAccounts/{UUID(int=1)}"
