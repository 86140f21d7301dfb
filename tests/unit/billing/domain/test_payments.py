"""Payments: what may be allocated, and in which order refusals come."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices import State
from billing.domain.money import MOST_MINOR
from billing.domain.payments import (
    CurrencyMismatch,
    InvoiceExceeded,
    InvoiceNotFinal,
    Means,
    Payment,
    PaymentExceeded,
    Receivable,
    Share,
    allocate,
    check_payment,
    check_shares,
)
from core.errors import InvalidField, Refusal
from core.ids import new_id

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
PAYMENT = Payment(new_id(), None, 1000, "EUR", Means.CASH, AT.date(), "", AT)
ONE, OTHER = new_id(), new_id()


def asked(open_: int, currency: str = "EUR", state: State = State.FINAL) -> Receivable:
    """What an invoice asks for."""
    return Receivable(new_id(), currency, state, open_)


@given(
    amount=st.integers(1, 10**6),
    opens=st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    data=st.data(),
)
def test_never_more_than_is_there_on_either_side(
    amount: int, opens: list[int], data: st.DataObject
) -> None:
    """What is allocated fits, and what does not fit is refused."""
    receivables = {new_id(): asked(one) for one in opens}
    shares = [Share(row, data.draw(st.integers(1, 10**6)), "EUR") for row in receivables]
    payment = replace(PAYMENT, amount=amount)
    whole = sum(share.amount for share in shares)
    fits = all(share.amount <= receivables[share.invoice_id].open for share in shares)

    if whole <= amount and fits:
        assert allocate(payment, shares, receivables).unallocated == amount - whole
    else:
        with pytest.raises((PaymentExceeded, InvoiceExceeded)):
            allocate(payment, shares, receivables)


@pytest.mark.parametrize(
    ("shares", "receivables", "refusal"),
    [
        ([Share(ONE, 2000, "EUR")], {}, InvalidField),
        ([Share(ONE, 2000, "USD")], {ONE: asked(0, state=State.DRAFT)}, InvoiceNotFinal),
        ([Share(ONE, 2000, "USD")], {ONE: asked(0)}, CurrencyMismatch),
        ([Share(ONE, 2000, "EUR")], {ONE: asked(0, "USD")}, CurrencyMismatch),
        ([Share(ONE, 1001, "EUR")], {ONE: asked(0)}, PaymentExceeded),
        ([Share(ONE, 999, "EUR")], {ONE: asked(998)}, InvoiceExceeded),
    ],
)
def test_refusals_have_an_order(
    shares: list[Share], receivables: dict[UUID, Receivable], refusal: type[Refusal]
) -> None:
    """A request that is wrong in several ways is always refused for the same one."""
    with pytest.raises(refusal):
        allocate(PAYMENT, shares, receivables)


def test_the_invoice_that_has_less_open_is_named() -> None:
    """By its place in the request."""
    shares = [Share(ONE, 10, "EUR"), Share(OTHER, 11, "EUR")]

    with pytest.raises(InvoiceExceeded) as refused:
        allocate(PAYMENT, shares, {ONE: asked(10), OTHER: asked(10)})

    assert refused.value.metadata == {"index": "1"}


@pytest.mark.parametrize("amount", [0, MOST_MINOR + 1])
def test_an_amount_that_cannot_be_is_refused(amount: int) -> None:
    """Of a payment, and of a share of one."""
    with pytest.raises(InvalidField):
        check_payment(replace(PAYMENT, amount=amount), at=AT)
    with pytest.raises(InvalidField):
        check_shares([Share(ONE, amount, "EUR")])


@pytest.mark.parametrize("day", [date(1999, 12, 31), AT.date() + timedelta(days=2)])
def test_money_comes_neither_from_another_century_nor_from_the_future(day: date) -> None:
    """Tomorrow may be today elsewhere."""
    with pytest.raises(InvalidField):
        check_payment(replace(PAYMENT, received_on=day), at=AT)
    check_payment(replace(PAYMENT, received_on=AT.date() + timedelta(days=1)), at=AT)


def test_an_invoice_comes_once() -> None:
    """Two shares of one invoice could each fit alone."""
    with pytest.raises(InvalidField):
        check_shares([Share(ONE, 1, "EUR"), Share(ONE, 1, "EUR")])
