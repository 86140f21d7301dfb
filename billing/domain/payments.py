"""Payments, and which part of them pays which invoice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from billing.domain.invoices import FIRST_DAY, TOLERANCE, State
from billing.domain.money import MOST_MINOR
from core.errors import InvalidField, Refusal


class Means(StrEnum):
    """How money comes in."""

    CASH = "CASH"
    CHEQUE = "CHEQUE"
    CARD = "CARD"
    TRANSFER = "TRANSFER"


class InvoiceNotFinal(Refusal):
    """Only an invoice that has its number can be paid."""

    reason = "INVOICE_NOT_FINAL"


class CurrencyMismatch(Refusal):
    """An invoice is in another currency than the payment."""

    reason = "CURRENCY_MISMATCH"


class PaymentExceeded(Refusal):
    """The payment has less left."""

    reason = "PAYMENT_EXCEEDED"


class InvoiceExceeded(Refusal):
    """An invoice has less open."""

    reason = "INVOICE_EXCEEDED"

    def __init__(self, index: int) -> None:
        super().__init__(metadata={"index": str(index)})


@dataclass(frozen=True, slots=True)
class Allocation:
    """A part of a payment that pays a part of an invoice."""

    id: UUID
    invoice_id: UUID
    amount: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, in minor units of `currency`; a list shows no allocations."""

    id: UUID
    patient_id: UUID | None
    amount: int
    currency: str
    means: Means
    received_on: date
    reference: str
    created_at: datetime
    allocated: int = 0
    allocations: tuple[Allocation, ...] = ()

    @property
    def unallocated(self) -> int:
        """What is left of it."""
        return self.amount - self.allocated


@dataclass(frozen=True, slots=True)
class Share:
    """What a request wants to pay of an invoice."""

    invoice_id: UUID
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Receivable:
    """What an invoice still asks for; a draft asks for nothing yet."""

    patient_id: UUID
    currency: str
    state: State
    open: int


def check_payment(payment: Payment, *, at: datetime) -> None:
    """Raises InvalidField for an amount or a day that cannot be."""
    if not 0 < payment.amount <= MOST_MINOR:
        raise InvalidField(field="payment.amount", rule="amount")
    if not FIRST_DAY <= payment.received_on <= at.date() + TOLERANCE:
        raise InvalidField(field="payment.receive_date", rule="date")


def check_shares(shares: Sequence[Share]) -> None:
    """Raises InvalidField for an amount that cannot be, and for an invoice that comes twice."""
    seen: set[UUID] = set()
    for index, share in enumerate(shares):
        if not 0 < share.amount <= MOST_MINOR:
            raise InvalidField(field=f"allocations[{index}].amount", rule="amount")
        if share.invoice_id in seen:
            raise InvalidField(
                field=f"allocations[{index}].invoice",
                rule="unique",
                description="each invoice once",
            )
        seen.add(share.invoice_id)


def allocate(
    payment: Payment, shares: Sequence[Share], receivables: Mapping[UUID, Receivable]
) -> Payment:
    """The payment with less left. Both sides are locked, so what is open stays so.

    The checks have a fixed order, so that a retry meets the same reason. Raises InvalidField for
    an invoice that is not there, InvoiceNotFinal, CurrencyMismatch, PaymentExceeded and
    InvoiceExceeded.
    """
    for index, share in enumerate(shares):
        if share.invoice_id not in receivables:
            raise InvalidField(field=f"allocations[{index}].invoice", rule="reference")
    if any(receivables[share.invoice_id].state is State.DRAFT for share in shares):
        raise InvoiceNotFinal
    currencies = {receivables[share.invoice_id].currency for share in shares}
    if currencies | {share.currency for share in shares} != {payment.currency}:
        raise CurrencyMismatch
    whole = sum(share.amount for share in shares)
    if whole > payment.unallocated:
        raise PaymentExceeded
    for index, share in enumerate(shares):
        if share.amount > receivables[share.invoice_id].open:
            raise InvoiceExceeded(index)
    return replace(payment, allocated=payment.allocated + whole)
