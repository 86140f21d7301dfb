"""Whether PostgreSQL answers, asked over a connection that nobody else uses.

A pool whose connections are all in use says nothing of that: were a busy server taken for one whose
database is away, the balancer would send its load to the others, which would be the next.
"""

from typing import Any

import psycopg

from core.database.connections import connect


class Pulse:
    """One connection that asks. One for each database of a process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def beats(self) -> bool:
        """Whether a statement can be run now. Whoever waits says how long that may take."""
        try:
            if self._connection is None:
                self._connection = await connect(self._url)
            await self._connection.execute("SELECT 1")
        except psycopg.Error:
            self.close()
            return False
        except BaseException:
            # Cut off in the middle, it would give the next question the answer to this one.
            self.close()
            raise
        return True

    def close(self) -> None:
        """Let go of the connection, whatever is under way on it."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None
