"""Access to one patient: who gives it, for how long, and what is said of an emergency."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from auth.domain import access_grants
from auth.domain.access_grants import (
    EMERGENCY_LIFE,
    EMERGENCY_PERIOD,
    FURTHEST,
    LONGEST,
    MOST_EMERGENCIES,
    MOST_GIVEN,
    MOST_IN_A_PERIOD,
    AccessGrant,
    Actor,
    Finding,
    GrantKind,
    Review,
    State,
    break_glass,
    check_pace,
    check_room,
    give,
    review,
    revoke,
)
from auth.domain.refusals import GrantToOneself, NotAnEmergency, ReviewOfOnesOwn, TooManyGrants
from core.errors import InvalidField
from core.ids import new_id
from core.truth.grants import MOST_GRANTS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DOCTOR, HEAD = new_id(), Actor("user", new_id())


def given(
    *, starts_at: datetime | None = None, ends_at: datetime = NOW + HOUR, by: Actor = HEAD
) -> AccessGrant:
    """Access of the doctor to a patient."""
    return give(
        new_id(),
        grantee=DOCTOR,
        patient=new_id(),
        reason="A second opinion",
        starts_at=starts_at,
        ends_at=ends_at,
        by=by,
        now=NOW,
    )


def taken() -> AccessGrant:
    """An emergency of the doctor."""
    return break_glass(new_id(), person=DOCTOR, patient=new_id(), reason="Unconscious", now=NOW)


@pytest.mark.parametrize("reason", [" " * 12, "shock" + " " * 7, "\n\n\n\u00a0shock\u2003\n\n\n"])
def test_white_space_is_no_reason(reason: str) -> None:
    """Neither to give access nor to take it: who looks into it reads nothing."""
    giving = partial(give, starts_at=None, ends_at=NOW + HOUR, grantee=DOCTOR, by=HEAD)

    for make, field in (
        (giving, "access_grant.reason"),
        (partial(break_glass, person=DOCTOR), "reason"),
    ):
        with pytest.raises(InvalidField) as refused:
            make(new_id(), patient=new_id(), reason=reason, now=NOW)
        assert [one.field for one in refused.value.violations] == [field]


def test_a_grant_opens_from_its_start_until_before_its_end() -> None:
    """At the end it opens nothing any more."""
    grant = given(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)

    moments = (NOW, NOW + HOUR, NOW + 2 * HOUR)

    assert [grant.state(at) for at in moments] == [State.PENDING, State.OPEN, State.ENDED]
    assert [grant.may_still_open(at) for at in moments] == [True, True, False]


def test_a_start_that_is_over_is_now() -> None:
    """Nobody opens the past."""
    assert given(starts_at=NOW - HOUR).starts_at == NOW


@pytest.mark.parametrize(
    ("field", "starts_at", "ends_at"),
    [
        ("end_time", None, NOW),
        ("end_time", None, NOW + LONGEST + timedelta(seconds=1)),
        ("end_time", NOW + HOUR, NOW + HOUR),
        ("start_time", NOW + FURTHEST + timedelta(seconds=1), NOW + FURTHEST + HOUR),
    ],
)
def test_the_time_of_a_grant_is_bounded(
    field: str, starts_at: datetime | None, ends_at: datetime
) -> None:
    """It ends after it begins, lasts for a month at most, and begins within one."""
    with pytest.raises(InvalidField) as refused:
        given(starts_at=starts_at, ends_at=ends_at)

    assert [each.field for each in refused.value.violations] == [f"access_grant.{field}"]


def test_nobody_opens_a_record_to_themselves() -> None:
    """A service account of the same id is somebody else."""
    with pytest.raises(GrantToOneself):
        given(by=Actor("user", DOCTOR))

    assert given(by=Actor("service", DOCTOR)).grantee == DOCTOR


def test_an_emergency_is_short() -> None:
    """It begins now and is taken by who is let in."""
    grant = taken()

    assert (grant.starts_at, grant.ends_at) == (NOW, NOW + EMERGENCY_LIFE)
    assert grant.given_by == Actor("user", DOCTOR)


@pytest.mark.parametrize(
    ("kind", "most"),
    [(GrantKind.EXPLICIT, MOST_GIVEN), (GrantKind.BREAK_GLASS, MOST_EMERGENCIES)],
)
def test_one_person_holds_so_many_at_once(kind: GrantKind, most: int) -> None:
    """As many as every server takes, and no more."""
    check_room(kind, most - 1)
    with pytest.raises(TooManyGrants):
        check_room(kind, most)

    assert access_grants.MOST_GIVEN + access_grants.MOST_EMERGENCIES == MOST_GRANTS


def test_one_person_takes_so_many_within_the_period() -> None:
    """There is room again once the oldest that fills it is older than that."""
    minute = timedelta(minutes=1)
    times = [NOW - (MOST_IN_A_PERIOD - n) * minute for n in range(MOST_IN_A_PERIOD)]

    check_pace(times[1:], NOW)
    with pytest.raises(TooManyGrants) as refused:
        check_pace(times, NOW)

    assert refused.value.retry_after == (times[0] + EMERGENCY_PERIOD - NOW).total_seconds()


def test_what_is_over_is_not_taken_back() -> None:
    """Its end stays what it was."""
    grant = taken()
    revoked = revoke(grant, now=NOW)

    assert (revoked.state(NOW), revoked.revision) == (State.REVOKED, 2)
    assert revoke(revoked, now=NOW + HOUR) == revoked
    assert revoke(grant, now=grant.ends_at) == grant


def test_an_emergency_is_judged_by_somebody_else() -> None:
    """And what a colleague gave is none."""
    found = Review(Finding.JUSTIFIED, "", new_id(), NOW)
    grant = taken()

    assert review(grant, found) == replace(grant, review=found, revision=2)
    with pytest.raises(ReviewOfOnesOwn):
        review(grant, replace(found, by=DOCTOR))
    with pytest.raises(NotAnEmergency):
        review(given(), found)
