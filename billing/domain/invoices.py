"""An invoice: what it charges, and what may be done to it. Totals follow EN 16931."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from billing.domain.money import DECIMALS, MOST_MINOR, half_up
from core.errors import EtagMismatch, InvalidField, Refusal

QUANTITY_UNIT: Final = 10**4
"""Quantities count ten-thousandths: four decimals, as BR-FR-DEC allows."""

PRICE_UNIT: Final = 10**6
"""Unit prices count millionths of the major unit: six decimals, as BR-FR-DEC allows."""

RATE_UNIT: Final = 100
"""Rates count hundredths of a percent."""

_WHOLE: Final = 100 * RATE_UNIT
# A date outside of these is a slip of the finger.
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
# An invoice is issued in arrears, never by more than a business year.
LONGEST_ARREARS: Final = timedelta(days=366)
# Where it is tomorrow already when it is today in UTC.
TOLERANCE: Final = timedelta(days=1)


class State(StrEnum):
    """Where an invoice stands."""

    DRAFT = "DRAFT"
    FINAL = "FINAL"


class VatCategory(StrEnum):
    """How a line is taxed (UNCL 5305)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"


class InvoiceFinal(Refusal):
    """The invoice has its number: it is never changed again."""

    reason = "INVOICE_FINAL"


class IssueDateOutOfOrder(Refusal):
    """The last invoice of the series is of a later day."""

    reason = "ISSUE_DATE_OUT_OF_ORDER"


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who is to pay, as the invoice states it."""

    display_name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How something is taxed: lines of one treatment are taxed together."""

    category: VatCategory
    rate: int = 0
    exemption_code: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing charged for; see QUANTITY_UNIT and PRICE_UNIT."""

    description: str
    quantity: int
    unit_price: int
    treatment: Treatment

    def net(self, currency: str) -> int:
        """Quantity times price in minor units, rounded once (BT-131)."""
        exact = self.quantity * self.unit_price * 10 ** DECIMALS[currency]
        return half_up(exact, QUANTITY_UNIT * PRICE_UNIT)


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """What is taxed in one way, and the tax on it, in minor units."""

    treatment: Treatment
    basis: int
    tax: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What can be changed of a draft."""

    buyer: Buyer
    series: str
    lines: tuple[Line, ...]
    due_date: date | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice at one revision. Amounts are in minor units of `currency`.

    One that was read for a list has no lines and no taxes.
    """

    id: UUID
    patient_id: UUID
    currency: str
    terms: Terms
    taxes: tuple[TaxTotal, ...]
    net_total: int
    tax_total: int
    created_at: datetime
    updated_at: datetime
    state: State = State.DRAFT
    number: str = ""
    issue_date: date | None = None
    allocated: int = 0
    revision: int = 1

    @property
    def total(self) -> int:
        """What is to be paid (BT-112)."""
        return self.net_total + self.tax_total

    @property
    def open(self) -> int:
        """What is left to be paid (BT-115)."""
        return self.total - self.allocated

    @property
    def etag(self) -> str:
        """The revision, as callers hold it (AIP-154)."""
        return str(self.revision)


def check_currency(currency: str) -> None:
    """Raises InvalidField for one that nobody pays with."""
    if currency not in DECIMALS:
        raise InvalidField(field="invoice.currency_code", rule="currency")


def tax_totals(lines: Sequence[Line], currency: str) -> tuple[TaxTotal, ...]:
    """One for each treatment, in a fixed order; each tax is rounded once (BT-117)."""
    bases: dict[Treatment, int] = {}
    for line in lines:
        bases[line.treatment] = bases.get(line.treatment, 0) + line.net(currency)
    ordered = sorted(bases, key=lambda t: (t.category, t.rate, t.exemption_code))
    return tuple(TaxTotal(t, bases[t], half_up(bases[t] * t.rate, _WHOLE)) for t in ordered)


def draft(row: UUID, patient: UUID, currency: str, terms: Terms, *, at: datetime) -> Invoice:
    """A new invoice with its totals. Raises InvalidField for what cannot be charged."""
    fresh = Invoice(row, patient, currency, terms, (), 0, 0, created_at=at, updated_at=at)
    return _charged(fresh, terms)


def change(invoice: Invoice, terms: Terms, *, at: datetime) -> Invoice:
    """The draft with other terms; the same object when nothing changes.

    Raises InvoiceFinal, and InvalidField as `draft` does.
    """
    _check_draft(invoice)
    if terms == invoice.terms:
        return invoice
    changed = _charged(invoice, terms)
    return replace(changed, revision=invoice.revision + 1, updated_at=at)


def finalize(invoice: Invoice, issue_date: date | None, *, at: datetime) -> Invoice:
    """The invoice as it is issued that day (None: today), still without the number, which the
    series gives. Raises InvoiceFinal, and InvalidField for a day on which it cannot be issued.
    """
    _check_draft(invoice)
    today = at.date()
    day = issue_date or today
    if not today - LONGEST_ARREARS <= day <= today + TOLERANCE:
        raise InvalidField(field="issue_date", rule="date")
    if invoice.terms.due_date is not None and invoice.terms.due_date < day:
        raise InvalidField(field="issue_date", rule="after_due_date")
    return replace(
        invoice,
        state=State.FINAL,
        issue_date=day,
        updated_at=at,
        revision=invoice.revision + 1,
    )


def check_etag(invoice: Invoice, etag: str) -> None:
    """Raises EtagMismatch unless the caller has seen this revision; "" asks for no check."""
    if etag and etag != invoice.etag:
        raise EtagMismatch


def _check_draft(invoice: Invoice) -> None:
    if invoice.state is not State.DRAFT:
        raise InvoiceFinal


def _charged(invoice: Invoice, terms: Terms) -> Invoice:
    """The invoice with these terms and the totals that follow from them."""
    _check_terms(terms)
    for index, line in enumerate(terms.lines):
        if line.net(invoice.currency) > MOST_MINOR:
            raise InvalidField(field=f"invoice.lines[{index}]", rule="amount")
    taxes = tax_totals(terms.lines, invoice.currency)
    net_total = sum(one.basis for one in taxes)
    tax_total = sum(one.tax for one in taxes)
    if net_total + tax_total > MOST_MINOR:
        raise InvalidField(field="invoice.lines", rule="total")
    return replace(invoice, terms=terms, taxes=taxes, net_total=net_total, tax_total=tax_total)


def _check_terms(terms: Terms) -> None:
    if not terms.buyer.display_name:
        raise InvalidField(field="invoice.buyer.display_name", rule="required")
    if not terms.series:
        raise InvalidField(field="invoice.series", rule="required")
    if not terms.lines:
        raise InvalidField(field="invoice.lines", rule="required")
    if terms.due_date is not None and not FIRST_DAY <= terms.due_date <= LAST_DAY:
        raise InvalidField(field="invoice.due_date", rule="date")
    for index, line in enumerate(terms.lines):
        _check_treatment(line.treatment, f"invoice.lines[{index}]")


def _check_treatment(treatment: Treatment, at: str) -> None:
    """A rate where tax is due and nowhere else; a reason where none is and nowhere else."""
    taxed = treatment.category is VatCategory.STANDARD
    if taxed != (treatment.rate > 0) or treatment.rate > _WHOLE:
        raise InvalidField(field=f"{at}.vat_rate", rule="vat_rate")
    if (treatment.category is VatCategory.EXEMPT) != bool(treatment.exemption_code):
        raise InvalidField(field=f"{at}.exemption_code", rule="exemption_code")
