"""Reading a log from the database that holds it, as a restore does before anything serves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from compliance.servicers.proofs import read_tile
from compliance.storage.store import Store, StoreTransaction
from core import identity
from core.errors import NotFound
from core.identity import Call, Caller, Kind
from hub.audit_reader import Published

Found = TypeVar("Found")


class StoredReader:
    """Reads one organization's log, behind row-level security; from threads beside the loop."""

    def __init__(self, store: Store, organization: UUID, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._call = Call(
            method="compliance.server/Restore",
            caller=Caller(kind=Kind.SERVICE, organization=organization),
            action="compliance.audit.verify",
            purpose="operation",
        )

    def checkpoint(self) -> Published | None:
        """The newest checkpoint; None while the log has no event."""
        found = self._wait(lambda tx: tx.logs.newest())
        return None if found is None else Published(found.note, found.verifier_key)

    def tile(self, path: str) -> bytes | None:
        """A tile or a bundle by its path; None when the log lacks it."""
        try:
            return self._wait(lambda tx: read_tile(tx, path))
        except NotFound:
            return None

    def _wait(self, read: Callable[[StoreTransaction], Awaitable[Found]]) -> Found:
        return asyncio.run_coroutine_threadsafe(self._read(read), self._loop).result()

    async def _read(self, read: Callable[[StoreTransaction], Awaitable[Found]]) -> Found:
        identity.enter(self._call)
        async with self._store.begin(read_only=True) as tx:
            return await read(tx)
