"""Many at once: numbers without gaps, and never more paid than is there."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from billing.domain.invoices import Invoice, IssueDateOutOfOrder, finalize
from billing.domain.ledger import posting_of_allocation, posting_of_invoice
from billing.domain.payments import InvoiceExceeded, PaymentExceeded, Share, allocate
from billing.storage.store import Store
from core import clock
from core.database import Database
from core.errors import Unavailable
from core.ids import new_id
from tests.support.billing_office import EURO, Office, line, office
from tests.support.postgres import as_caller

__all__ = ["office"]
AT_ONCE = 32
_T = TypeVar("_T")


class Abandoned(Exception):
    """A transaction that fails after it has its number."""


@pytest.fixture
async def crowd(office: Office) -> AsyncIterator[Store]:
    """The office's store with a connection for each who comes at once."""
    settings = office.database.settings.model_copy(update={"pool_size": AT_ONCE})
    database = Database(settings)
    await database.open()
    yield Store(database)
    await database.close()


async def _patiently(act: Callable[[], Awaitable[_T]]) -> _T:
    """Again while the database is too busy, as any client does."""
    while True:
        try:
            return await act()
        except Unavailable:
            await asyncio.sleep(0.05)


async def _finalize(store: Store, made: Invoice, *, fails: bool) -> str:
    async with store.begin() as work:
        final = finalize(await work.invoices.lock(made.id), None, at=clock.now())
        await work.ledger.post(posting_of_invoice(final), at=clock.now())
        final = await work.invoices.finalize(final)
        if fails:
            raise Abandoned
    return final.number


async def _together(acts: list[Coroutine[Any, Any, _T]]) -> list[_T | BaseException]:
    return await asyncio.gather(*(asyncio.create_task(act) for act in acts), return_exceptions=True)


async def test_numbers_have_no_gap_however_many_fail(office: Office, crowd: Store) -> None:
    """32 at once in one series, a third of which fail after they have taken their number."""
    as_caller(organization=new_id())
    drafts = [await office.draft() for _ in range(AT_ONCE)]
    fails = [n % 3 == 1 for n in range(AT_ONCE)]

    async def one(made: Invoice, fails: bool) -> str:
        return await _patiently(lambda: _finalize(crowd, made, fails=fails))

    outcomes = await _together([one(*pair) for pair in zip(drafts, fails, strict=True)])

    numbers = sorted(each for each in outcomes if isinstance(each, str))
    abandoned = [each for each in outcomes if isinstance(each, Abandoned)]
    assert (len(numbers), len(abandoned)) == (fails.count(False), fails.count(True))
    assert numbers == [f"F2026-{n:06}" for n in range(1, len(numbers) + 1)]
    rows = office.database.rows("SELECT last_sequence FROM invoice_series")
    assert rows == [{"last_sequence": len(numbers)}]
    await _books_agree(office)


async def test_a_series_never_goes_back_in_time(office: Office) -> None:
    """The day of the last number is the earliest of the next; another series has its own."""
    as_caller(organization=new_id())
    await office.final()
    yesterday = clock.now().date() - timedelta(days=1)
    late, other = await office.draft(), await office.draft(series="G2026")

    with pytest.raises(IssueDateOutOfOrder):
        await office.finalize(late.id, yesterday)

    assert (await office.finalize(other.id, yesterday)).number == "G2026-000001"
    assert (await office.finalize(late.id)).number == "F2026-000002"


async def _allocate(store: Store, payment: UUID, *shares: Share) -> None:
    async with store.begin() as work:
        before = await work.payments.lock(payment)
        receivables = await work.payments.lock_receivables([one.invoice_id for one in shares])
        paid = allocate(before, shares, receivables)
        await work.payments.save_allocations(paid, shares, receivables, at=clock.now())
        posting = posting_of_allocation(payment, paid.allocated - before.allocated, "EUR")
        await work.ledger.post(posting, at=clock.now())


async def test_never_more_is_paid_than_is_there_on_either_side(
    office: Office, crowd: Store
) -> None:
    """32 allocations of four payments to four invoices, in random pairs and orders: what fits is
    allocated, the rest is refused, nobody deadlocks.
    """
    as_caller(organization=new_id())
    draw = random.Random(7)
    invoices = [await office.final(line(10 * EURO)) for _ in range(4)]
    payments = [await office.payment(1000) for _ in range(4)]

    async def one(payment: UUID, shares: list[Share]) -> None:
        await _patiently(lambda: _allocate(crowd, payment, *shares))

    def wish() -> tuple[UUID, list[Share]]:
        chosen = draw.sample(invoices, 2)
        shares = [Share(each.id, draw.choice((100, 250)), "EUR") for each in chosen]
        return draw.choice(payments).id, shares

    outcomes = await _together([one(*wish()) for _ in range(AT_ONCE)])

    refused = [each for each in outcomes if each is not None]
    assert all(isinstance(each, PaymentExceeded | InvoiceExceeded) for each in refused), refused
    assert 0 < len(refused) < AT_ONCE
    for table, id_ in (("payment", "payment_id"), ("receivable", "invoice_id")):
        key = "id" if table == "payment" else "invoice_id"
        rows = office.database.rows(
            f"""SELECT t.allocated, COALESCE(sum(a.amount), 0) AS summed
            FROM {table} t LEFT JOIN allocation a ON a.{id_} = t.{key}
            GROUP BY t.{key}, t.allocated"""
        )
        assert [row["allocated"] for row in rows] == [row["summed"] for row in rows]
        assert all(0 <= row["allocated"] <= 1000 for row in rows)
    await _books_agree(office)


async def _books_agree(office: Office) -> None:
    """Each account holds what its entries sum up to, and the receivable what is open."""
    books = """SELECT account, side, sum(amount) AS summed FROM ledger_entry GROUP BY 1, 2"""
    entries = {(row["account"], row["side"]): row["summed"] for row in office.database.rows(books)}
    accounts = office.database.rows("SELECT account, debits, credits FROM ledger_account")
    assert {(row["account"], side) for row in accounts for side in ("DEBIT", "CREDIT")} >= set(
        entries
    )
    for row in accounts:
        assert row["debits"] == entries.get((row["account"], "DEBIT"), 0)
        assert row["credits"] == entries.get((row["account"], "CREDIT"), 0)
    [owed] = office.database.rows("SELECT sum(total - allocated) AS open FROM receivable")
    [receivable] = [row for row in accounts if row["account"] == "receivable"]
    assert receivable["debits"] - receivable["credits"] == owed["open"]
