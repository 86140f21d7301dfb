"""Access to single patients that auth has given, and which of it opens something now.

What is told has a beginning and an end, so it is evaluated at each call: a verdict that is kept
says until when it may be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.identity import Grant
from medhub.auth.v1 import auth_state_pb2 as wire

# Of one person in one organization, at most; auth gives no more. Statements that read patients
# take their ids in an array, and its length is part of what such a read costs.
MOST_GRANTS = 50
# Remembered at once, of everybody: some 50 MB. Past it the one told first is forgotten and opens
# nothing here, which keeps emergencies in, since they are told last.
MAX_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class TimedGrant:
    """A grant, and when it opens something: from its start on, until before its end."""

    grant: Grant
    starts_at: datetime
    ends_at: datetime


def timed_from_proto(told: wire.AccessGrantChanged) -> TimedGrant:
    """A grant as auth tells it. Raises ValueError for one without an end."""
    if not told.HasField("end_time"):
        raise ValueError("a grant without an end")
    return TimedGrant(
        Grant(UUID(told.grant_id), UUID(told.patient_id), told.break_glass),
        told.start_time.ToDatetime(tzinfo=UTC),
        told.end_time.ToDatetime(tzinfo=UTC),
    )


def open_at(
    known: Iterable[TimedGrant], now: datetime
) -> tuple[tuple[Grant, ...], timedelta | None]:
    """What is open at `now`, the newest MOST_GRANTS of it; and for how long that stays so.

    None: until something else is told.
    """
    grants: list[Grant] = []
    left: timedelta | None = None
    for each in known:
        if each.ends_at <= now:
            continue
        opens = each.starts_at <= now
        if opens:
            grants.append(each.grant)
        lasts = (each.ends_at if opens else each.starts_at) - now
        left = lasts if left is None else min(left, lasts)
    return tuple(grants[-MOST_GRANTS:]), left


@dataclass
class Grants:
    """The grants that the stream has told of, by whose they are and in which organization."""

    _of: dict[tuple[UUID, UUID], dict[UUID, TimedGrant]] = field(default_factory=dict)
    _places: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._places)

    def take(self, told: wire.AccessGrantChanged) -> None:
        """Take in what is told. Raises ValueError for what says no person, patient or end."""
        place = (UUID(told.subject_id), UUID(told.organization_id))
        given = timed_from_proto(told)
        self._forget(given.grant.id)
        if told.revoked:
            return
        if len(self._places) >= MAX_KEPT:
            self._forget(next(iter(self._places)))
        self._places[given.grant.id] = place
        self._of.setdefault(place, {})[given.grant.id] = given

    def of(self, subject: UUID, organization: UUID | None) -> tuple[TimedGrant, ...]:
        """Somebody's in an organization, in the order in which they were told."""
        if organization is None:
            return ()
        return tuple(self._of.get((subject, organization), {}).values())

    def sweep(self, now: datetime) -> None:
        """Forget what has ended."""
        ended = [
            each.grant.id for held in self._of.values() for each in held.values()
            if each.ends_at <= now
        ]  # fmt: skip
        for grant in ended:
            self._forget(grant)

    def _forget(self, grant: UUID) -> None:
        place = self._places.pop(grant, None)
        if place is None:
            return
        held = self._of[place]
        del held[grant]
        if not held:
            del self._of[place]
