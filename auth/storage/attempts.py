"""Rows that count attempts to log in, and refusals."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Integer, LargeBinary, Text, bindparam, delete, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from auth.domain.lockout import (
    FORGET_AFTER,
    FREE_ATTEMPTS,
    LONGEST_DELAY,
    UNDER_WAY,
    delay_of,
)
from auth.storage.tables import login_attempt, refusal_count
from core.database import Transaction, statement

_TIME = TIMESTAMP(timezone=True)

# Counting and judging are one statement, committed before the password is looked at: attempts
# made at once take turns at the row, and no refusal can roll the count back. An attempt within
# the delay is not counted, so that a stranger cannot make the delay longer by insisting. Without
# a delay the lane has been open for ever: attempts made at once may be counted out of order.
_COUNT = statement(
    text(
        """INSERT INTO login_attempt AS held (lane, failures, open_at, admitted, attempted_at)
        VALUES (:lane, 1, '-infinity', true, :at)
        ON CONFLICT (lane) DO UPDATE SET
            admitted = held.open_at <= excluded.attempted_at,
            attempted_at = excluded.attempted_at,
            failures = CASE
                WHEN held.open_at > excluded.attempted_at THEN held.failures
                WHEN held.attempted_at < excluded.attempted_at - :forget_after * interval '1 second'
                    THEN 1
                ELSE held.failures + 1 END,
            open_at = CASE
                WHEN held.open_at > excluded.attempted_at THEN held.open_at
                WHEN held.failures < :free - 1
                    OR held.attempted_at
                       < excluded.attempted_at - :forget_after * interval '1 second'
                    THEN '-infinity'::timestamptz
                ELSE excluded.attempted_at + LEAST(
                    2 ^ LEAST(held.failures + 1 - :free, 16), :longest
                ) * interval '1 second' END
        RETURNING admitted, failures, NULLIF(open_at, '-infinity') AS open_at"""
    ).bindparams(
        bindparam("lane", type_=LargeBinary),
        bindparam("at", type_=_TIME),
        bindparam("free", FREE_ATTEMPTS, type_=Integer),
        bindparam("longest", LONGEST_DELAY, type_=Integer),
        bindparam("forget_after", FORGET_AFTER, type_=Integer),
    )
)
_CLEAR = statement(delete(login_attempt).where(login_attempt.c.lane == bindparam("lane")))
_FORGET = statement(delete(login_attempt).where(login_attempt.c.attempted_at < bindparam("before")))
_REFUSED = statement(
    text(
        """INSERT INTO refusal_count AS held (source, minute, refusals)
        VALUES (:source, date_trunc('minute', :at), 1)
        ON CONFLICT (source, minute) DO UPDATE SET refusals = held.refusals + 1
        RETURNING refusals"""
    ).bindparams(bindparam("source", type_=Text), bindparam("at", type_=_TIME))
)
_REFUSALS = statement(
    text(
        "SELECT refusals FROM refusal_count"
        " WHERE source = :source AND minute = date_trunc('minute', CAST(:at AS timestamptz))"
    ).bindparams(bindparam("source", type_=Text), bindparam("at", type_=_TIME))
)
_FORGET_COUNTS = statement(
    delete(refusal_count).where(refusal_count.c.minute < bindparam("before"))
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether an attempt is looked at. `under_way`: others that were may not have ended yet."""

    admitted: bool
    under_way: bool = False


class Attempts:
    """How often somebody has tried."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def count(self, lane: bytes, at: datetime) -> bool:
        """Count an attempt before it is looked at. False: it comes too early to be looked at."""
        return (await self.count_in_turn(lane, at)).admitted

    async def count_in_turn(self, lane: bytes, at: datetime) -> Counted:
        """The same; of one that comes too early it tells whether others may be under way."""
        row = await self._tx.one(_COUNT, lane=lane, at=at)
        if row is None:
            raise LookupError("a lane that was just written has its row")
        if row.admitted:
            return Counted(admitted=True)
        last_counted = row.open_at - timedelta(seconds=delay_of(row.failures))
        return Counted(admitted=False, under_way=at - last_counted < UNDER_WAY)

    async def clear(self, lane: bytes) -> None:
        """Start anew after a success."""
        await self._tx.run(_CLEAR, lane=lane)

    async def refused(self, source: str, at: datetime) -> int:
        """Count a refusal; how many there were from this source in this minute."""
        row = await self._tx.one(_REFUSED, source=source, at=at)
        return int(row.refusals) if row else 0

    async def refusals(self, source: str, at: datetime) -> int:
        """How many refusals of this source there were in this minute, by all servers."""
        row = await self._tx.one(_REFUSALS, source=source, at=at)
        return int(row.refusals) if row else 0

    async def forget(self, before: datetime) -> None:
        """Delete counts that nothing has been added to since before then."""
        await self._tx.run(_FORGET, before=before)
        await self._tx.run(_FORGET_COUNTS, before=before)
