"""Work that every server does now and then: forgetting the keys of requests long done."""

import asyncio
import logging

from core import tasks
from core.database import Database
from core.database.request_keys import PURGE, RETENTION
from core.errors import Refusal
from core.identity import Call, Caller, Kind

# Keys are kept for a day, so an hour more or less makes no difference.
EVERY_SECONDS = 3600.0
_log = logging.getLogger("medhub.housekeeping")


class Housekeeping:
    """Runs for the life of a server."""

    def __init__(self, service: str, database: Database) -> None:
        self._call = Call(
            method=f"{service}.server/Housekeeping",
            caller=Caller(kind=Kind.SERVICE),
            action=f"{service}.housekeeping",
            purpose="operation",
        )
        self._database = database
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End."""
        await tasks.end(self._task)

    async def purge(self) -> None:
        """Forget the keys of requests that no client repeats any more."""
        async with self._database.begin_as(self._call) as tx:
            await tx.one(PURGE, age=RETENTION)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.purge()
            except Refusal as away:
                _log.info("put off for an hour: %s", away.reason)
