"""Whether a database has room for writes, and takes them.

On a full disk PostgreSQL still commits what fits into pages and log that it has, so a small write
proves nothing. What is asked for here must be written to new places: a result that does not fit
into memory goes to a file of the server's, in the same transaction as a record of the log.
"""

import asyncio
from typing import Final

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from core import tasks
from core.database.connections import PooledConnection

PROVE_EVERY: Final = 5.0
"""Seconds for which a proof holds: one costs a flush of the log and a mebibyte of a file that is
removed at once."""

PROVE_AGAIN: Final = 1.0
"""Seconds until the next attempt after one that failed, or that found no connection."""

LONGEST_PROOF: Final = 10.0
"""Seconds: a write that takes longer is none that a caller would wait for."""

_LITTLE_MEMORY: Final = "SELECT set_config('work_mem', '64kB', true)"
# 1024 lines of 1 KiB: sixteen times what it may hold in memory.
_WRITE: Final = """WITH written AS MATERIALIZED (
        SELECT repeat('medhub..', 128) AS line FROM generate_series(1, 1024))
    SELECT pg_logical_emit_message(true, 'medhub', ''), count(line),
        current_setting('transaction_read_only') = 'off'
    FROM written"""


class Room:
    """Proves again and again that one database takes writes. It never waits behind a slow one."""

    def __init__(self, pool: AsyncConnectionPool[PooledConnection]) -> None:
        self._pool = pool
        self._proof: asyncio.Task[None] | None = None
        self._began = self._next = float("-inf")
        self._is_there = False

    async def is_there(self) -> bool:
        """Whether the newest attempt succeeded, and none is stuck. The first is waited for."""
        now = asyncio.get_running_loop().time()
        if self._proof is None or (self._proof.done() and now >= self._next):
            self._began = now
            self._proof = asyncio.create_task(self._prove())
        if not self._is_there:
            await asyncio.shield(self._proof)
        stuck = not self._proof.done() and now - self._began > LONGEST_PROOF
        return self._is_there and not stuck

    def doubt(self) -> None:
        """The database was away, and may be another one when it is back: the proof is void."""
        self._is_there = False
        self._next = float("-inf")

    async def close(self) -> None:
        """Prove nothing more."""
        await tasks.end(self._proof)

    async def _prove(self) -> None:
        pause = PROVE_AGAIN
        try:
            async with self._pool.connection() as connection:
                await connection.execute(_LITTLE_MEMORY)
                row = await (await connection.execute(_WRITE)).fetchone()
            self._is_there = row is not None and bool(row[2])
            pause = PROVE_EVERY if self._is_there else PROVE_AGAIN
        except (PoolTimeout, TooManyRequests):
            # All connections are in use, which says nothing about the disk.
            pass
        except (psycopg.Error, PoolClosed):
            self._is_there = False
        finally:
            self._next = asyncio.get_running_loop().time() + pause
