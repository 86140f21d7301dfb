"""Rows of messages: queued sealed, taken up by one sender at a time, then emptied."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Interval, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from auth.domain.messages import MOST_ATTEMPTS
from core.database import Transaction, sql

_TIME = TIMESTAMP(timezone=True)

QUEUED, SENT, KEPT, DEAD = "QUEUED", "SENT", "KEPT", "DEAD"
"""To be sent; gone; kept in the development outbox; given up."""

MOST_SHOWN = 200
"""Rows that the outbox shows at once."""

# Counting and adding take turns for each recipient, so that calls made at once cannot exceed the
# bound. The lock ends with the transaction.
_TURN = sql(
    "SELECT pg_advisory_xact_lock(hashtextextended(encode(:key, 'hex'), 0))", key=LargeBinary
)
_ADD = sql(
    """INSERT INTO message (id, template, channel, recipient, content, state, attempts, due_at,
        leased_until, created_at, expires_at, fault)
    SELECT :key, :template, :channel, :recipient, :content, 'QUEUED', 0, now(), now(), now(),
        now() + :life, ''
    WHERE (SELECT count(*) FROM message WHERE recipient = :recipient AND template = :template
        AND created_at > now() - interval '1 hour') < :most""",
    key=Uuid,
    template=Text,
    channel=Text,
    recipient=LargeBinary,
    content=LargeBinary,
    life=Interval,
    most=Integer,
)
# Asking takes turns at the row, so that calls made at once cannot exceed the bound.
_ASK = sql(
    """INSERT INTO message_count AS held (asker, since, asked) VALUES (:asker, now(), 1)
    ON CONFLICT (asker) DO UPDATE SET
        since = CASE WHEN held.since > now() - interval '1 hour' THEN held.since ELSE now() END,
        asked = CASE WHEN held.since > now() - interval '1 hour' THEN held.asked + 1 ELSE 1 END
    RETURNING asked""",
    asker=LargeBinary,
)
_FORGET_COUNTS = sql("DELETE FROM message_count WHERE since < now() - interval '1 hour'")
# The clock is the database's, which all servers share. What nobody can use any more, or nobody has
# managed to send, is given up before the next one is taken.
_GIVE_UP = sql(
    """UPDATE message SET state = 'DEAD', content = NULL, ended_at = now(),
        fault = CASE WHEN fault = '' THEN 'EXPIRED' ELSE fault END
    WHERE state = 'QUEUED' AND leased_until <= now()
        AND (expires_at <= now() OR attempts >= :most)""",
    most=Integer,
)
_CLAIM = sql(
    """UPDATE message SET attempts = attempts + 1, leased_until = now() + :lease
    WHERE id = (
        SELECT id FROM message
        WHERE state = 'QUEUED' AND due_at <= now() AND leased_until <= now()
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, template, channel, content, attempts""",
    lease=Interval,
)
_PUT_OFF = sql(
    """UPDATE message SET due_at = now() + :delay, leased_until = now(), fault = :fault
    WHERE id = :key AND attempts = :attempts AND state = 'QUEUED'""",
    key=Uuid,
    attempts=Integer,
    delay=Interval,
    fault=Text,
)
_END = sql(
    """UPDATE message SET state = :state, ended_at = now(), fault = :fault,
        content = CASE WHEN :state = 'KEPT' THEN content END
    WHERE id = :key AND attempts = :attempts AND state = 'QUEUED'""",
    key=Uuid,
    attempts=Integer,
    state=Text,
    fault=Text,
)
_SHOWN = sql(
    """SELECT id, template, channel, content, state, attempts, fault, created_at FROM message
    WHERE state <> 'SENT' ORDER BY created_at DESC, id DESC LIMIT :most""",
    most=Integer,
)
_FORGET = sql(
    """DELETE FROM message WHERE created_at < :before AND state <> 'QUEUED'
        AND (state <> 'DEAD' OR created_at < :dead_before)""",
    before=_TIME,
    dead_before=_TIME,
)


@dataclass(frozen=True, slots=True)
class Queued:
    """A message to queue: its content is sealed, `recipient` a keyed digest."""

    id: UUID
    template: str
    channel: str
    recipient: bytes
    content: bytes
    life: timedelta
    most_an_hour: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that this sender has to itself for a while, and which attempt this is."""

    id: UUID
    template: str
    channel: str
    content: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that has not left: queued, kept or given up, and why the last attempt failed."""

    id: UUID
    template: str
    channel: str
    content: bytes | None
    state: str
    attempts: int
    fault: str
    created_at: datetime


class Messages:
    """The queue of messages. It belongs to no organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Queued) -> bool:
        """Queue a message. False: the recipient has had as many of them as an hour allows."""
        self._tx.soon(_TURN, key=made.recipient)
        added = await self._tx.run(
            _ADD,
            key=made.id,
            template=made.template,
            channel=made.channel,
            recipient=made.recipient,
            content=made.content,
            life=made.life,
            most=made.most_an_hour,
        )
        return bool(added)

    async def ask(self, asker: bytes) -> int:
        """Count a message that somebody asks for; how many it makes within the hour."""
        row = await self._tx.one(_ASK, asker=asker)
        if row is None:
            raise LookupError("a count that was just written has its row")
        return int(row.asked)

    async def claim(self, lease: timedelta) -> Taken | None:
        """Take up the message that has waited longest; None when none is due."""
        self._tx.soon(_GIVE_UP, most=MOST_ATTEMPTS)
        row = await self._tx.one(_CLAIM, lease=lease)
        return Taken(*row) if row else None

    async def put_off(self, taken: Taken, delay: timedelta, fault: str) -> None:
        """Try again later."""
        await self._tx.run(
            _PUT_OFF, key=taken.id, attempts=taken.attempts, delay=delay, fault=fault
        )

    async def end(self, taken: Taken, state: str, fault: str = "") -> None:
        """SENT, KEPT or DEAD. What is not kept loses its content."""
        await self._tx.run(_END, key=taken.id, attempts=taken.attempts, state=state, fault=fault)

    async def shown(self) -> list[Shown]:
        """What has not left, the newest first, at most MOST_SHOWN."""
        return [Shown(*row) for row in await self._tx.all(_SHOWN, most=MOST_SHOWN)]

    async def forget(self, before: datetime, dead_before: datetime) -> None:
        """Delete what has ended: the dead later, so that they are seen. And old counts."""
        await self._tx.run(_FORGET, before=before, dead_before=dead_before)
        await self._tx.run(_FORGET_COUNTS)
