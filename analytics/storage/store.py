"""Transactions on the rows of analytics, one attribute per noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from analytics.storage.facts import Facts
from analytics.storage.figures import Figures
from core import identity
from core.database import Database, Transaction


class StoreTransaction:
    """One transaction inside one organization's rows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.facts = Facts(tx)
        self.figures = Figures(tx)

    async def record_export(self, metric: str, rows: int) -> None:
        """Leave in the trail that figures were handed out."""
        await self._tx.record_act(identity.call().action, resource=metric, detail={"rows": rows})


class Store:
    """Opens transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def begin(self, *, read_only: bool = False) -> AsyncIterator[StoreTransaction]:
        """A transaction in the caller's organization."""
        async with self._database.begin(read_only=read_only) as tx:
            yield StoreTransaction(tx)

    @asynccontextmanager
    async def begin_for(self, organization: UUID) -> AsyncIterator[StoreTransaction]:
        """A transaction in the organization that a relay speaks of, the zero UUID included.

        Relays carry the facts of all organizations of their service, so their token names none.
        Each transaction is still inside exactly one, behind row-level security as any other.
        """
        call = identity.call()
        inside = replace(call, caller=replace(call.caller, organization=organization))
        async with self._database.begin_as(inside) as tx:
            yield StoreTransaction(tx)
