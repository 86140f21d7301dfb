"""Access to one patient's record for a time: given to a colleague, or taken in an emergency.

Nothing here knows of the patient more than an id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from auth.domain.refusals import GrantToOneself, NotAnEmergency, ReviewOfOnesOwn, TooManyGrants
from core.errors import InvalidField
from core.texts import said

LONGEST = timedelta(days=30)
"""A stand-in, a second opinion: what lasts longer is care, and has a care link."""

FURTHEST = timedelta(days=30)
"""How far ahead a grant may begin: what is further ahead is forgotten before it begins."""

EMERGENCY_LIFE = timedelta(minutes=60)
"""Long enough to treat, or to be linked by who is in charge; a longer emergency is taken again."""

SHORTEST_REASON = 8
"""Characters of a reason: fewer name no circumstance."""

MOST_GIVEN = 45
"""Grants one person holds at once; with the emergencies what core takes of one person at most."""

MOST_EMERGENCIES = 5
"""Patients of one person's emergencies at once: a room full, and too few to read a register."""

EMERGENCY_PERIOD = timedelta(hours=1)

MOST_IN_A_PERIOD = 20
"""Emergencies one person takes within the period, also those that are closed: an accident with many
injured is fewer to each who treats them, and who goes on is reading a register."""


class GrantKind(StrEnum):
    """How access came about."""

    EXPLICIT = "EXPLICIT"
    BREAK_GLASS = "BREAK_GLASS"


class State(StrEnum):
    """Whether it opens the record."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    ENDED = "ENDED"
    REVOKED = "REVOKED"


class Finding(StrEnum):
    """What came of looking into an emergency."""

    JUSTIFIED = "JUSTIFIED"
    NOT_JUSTIFIED = "NOT_JUSTIFIED"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives or finds: `kind` is `user` or `service`."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Review:
    """What was found, by which user, when."""

    finding: Finding
    note: str
    by: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """One grant. It opens from `starts_at` until before `ends_at`, unless it is revoked."""

    id: UUID
    grantee: UUID
    patient: UUID
    kind: GrantKind
    reason: str
    starts_at: datetime
    ends_at: datetime
    given_by: Actor
    created_at: datetime
    revoked_at: datetime | None = None
    review: Review | None = None
    revision: int = 1

    def state(self, at: datetime) -> State:
        """Whether it opens the record at a moment."""
        if self.revoked_at is not None:
            return State.REVOKED
        if at >= self.ends_at:
            return State.ENDED
        return State.OPEN if at >= self.starts_at else State.PENDING

    def may_still_open(self, at: datetime) -> bool:
        """Whether it opens the record now or later."""
        return self.state(at) in (State.PENDING, State.OPEN)


def give(
    key: UUID,
    *,
    grantee: UUID,
    patient: UUID,
    reason: str,
    starts_at: datetime | None,
    ends_at: datetime,
    by: Actor,
    now: datetime,
) -> AccessGrant:
    """A grant to a colleague. Raises GrantToOneself, and InvalidField for its reason and time."""
    _check_reason(reason, field="access_grant.reason")
    if by == Actor("user", grantee):
        raise GrantToOneself
    begins = max(starts_at or now, now)
    if begins - now > FURTHEST:
        raise InvalidField(field="access_grant.start_time", rule="access_grant.furthest")
    if ends_at <= begins or ends_at - begins > LONGEST:
        raise InvalidField(field="access_grant.end_time", rule="access_grant.longest")
    return AccessGrant(key, grantee, patient, GrantKind.EXPLICIT, reason, begins, ends_at, by, now)


def break_glass(
    key: UUID, *, person: UUID, patient: UUID, reason: str, now: datetime
) -> AccessGrant:
    """Access that a person takes in an emergency. Raises InvalidField for its reason."""
    _check_reason(reason, field="reason")
    taker = Actor("user", person)
    ends_at = now + EMERGENCY_LIFE
    return AccessGrant(
        key, person, patient, GrantKind.BREAK_GLASS, reason, now, ends_at, taker, now
    )


def _check_reason(reason: str, *, field: str) -> None:
    """Whoever looks into it later has to read why. White space says nothing."""
    if len(said(reason)) < SHORTEST_REASON:
        raise InvalidField(field=field, rule="access_grant.reason")


def check_room(kind: GrantKind, held: int) -> None:
    """Refuse one more than a person may hold at once. Raises TooManyGrants."""
    most = MOST_EMERGENCIES if kind is GrantKind.BREAK_GLASS else MOST_GIVEN
    if held >= most:
        raise TooManyGrants(most)


def check_pace(taken: Sequence[datetime], now: datetime) -> None:
    """Refuse one more emergency than a person takes within the period.

    `taken` is when the earlier ones of the period were, oldest first. Raises TooManyGrants.
    """
    if len(taken) >= MOST_IN_A_PERIOD:
        room_at = taken[-MOST_IN_A_PERIOD] + EMERGENCY_PERIOD
        raise TooManyGrants(MOST_IN_A_PERIOD, retry_after=(room_at - now).total_seconds())


def revoke(grant: AccessGrant, *, now: datetime) -> AccessGrant:
    """Taken back; one that is over stays as it is."""
    if not grant.may_still_open(now):
        return grant
    return replace(grant, revoked_at=now, revision=grant.revision + 1)


def review(grant: AccessGrant, found: Review) -> AccessGrant:
    """With what was found. Raises NotAnEmergency and ReviewOfOnesOwn."""
    if grant.kind is not GrantKind.BREAK_GLASS:
        raise NotAnEmergency
    if found.by == grant.grantee:
        raise ReviewOfOnesOwn
    return replace(grant, review=found, revision=grant.revision + 1)
