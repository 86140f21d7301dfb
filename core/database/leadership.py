"""A connection that one relay of a database holds at a time, for one queue."""

import asyncio
import contextlib
from typing import Any

import psycopg

from core.database.connections import connect
from core.database.failures import RETRY_LATER, translate
from core.errors import Unavailable

LOOK_EVERY = 0.1  # seconds; a look costs about as much as a read by key, day and night
LONGEST_WAIT = 0.25  # seconds
STATEMENT_TIMEOUT = 10.0  # seconds


class Leadership:
    """A relay's connection. The lock of the leader lives and dies with it."""

    def __init__(self, relay_url: str, lock: int) -> None:
        self._url = relay_url
        self._lock = lock
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self.leads = False

    async def open(self) -> None:
        """Connect, or connect again. Raises Unavailable."""
        await self.close()
        session = f"-c statement_timeout={int(STATEMENT_TIMEOUT * 1000)}"
        try:
            self._connection = await connect(self._url, session)
        except psycopg.Error as error:
            raise translate(error) from error

    async def close(self) -> None:
        """Disconnect; another relay may lead then."""
        connection, self._connection = self._connection, None
        self.leads = False
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()

    async def lead(self) -> bool:
        """Become the leader, unless another relay of this database is. True when leading."""
        if not self.leads:
            cursor = await self.execute("SELECT pg_try_advisory_lock(%(lock)s)", lock=self._lock)
            row = await cursor.fetchone()
            self.leads = bool(row and row[0])
        return self.leads

    def check(self) -> None:
        """Raises RuntimeError when this is not the leader."""
        if not self.leads:
            raise RuntimeError("only the leader numbers and confirms")

    async def wait(self, any_: str, seconds: float, look_every: float = LOOK_EVERY) -> bool:
        """Wait until a query finds something, at most so many seconds; True when it does.

        It rests before it looks, so a relay that has reason to leave a record where it is does
        not spin.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            await asyncio.sleep(look_every)
            row = await (await self.execute(any_)).fetchone()
            if row and row[0]:
                return True
            if loop.time() >= until:
                return False

    async def execute(self, sql: str, **values: object) -> psycopg.AsyncCursor[Any]:
        """Run a statement. Raises Unavailable, or what else `translate` makes of a failure."""
        connection = self._connected()
        try:
            return await connection.execute(sql.encode(), values)
        except psycopg.Error as error:
            raise translate(error) from error

    def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            raise Unavailable(retry_after=RETRY_LATER)
        return self._connection
