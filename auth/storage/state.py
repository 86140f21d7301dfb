"""The auth state: one sequence of revisions, the events of each, and the latest of each key.

A revision has to be given in the order of commits, or a subscriber skips what commits late. So
`publish` is the last statement of the transaction that makes the change: it takes the one row
that holds the revision, which the next publisher waits for.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, bindparam, delete, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

from auth.domain.events import (
    GLOBAL_KEY,
    Event,
    membership_epoch_key,
    organization_key,
    session_key,
    subject_key,
)
from auth.storage.tables import auth_event, auth_state
from core import identity
from core.database import Transaction, statement

CHANNEL = "medhub_auth"
RETENTION = timedelta(minutes=20)  # four lives of an access token: who was away longer starts anew

_PUBLISH = statement(
    text(
        """WITH next AS (UPDATE auth_revision SET value = value + 1 RETURNING value),
        given AS (
            SELECT e.ordinality AS ordinal, e.value->>'key' AS key, e.value->'event' AS event,
                   (e.value->>'forget_at')::timestamptz AS forget_at
            FROM jsonb_array_elements(:events) WITH ORDINALITY AS e),
        logged AS (
            INSERT INTO auth_event (revision, ordinal, event, occurred_at)
            SELECT next.value, given.ordinal, given.event, clock_timestamp() FROM next, given),
        held AS (
            INSERT INTO auth_state (key, revision, event, forget_at)
            SELECT given.key, next.value, given.event, given.forget_at FROM next, given
            ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, event = excluded.event,
                forget_at = excluded.forget_at)
        SELECT value AS revision, pg_notify(:channel, '') AS told FROM next"""
    ).bindparams(bindparam("events", type_=JSONB), bindparam("channel", CHANNEL, type_=Text))
)
_REVISION = statement(text("SELECT value AS revision FROM auth_revision"))
_END_ALL_SESSIONS = statement(text("UPDATE auth_revision SET session_epoch = value"))
_EPOCHS = statement(
    text(
        """SELECT COALESCE(max(revision), 0) AS epoch FROM auth_state WHERE key = ANY(:keys)"""
    ).bindparams(bindparam("keys", type_=ARRAY(Text)))
)
_BUILT_IN = statement(
    text("SELECT event FROM auth_state WHERE starts_with(key, 'role//') ORDER BY key LIMIT 1000")
)
# One statement is one snapshot: the events are those of the revision that it returns.
_SNAPSHOT = statement(
    text(
        """SELECT r.history, r.value AS revision, s.revision AS said_at, s.event
        FROM auth_revision r
        LEFT JOIN auth_state s ON s.forget_at IS NULL OR s.forget_at > :at
        ORDER BY s.key"""
    ).bindparams(bindparam("at", type_=TIMESTAMP(timezone=True)))
)
_SINCE = statement(
    text(
        """SELECT r.history, r.value AS revision,
               (SELECT min(revision) FROM auth_event) AS oldest, e.revision AS said_at, e.event
        FROM auth_revision r LEFT JOIN auth_event e ON e.revision > :after
        ORDER BY e.revision, e.ordinal"""
    ).bindparams(bindparam("after", type_=BigInteger))
)
_BEGIN_HISTORY = statement(text("UPDATE auth_revision SET history = gen_random_uuid()"))
_FORGET_EVENTS = statement(delete(auth_event).where(auth_event.c.occurred_at < bindparam("before")))
_FORGET_STATE = statement(delete(auth_state).where(auth_state.c.forget_at < bindparam("at")))


@dataclass(frozen=True, slots=True)
class Told:
    """One read of the sequence: events, each with the revision at which it was said.

    `history` is another one since a restore. `oldest` is the first revision whose events are kept.
    """

    history: UUID
    revision: int
    oldest: int
    events: list[tuple[int, dict[str, Any]]]


class State:
    """The sequence that all servers follow."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def publish(self, events: Sequence[Event]) -> int:
        """Give the change its revision. The last statement of its transaction, and the only
        place that moves the sequence.

        Returns the revision from which the events hold.
        """
        given = [
            {
                "key": event.key,
                "event": {"kind": event.kind, **event.to_json()},
                "forget_at": event.forget_at and event.forget_at.isoformat(),
            }
            for event in {event.key: event for event in events}.values()
        ]
        row = await self._tx.one(_PUBLISH, events=given)
        return _answered(int(row.revision))  # type: ignore[union-attr]  # the migration made the row

    async def revision(self) -> int:
        """The newest revision."""
        row = await self._tx.one(_REVISION)
        return int(row.revision)  # type: ignore[union-attr]

    async def settled(self) -> int:
        """The newest revision, for the answer of a call that finds done what it is to do."""
        return _answered(await self.revision())

    async def end_all_sessions(self) -> None:
        """End every session of everybody from before the newest revision, just published."""
        await self._tx.run(_END_ALL_SESSIONS)

    async def epoch(
        self,
        subjects: Sequence[UUID],
        organization: UUID | None,
        service_key: UUID | None = None,
    ) -> int:
        """The revision below which tokens of all the subjects, for the organization, are dead;
        with `service_key`, those that a program got by it.

        The greatest of all scopes, so that none hides another.
        """
        keys = [GLOBAL_KEY, *(subject_key(subject) for subject in subjects)]
        if organization is not None:
            keys.append(organization_key(organization))
            keys += [membership_epoch_key(subject, organization) for subject in subjects]
        if service_key is not None:
            keys.append(session_key(service_key))
        row = await self._tx.one(_EPOCHS, keys=keys)
        return int(row.epoch)  # type: ignore[union-attr]

    async def built_in_roles(self) -> dict[str, frozenset[str]]:
        """The built-in roles as they were last published."""
        rows = await self._tx.all(_BUILT_IN)
        return {row.event["role"]: frozenset(row.event["permissions"]) for row in rows}

    async def snapshot(self, at: datetime) -> Told:
        """What holds now, without what is forgotten at `at`: it grows with changes, not people."""
        rows = await self._tx.all(_SNAPSHOT, at=at)
        held = [(row.said_at, row.event) for row in rows if row.event is not None]
        return Told(rows[0].history, rows[0].revision, rows[0].revision + 1, held)

    async def since(self, after: int) -> Told:
        """The events after a revision."""
        rows = await self._tx.all(_SINCE, after=after)
        events = [(row.said_at, row.event) for row in rows if row.event is not None]
        first = rows[0]
        return Told(first.history, first.revision, first.oldest or first.revision + 1, events)

    async def begin_history(self) -> None:
        """Have every follower take a snapshot: what they hold may be of a future that is undone."""
        await self._tx.run(_BEGIN_HISTORY)

    async def forget(self, at: datetime) -> None:
        """Delete what no live token and no resuming subscriber can need at `at`."""
        await self._tx.run(_FORGET_EVENTS, before=at - RETENTION)
        await self._tx.run(_FORGET_STATE, at=at)


def _answered(revision: int) -> int:
    """The revision; the answer of the call in progress, if there is one, tells it."""
    with suppress(LookupError):
        identity.call().auth_revision = revision
    return revision
