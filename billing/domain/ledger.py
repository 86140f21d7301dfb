"""What is posted for an invoice, a payment and an allocation: legs that add up to nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from billing.domain.invoices import Invoice, VatCategory


class Account(StrEnum):
    """The accounts of every organization."""

    RECEIVABLE = "receivable"
    REVENUE_STANDARD = "revenue-standard"
    REVENUE_ZERO = "revenue-zero"
    REVENUE_EXEMPT = "revenue-exempt"
    VAT_PAYABLE = "vat-payable"
    CASH = "cash"
    UNALLOCATED = "unallocated"


class Side(StrEnum):
    """The sides of an account."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class Kind(StrEnum):
    """What is posted."""

    INVOICE = "INVOICE"
    PAYMENT = "PAYMENT"
    ALLOCATION = "ALLOCATION"


_REVENUE: Final = {
    VatCategory.STANDARD: Account.REVENUE_STANDARD,
    VatCategory.ZERO: Account.REVENUE_ZERO,
    VatCategory.EXEMPT: Account.REVENUE_EXEMPT,
}


@dataclass(frozen=True, slots=True)
class Leg:
    """An amount on one side of an account, in minor units; more than nothing."""

    account: Account
    side: Side
    amount: int


@dataclass(frozen=True, slots=True)
class Posting:
    """Legs that are posted together for a document, in its currency; none where nothing is due."""

    kind: Kind
    source_id: UUID
    currency: str
    legs: tuple[Leg, ...]


def posting_of_invoice(invoice: Invoice) -> Posting:
    """Receivable against revenue, an account for each VAT category, and VAT payable."""
    revenue: dict[Account, int] = {}
    for one in invoice.taxes:
        account = _REVENUE[one.treatment.category]
        revenue[account] = revenue.get(account, 0) + one.basis
    legs = (
        Leg(Account.RECEIVABLE, Side.DEBIT, invoice.total),
        *(Leg(account, Side.CREDIT, amount) for account, amount in revenue.items()),
        Leg(Account.VAT_PAYABLE, Side.CREDIT, invoice.tax_total),
    )
    return Posting(Kind.INVOICE, invoice.id, invoice.currency, _due(legs))


def posting_of_payment(payment: UUID, amount: int, currency: str) -> Posting:
    """Cash against what is not allocated yet."""
    return _two(Kind.PAYMENT, payment, currency, Account.CASH, Account.UNALLOCATED, amount)


def posting_of_allocation(payment: UUID, amount: int, currency: str) -> Posting:
    """What was not allocated against what was receivable."""
    debit, credit = Account.UNALLOCATED, Account.RECEIVABLE
    return _two(Kind.ALLOCATION, payment, currency, debit, credit, amount)


def _two(
    kind: Kind, source: UUID, currency: str, debit: Account, credit: Account, amount: int
) -> Posting:
    legs = (Leg(debit, Side.DEBIT, amount), Leg(credit, Side.CREDIT, amount))
    return Posting(kind, source, currency, legs)


def _due(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if leg.amount)
