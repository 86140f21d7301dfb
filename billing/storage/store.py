"""The rows of the billing service, one attribute a noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from billing.domain.invoices import Invoice
from billing.domain.payments import Payment
from billing.storage.invoice_rows import invoice_of
from billing.storage.invoices import GET as GET_INVOICE
from billing.storage.invoices import Invoices
from billing.storage.ledger import BALANCE, Balance, Ledger, balance_of
from billing.storage.payments import GET as GET_PAYMENT
from billing.storage.payments import Payments, payment_of
from core.database import Database, Transaction
from core.errors import NotFound


class Work:
    """One transaction, by nouns."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.invoices = Invoices(tx)
        self.ledger = Ledger(tx)
        self.payments = Payments(tx)


class Store:
    """Opens transactions, and reads what is read most without one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def begin(self, *, read_only: bool = False) -> AsyncIterator[Work]:
        """A transaction of the call in progress."""
        async with self.database.begin(read_only=read_only) as tx:
            yield Work(tx)

    async def invoice(self, row: UUID) -> Invoice:
        """One invoice, whole, in one round trip on the shared connection. Raises NotFound."""
        found = await self.database.reads.one(GET_INVOICE, id=row)
        if found is None:
            raise NotFound
        return invoice_of(found)

    async def payment(self, row: UUID) -> Payment:
        """One payment with its allocations. Raises NotFound."""
        found = await self.database.reads.one(GET_PAYMENT, id=row)
        if found is None:
            raise NotFound
        return payment_of(found)

    async def balance(self, account: str, currency: str) -> Balance:
        """What was posted to an account in a currency; nothing yet is zero."""
        found = await self.database.reads.one(BALANCE, account=account, currency_code=currency)
        return balance_of(found)
