"""Rows of the ledger: read here, written by one function of the database."""

# ruff: noqa: S608 - the text of statements is made of constants of this module alone.

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from billing.domain.ledger import Kind, Posting, Side
from core.database import Row, Statement, Transaction, sql
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


def _page(*, of_account: bool, of_source: bool, is_next: bool) -> Statement:
    asked = {
        **({"e.account = :account": ("account", Text)} if of_account else {}),
        **({"t.source = :source": ("source", Text)} if of_source else {}),
        **({"e.id < :after_id": ("after_id", Uuid)} if is_next else {}),
    }
    where = f"WHERE {' AND '.join(asked)}" if asked else ""
    return sql(
        f"""SELECT e.id, e.transaction_id, t.source, e.account, e.currency_code, e.side, e.amount,
            t.created_at
        FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id {where}
        ORDER BY e.id DESC LIMIT :limit""",
        limit=Integer,
        **dict(asked.values()),
    )


PAGES: Final = {
    (account, source, is_next): _page(of_account=account, of_source=source, is_next=is_next)
    for account in (False, True)
    for source in (False, True)
    for is_next in (False, True)
}
"""Pages of entries, by whether they are of an account, of a document, and go on behind another."""


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
        asked: dict[str, Any] = {"limit": limit}
        asked |= {"account": account} if account else {}
        asked |= {"source": source} if source else {}
        asked |= {"after_id": after} if after else {}
        rows = await self._tx.all(PAGES[bool(account), bool(source), bool(after)], **asked)
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
