"""What a refresh token is worth."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain.sessions import (
    REFRESH_LIFE,
    REPLAY_WINDOW,
    Lives,
    RefreshOutcome,
    RefreshState,
    activation_token,
    decide_refresh,
    lives,
    refresh_expiry,
    successor_of,
    token_hash,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = bytes(32)
FAMILY = UUID(int=1)
ONCE = "0a8a6a2e-5b1c-4a5e-9a8b-0e1f2a3b4c5d"


def held(
    *,
    expires_at: datetime = LATER,
    spent_at: datetime | None = None,
    spent_by: str | None = None,
    successor_spent: bool = False,
    session_expires_at: datetime = LATER,
    session_revoked: bool = False,
) -> RefreshState:
    """A token that can be spent, but for what is said."""
    return RefreshState(
        expires_at, spent_at, spent_by, successor_spent, session_expires_at, session_revoked
    )


@pytest.mark.parametrize(
    ("state", "request_id", "outcome"),
    [
        (held(), "", RefreshOutcome.SPEND),
        (held(), ONCE, RefreshOutcome.SPEND),
        (held(expires_at=NOW), ONCE, RefreshOutcome.REFUSE),
        (held(session_expires_at=NOW), ONCE, RefreshOutcome.REFUSE),
        (held(session_revoked=True), ONCE, RefreshOutcome.REFUSE),
        (held(spent_at=NOW, spent_by=ONCE), ONCE, RefreshOutcome.REPEAT),
        (held(spent_at=NOW - REPLAY_WINDOW, spent_by=ONCE), ONCE, RefreshOutcome.REPEAT),
        (held(spent_at=NOW - 2 * REPLAY_WINDOW, spent_by=ONCE), ONCE, RefreshOutcome.REUSE),
        (held(spent_at=NOW, spent_by=ONCE, successor_spent=True), ONCE, RefreshOutcome.REUSE),
        (held(spent_at=NOW, spent_by=ONCE), "other", RefreshOutcome.REUSE),
        (held(spent_at=NOW, spent_by=ONCE), "", RefreshOutcome.REUSE),
        (held(spent_at=NOW), "", RefreshOutcome.REUSE),
        (held(spent_at=NOW, session_revoked=True), "", RefreshOutcome.REFUSE),
    ],
)
def test_a_token_is_spent_repeated_or_proof_of_a_theft(
    state: RefreshState, request_id: str, outcome: RefreshOutcome
) -> None:
    """The whole table."""
    assert decide_refresh(state, request_id, NOW) is outcome


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_successor_is_derived_from_its_request(one: str, other: str) -> None:
    """The same request finds it again; another one does not."""
    first = successor_of(KEY, "token", FAMILY, one)

    assert successor_of(KEY, "token", FAMILY, one) == first
    assert (successor_of(KEY, "token", FAMILY, other) == first) == (one == other)


def test_without_a_request_id_nobody_can_repeat() -> None:
    """The successor is random then."""
    assert successor_of(KEY, "token", FAMILY, "") != successor_of(KEY, "token", FAMILY, "")


def test_tokens_of_other_purposes_differ() -> None:
    """An activation never equals a refresh token, and a hash tells nothing of either."""
    token = activation_token(KEY, FAMILY)

    assert token != successor_of(KEY, "", FAMILY, "x")
    assert len(token_hash(token)) == 32


def test_a_refresh_token_never_outlives_its_session() -> None:
    """Twelve hours of inactivity, or the end of the session."""
    soon = NOW + timedelta(minutes=1)

    assert refresh_expiry(NOW, soon, REFRESH_LIFE) == soon
    assert refresh_expiry(NOW, NOW + timedelta(days=30), REFRESH_LIFE) == NOW + timedelta(hours=12)


@pytest.mark.parametrize(
    ("level", "whole", "idle"), [(1, timedelta(days=20), 10), (2, timedelta(hours=24), 1)]
)
def test_of_an_organization_and_an_assurance_level_the_shorter_life_counts(
    level: int, whole: timedelta, idle: int
) -> None:
    """AAL2 ends after a day and an idle hour; an organization can only ask for less."""
    asked = lives(timedelta(days=20), timedelta(hours=10), level)

    assert asked == Lives(whole, timedelta(hours=idle))
    assert lives(timedelta(minutes=30), timedelta(minutes=15), level) == Lives(
        timedelta(minutes=30), timedelta(minutes=15)
    )
