"""Transactions on compliance's rows, one attribute per noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from compliance.storage.access_packages import AccessPackages
from compliance.storage.access_requests import AccessRequests
from compliance.storage.access_work import AccessWork
from compliance.storage.erasure_requests import ErasureRequests
from compliance.storage.events import Events
from compliance.storage.keys import Keys
from compliance.storage.logs import Logs
from compliance.storage.restrictions import Restrictions
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
        self.access_requests = AccessRequests(tx)
        self.access_packages = AccessPackages(tx, self.keys)
        self.access_work = AccessWork(tx)
        self.erasure_requests = ErasureRequests(tx)
        self.restrictions = Restrictions(tx)
        self.first_try = tx.first_try
        self.remember = tx.remember


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
        async with self.begin_as(inside) as tx:
            yield tx

    @asynccontextmanager
    async def begin_as(self, call: identity.Call) -> AsyncIterator[StoreTransaction]:
        """A transaction of work that no call asked for."""
        async with self._database.begin_as(call) as tx:
            yield StoreTransaction(tx, self._keys)
