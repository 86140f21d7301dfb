"""The queue of received messages that are to be processed."""

from typing import Final
from uuid import UUID

from sqlalchemy import Integer

from clinical.storage.sql import sql
from core.database import Transaction

# Read without a tenant: the queue says for whom there is work, and nothing of anybody.
_WAITING: Final = sql(
    """SELECT w.organization_id, w.message_id, w.partitions FROM hl7_work w
    ORDER BY w.seq LIMIT :limit""",
    limit=Integer,
)


class Queue:
    """The queue as a worker sees it: of every tenant, and without what a message holds."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def heads(self, *, limit: int) -> list[tuple[UUID, UUID]]:
        """Organization and message of those whose turn it is, oldest first.

        `limit` is how many of the queue are looked at. Only a claim decides: another worker may
        have been faster.
        """
        seen: set[tuple[UUID, str]] = set()
        heads = []
        for row in await self._tx.all(_WAITING, limit=limit):
            named = {(row.organization_id, partition) for partition in row.partitions}
            if not named & seen:
                heads.append((row.organization_id, row.message_id))
            seen |= named
        return heads
