"""The billing service's store on a real database, and documents to put into it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import pytest

from billing.domain.invoices import (
    Buyer,
    Invoice,
    Line,
    Terms,
    Treatment,
    VatCategory,
    draft,
    finalize,
)
from billing.domain.ledger import posting_of_invoice, posting_of_payment
from billing.domain.payments import Means, Payment
from billing.storage.store import Store
from core import clock
from core.ids import new_id
from tests.support.postgres import ServiceDatabase

CARE: Final = Treatment(VatCategory.EXEMPT, 0, "VATEX-FR-CGI261-4")
TAXED: Final = Treatment(VatCategory.STANDARD, 2000)
BUYER: Final = Buyer("Anne Martin", "1 rue des Lilas", "69003", "Lyon", "FR")
EURO: Final = 10**6
"""One euro, as unit prices count."""

ONE: Final = 10**4
"""One, as quantities count."""


def line(price: int, treatment: Treatment = CARE, quantity: int = ONE) -> Line:
    """One thing charged for."""
    return Line("Consultation", quantity, price, treatment)


def terms(*lines: Line, series: str = "F2026", due_date: date | None = None) -> Terms:
    """What a draft says; one consultation of 30 euros unless told."""
    return Terms(BUYER, series, lines or (line(30 * EURO),), due_date)


@dataclass(frozen=True, slots=True)
class Office:
    """A store and its database."""

    store: Store
    database: ServiceDatabase

    async def draft(
        self,
        *lines: Line,
        series: str = "F2026",
        patient: UUID | None = None,
        currency: str = "EUR",
    ) -> Invoice:
        """A draft of the caller's organization."""
        made = draft(
            new_id(), patient or new_id(), currency, terms(*lines, series=series), at=clock.now()
        )
        async with self.store.begin() as work:
            await work.invoices.add(made)
        return made

    async def finalize(self, row: UUID, day: date | None = None) -> Invoice:
        """A draft made final, as the servicer does it."""
        async with self.store.begin() as work:
            final = finalize(await work.invoices.lock(row), day, at=clock.now())
            await work.ledger.post(posting_of_invoice(final), at=clock.now())
            return await work.invoices.finalize(final)

    async def final(self, *lines: Line, series: str = "F2026", currency: str = "EUR") -> Invoice:
        """An invoice with its number."""
        made = await self.draft(*lines, series=series, currency=currency)
        return await self.finalize(made.id)

    async def payment(self, amount: int, patient: UUID | None = None) -> Payment:
        """A payment in euros, posted."""
        made = Payment(
            new_id(), patient, amount, "EUR", Means.CARD, clock.now().date(), "", clock.now()
        )
        async with self.store.begin() as work:
            await work.payments.add(made)
            await work.ledger.post(posting_of_payment(made.id, amount, "EUR"), at=clock.now())
        return made


@pytest.fixture
async def office(database: Callable[[str], ServiceDatabase]) -> AsyncIterator[Office]:
    """A fresh billing database, and its store as the server has it."""
    made = database("billing")
    async with made.open() as db:
        yield Office(Store(db), made)
