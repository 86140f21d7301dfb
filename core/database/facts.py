"""The relay's side of the facts that analytics is still to be told.

`core.database.outbox` writes them, one for each record that gets its number, about nobody. They
stay while analytics is away, which holds nothing else up, up to MOST_FACTS; beyond that the newest
are left out, and their missing numbers tell it. The trail has every one of their events.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from core.database.leadership import Leadership

MOST_FACTS = 2_000_000
"""Waiting facts of one service: some 400 MB, so that analytics cannot fill the trail's disk. At
ten events a second they are two days and a half."""

MOST_AT_ONCE = 1_000  # as many as the contract allows in a batch
LOOK_EVERY = 0.5  # seconds; figures are counted by the quarter of an hour, and nobody waits
LEADER_LOCK = 0x66616374  # "fact": one leader per database

_TAKE = """
SELECT seq, id, organization_id, source_seq, occurred_at, kind, method, entity, operation, outcome,
       count, figures
FROM medhub.fact_outbox WHERE organization_id <> ALL(%(without)s) ORDER BY seq LIMIT %(limit)s
"""
_ANY = "SELECT EXISTS (SELECT 1 FROM medhub.fact_outbox)"
_CONFIRM = "DELETE FROM medhub.fact_outbox WHERE seq = ANY(%(seqs)s)"
_WAITING = "SELECT COALESCE(max(seq) - min(seq) + 1, 0) FROM medhub.fact_outbox"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One fact, under the id and number of its event."""

    seq: int
    id: UUID
    organization_id: UUID
    source_seq: int
    occurred_at: datetime
    kind: str
    method: str
    entity: str
    operation: str
    outcome: str
    count: int
    figures: dict[str, Any] | None


class Facts:
    """What analytics is still to be told. `waiting` is how much that was at the last look."""

    def __init__(self, relay_url: str) -> None:
        self._leader = Leadership(relay_url, LEADER_LOCK)
        self.waiting = 0

    async def open(self) -> None:
        """Connect, or connect again. Raises Unavailable."""
        await self._leader.open()

    async def close(self) -> None:
        """Disconnect; another relay may lead then."""
        await self._leader.close()

    async def lead(self) -> bool:
        """Become the leader, unless another relay of this database is. True when leading."""
        return await self._leader.lead()

    async def take(
        self, limit: int = MOST_AT_ONCE, without: Collection[UUID] = ()
    ) -> list[Waiting]:
        """The oldest ones, but of these organizations."""
        row = await (await self._leader.execute(_WAITING)).fetchone()
        self.waiting = int(row[0]) if row else 0
        if not self.waiting:
            return []
        cursor = await self._leader.execute(
            _TAKE, limit=min(limit, MOST_AT_ONCE), without=list(without)
        )
        cursor.row_factory = class_row(Waiting)
        return await cursor.fetchall()

    async def confirm(self, facts: Sequence[Waiting]) -> int:
        """Delete what the receiver has made durable; how many were still there."""
        self._leader.check()
        cursor = await self._leader.execute(_CONFIRM, seqs=[fact.seq for fact in facts])
        return cursor.rowcount

    async def wait(self, seconds: float = LOOK_EVERY) -> bool:
        """Wait until there is a fact, at most so many seconds; True when there is one."""
        return await self._leader.wait(_ANY, seconds, min(LOOK_EVERY, seconds))
