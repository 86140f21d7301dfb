"""Transactions on compliance's rows, one attribute per noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from compliance.storage.events import Events
from compliance.storage.keys import Keys
from compliance.storage.logs import Logs
from compliance.storage.tiles import Tiles
from core import identity
from core.crypto.keyring import KeyProvider
from core.database import Database, Transaction


class StoreTransaction:
    """One transaction inside one organization's rows."""

    def __init__(self, tx: Transaction, keys: KeyProvider) -> None:
        self.logs = Logs(tx, keys)
        self.events = Events(tx)
        self.tiles = Tiles(tx)
        self.keys = Keys(tx, keys)


class Store:
    """Opens transactions."""

    def __init__(self, database: Database, keys: KeyProvider) -> None:
        self._database = database
        self._keys = keys

    @asynccontextmanager
    async def begin(self, *, read_only: bool = False) -> AsyncIterator[StoreTransaction]:
        """A transaction in the caller's organization."""
        async with self._database.begin(read_only=read_only) as tx:
            yield StoreTransaction(tx, self._keys)

    @asynccontextmanager
    async def begin_for(self, organization: UUID) -> AsyncIterator[StoreTransaction]:
        """A transaction in the organization that a relay speaks of, the zero UUID included.

        Relays carry the events of all organizations of their service, so their token names none.
        Each transaction is still inside exactly one, behind row-level security as any other.
        """
        call = identity.call()
        inside = replace(call, caller=replace(call.caller, organization=organization))
        async with self._database.begin_as(inside) as tx:
            yield StoreTransaction(tx, self._keys)
