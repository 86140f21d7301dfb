"""Hears that the auth state has moved. Only a hint: the sequence itself is read from its table."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import psycopg

from auth.storage.state import CHANNEL
from core import tasks
from core.database.connections import connect

PAUSE_SECONDS = 1.0  # before connecting again; the poll covers the time between


class Listener:
    """One connection that waits for notifications, kept for the life of the process."""

    def __init__(self, url: str, heard: Callable[[], None]) -> None:
        """`heard` is called, on the event loop, after each notification."""
        self._url = url
        self._heard = heard
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop listening."""
        await tasks.end(self._task)

    async def _run(self) -> None:
        while True:
            with suppress(psycopg.Error):
                await self._listen()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        connection = await connect(self._url)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._heard()
            async for _ in connection.notifies():
                self._heard()
