"""Rows of the ledger: read here, written by one function of the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from billing.domain.ledger import Kind, Posting, Side
from billing.storage.paging import page, pages
from core.database import Row, Transaction, sql
from core.ids import name_of, new_id

_SOURCES: Final = {
    Kind.INVOICE: "invoices",
    Kind.PAYMENT: "payments",
    Kind.ALLOCATION: "payments",
}

_POST: Final = sql(
    """SELECT medhub.post(:id, :kind, :source, :posted_at, :accounts, :currencies, :sides,
        :amounts)""",
    id=Uuid,
    kind=Text,
    source=Text,
    posted_at=TIMESTAMP(timezone=True),
    accounts=ARRAY(Text),
    currencies=ARRAY(Text),
    sides=ARRAY(Text),
    amounts=ARRAY(BigInteger),
)
BALANCE: Final = sql(
    """SELECT a.debits, a.credits FROM ledger_account a
    WHERE a.account = :account AND a.currency_code = :currency_code""",
    account=Text,
    currency_code=Text,
)


PAGES: Final = pages(
    """SELECT e.id, e.transaction_id, t.source, e.account, e.currency_code, e.side, e.amount,
        t.created_at
    FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id""",
    key="e.id",
    account=("e.account", Text),
    source=("t.source", Text),
)


@dataclass(frozen=True, slots=True)
class Balance:
    """What was posted to an account in one currency, in minor units."""

    debits: int = 0
    credits: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg, as it was posted."""

    id: UUID
    transaction_id: UUID
    source: str
    account: str
    currency: str
    side: Side
    amount: int
    created_at: datetime


class Ledger:
    """The ledger in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def post(self, posting: Posting, *, at: datetime) -> None:
        """Add what a document stands for; nothing for one on which nothing is due."""
        legs = posting.legs
        if not legs:
            return
        await self._tx.run(
            _POST,
            id=new_id(),
            kind=posting.kind.value,
            source=name_of(_SOURCES[posting.kind], posting.source_id),
            posted_at=at,
            accounts=[leg.account.value for leg in legs],
            currencies=[posting.currency for _ in legs],
            sides=[leg.side.value for leg in legs],
            amounts=[leg.amount for leg in legs],
        )

    async def page(
        self, *, limit: int, account: str = "", source: str = "", after: UUID | None = None
    ) -> list[Entry]:
        """Entries, newest first; of an account, a document, or all."""
        rows = await page(
            self._tx, PAGES, limit=limit, account=account, source=source, after_id=after
        )
        return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry:
    return Entry(
        row.id,
        row.transaction_id,
        row.source,
        row.account,
        row.currency_code,
        Side(row.side),
        row.amount,
        row.created_at,
    )


def balance_of(row: Row | None) -> Balance:
    """The balance in a row; zero without one."""
    return Balance() if row is None else Balance(row.debits, row.credits)
