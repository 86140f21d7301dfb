"""Billing over a real server: from a draft to a paid invoice, and what is refused by name."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.billing.v1 import ledger_service_pb2 as ledger
from medhub.billing.v1 import payment_service_pb2 as payments
from medhub.billing.v1.invoice_pb2 import (
    INVOICE_STATE_DRAFT,
    INVOICE_STATE_FINAL,
    VAT_CATEGORY_STANDARD,
    Buyer,
    Invoice,
    InvoiceLine,
)
from medhub.billing.v1.payment_pb2 import PAYMENT_MEANS_CASH, Allocation, Payment
from tests.support.matrix_billing import consultation, euros
from tests.support.matrix_wire import refused_by

_TABLES = ("invoice", "invoice_line", "invoice_tax", "payment", "allocation", "ledger_entry")


def expertise() -> InvoiceLine:
    """A line that is taxed: one and a half times 33.34 euros at 20 %."""
    return InvoiceLine(
        description="Expertise",
        quantity=Decimal(value="1.5"),
        unit_price=Money(currency_code="EUR", units=33, nanos=340_000_000),
        vat_category=VAT_CATEGORY_STANDARD,
        vat_rate=Decimal(value="20"),
    )


def invoice(desk: Any, **changes: Any) -> Invoice:
    """Care and an expertise, as a clerk would send them."""
    said = {
        "patient": desk.patient,
        "buyer": Buyer(display_name="Anne Martin"),
        "currency_code": "EUR",
        "series": "F2026",
        "lines": [consultation(), expertise()],
    }
    return Invoice(**{**said, **changes})


def payment(**changes: Any) -> Payment:
    """100 euros in cash."""
    said = {
        "amount": euros(100),
        "means": PAYMENT_MEANS_CASH,
        "receive_date": Date(year=2026, month=3, day=2),
    }
    return Payment(**{**said, **changes})


async def _draft(desk: Any) -> Invoice:
    request = invoices.CreateInvoiceRequest(invoice=invoice(desk))
    made: Invoice = await desk.call(desk.invoices.CreateInvoice, request)
    return made


async def _balances(desk: Any) -> dict[str, int]:
    """Every account that the story touches, in cents."""
    found = {}
    for account in ("receivable", "revenue-exempt", "revenue-standard", "vat-payable", "cash"):
        request = ledger.GetAccountBalanceRequest(
            name=f"ledgerAccounts/{account}", currency_code="EUR"
        )
        balance = (await desk.call(desk.ledger.GetAccountBalance, request)).balance
        found[account] = balance.units * 100 + balance.nanos // 10_000_000
    return found


async def test_from_a_draft_to_a_paid_invoice(desk: Any) -> None:
    """Drafted, changed, finalized and paid in part; the ledger says the same."""
    draft = await _draft(desk)
    changed = Invoice(name=draft.name, etag=draft.etag, buyer=Buyer(display_name="A. Martin"))
    update = invoices.UpdateInvoiceRequest(invoice=changed, update_mask=FieldMask(paths=["buyer"]))
    draft = await desk.call(desk.invoices.UpdateInvoice, update)
    finalize = invoices.FinalizeInvoiceRequest(name=draft.name, etag=draft.etag)
    final = await desk.call(desk.invoices.FinalizeInvoice, finalize)
    came = await desk.call(
        desk.payments.RecordPayment, payments.RecordPaymentRequest(payment=payment())
    )
    allocate = payments.AllocatePaymentRequest(
        name=came.name, allocations=[Allocation(invoice=final.name, amount=euros(70))]
    )
    paid = await desk.call(desk.payments.AllocatePayment, allocate)

    shown = await desk.call(desk.invoices.GetInvoice, invoices.GetInvoiceRequest(name=final.name))
    listed = await desk.call(
        desk.invoices.ListInvoices, invoices.ListInvoicesRequest(patient=desk.patient)
    )
    entries = await desk.call(desk.ledger.ListEntries, ledger.ListEntriesRequest(source=final.name))

    assert (draft.state, final.state) == (INVOICE_STATE_DRAFT, INVOICE_STATE_FINAL)
    assert (final.number, final.buyer.display_name) == ("F2026-000001", "A. Martin")
    assert final.total == Money(currency_code="EUR", units=90, nanos=10_000_000)
    assert shown.open == Money(currency_code="EUR", units=20, nanos=10_000_000)
    assert paid.unallocated == euros(30)
    assert [(one.invoice, one.amount) for one in paid.allocations] == [(final.name, euros(70))]
    assert [(one.name, len(one.lines)) for one in listed.invoices] == [(final.name, 0)]
    assert {one.account for one in entries.ledger_entries} == {
        f"ledgerAccounts/{each}"
        for each in ("receivable", "revenue-exempt", "revenue-standard", "vat-payable")
    }
    assert await _balances(desk) == {
        "receivable": 2001,
        "revenue-exempt": -3000,
        "revenue-standard": -5001,
        "vat-payable": -1000,
        "cash": 10000,
    }


def _line(**changes: Any) -> dict[str, Any]:
    """An invoice whose second line is bent."""
    bent = consultation()
    for name, value in changes.items():
        if isinstance(value, str | int):
            setattr(bent, name, value)
        else:
            getattr(bent, name).CopyFrom(value)
    return {"lines": [expertise(), bent]}


_MOST = Money(currency_code="EUR", units=9_000_000_000_00)
_AT = "invoice.lines[1]"
# What is wrong with an invoice, and the field that the refusal names.
_BAD_INVOICES: dict[str, tuple[dict[str, Any], str]] = {
    "another currency": (
        _line(unit_price=Money(currency_code="USD", units=1)),
        f"{_AT}.unit_price.currency_code",
    ),
    "no currency": ({"currency_code": "XXX"}, "invoice.currency_code"),
    "30 decimals": (_line(quantity=Decimal(value="1." + "3" * 30)), f"{_AT}.quantity"),
    "less than nothing": (_line(quantity=Decimal(value="-1")), f"{_AT}.quantity"),
    "no times": (_line(quantity=Decimal(value="0.0")), f"{_AT}.quantity"),
    "a price below zero": (_line(unit_price=euros(-1)), f"{_AT}.unit_price"),
    "a part of a millionth": (
        _line(unit_price=Money(currency_code="EUR", nanos=1)),
        f"{_AT}.unit_price",
    ),
    "a rate where none is due": (_line(vat_rate=Decimal(value="20")), f"{_AT}.vat_rate"),
    "no reason for the exemption": (_line(exemption_code=""), f"{_AT}.exemption_code"),
    "a line of blanks": (_line(description=" "), f"{_AT}.description"),
    "a line that turns around": (_line(description="10\u202e01"), f"{_AT}.description"),
    "no lines": ({"lines": []}, "invoice.lines"),
    "10,000 lines": ({"lines": [consultation()] * 10_000}, "invoice.lines"),
    "a line beyond all reason": (
        _line(unit_price=_MOST, quantity=Decimal(value="999999999")),
        _AT,
    ),
    "a price that would wrap": (_line(unit_price=euros(2**63 - 1)), f"{_AT}.unit_price"),
    "a total beyond all reason": (
        {"lines": [*_line(unit_price=_MOST, quantity=Decimal(value="10"))["lines"]] * 2},
        "invoice.lines",
    ),
    "a day that no calendar has": (
        {"due_date": Date(year=2026, month=2, day=30)},
        "invoice.due_date",
    ),
    "another century": ({"due_date": Date(year=1899, month=1, day=1)}, "invoice.due_date"),
    "no such year": ({"due_date": Date(year=2**31 - 1, month=1, day=1)}, "invoice.due_date"),
    "no patient": ({"patient": ""}, "invoice.patient"),
    "no buyer": ({"buyer": Buyer(display_name=" ")}, "invoice.buyer.display_name"),
    "a street of two lines": (
        {"buyer": Buyer(display_name="A. Martin", street="1 rue\nHaute")},
        "invoice.buyer.street",
    ),
    "no series": ({"series": ""}, "invoice.series"),
}  # fmt: skip
_BAD_PAYMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"amount": euros(0)}, "payment.amount"),
    "less than nothing": ({"amount": euros(-1)}, "payment.amount"),
    "half a cent": ({"amount": Money(currency_code="EUR", nanos=5_000_000)}, "payment.amount"),
    "no currency": ({"amount": Money(units=1)}, "payment.amount.currency_code"),
    "too much": ({"amount": euros(2**63 - 1)}, "payment.amount"),
    "no day": ({"receive_date": Date()}, "payment.receive_date"),
    "a day to come": ({"receive_date": Date(year=2090, month=1, day=1)}, "payment.receive_date"),
    "no means": ({"means": 0}, "payment.means"),
}


def _bad(desk: Any) -> Iterator[tuple[str, Any, Any, str]]:
    for name, (changes, field) in _BAD_INVOICES.items():
        request = invoices.CreateInvoiceRequest(invoice=invoice(desk, **changes))
        yield name, desk.invoices.CreateInvoice, request, field
    for name, (changes, field) in _BAD_PAYMENTS.items():
        paid = payments.RecordPaymentRequest(payment=payment(**changes))
        yield name, desk.payments.RecordPayment, paid, field


async def test_bad_input_is_refused_by_its_field_and_changes_nothing(desk: Any) -> None:
    """Each is INVALID_FIELD with the path of what is wrong, and no row is written."""
    told, expected = {}, {}

    for name, method, request, field in _bad(desk):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.call(method, request)
        outcome = refused_by(refused.value)
        violations = outcome.detail(error_details_pb2.BadRequest()).field_violations
        key = (name, field.partition(".")[0])
        told[key] = (outcome.code, outcome.reason, [one.field for one in violations])
        expected[key] = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", [field])

    assert told == expected
    for table in _TABLES:
        assert desk.database.rows(f"SELECT * FROM {table}") == []


async def test_a_page_of_one_list_opens_no_other(desk: Any) -> None:
    """A token belongs to its method and filter."""
    for _ in range(2):
        await _draft(desk)
    first = await desk.call(desk.invoices.ListInvoices, invoices.ListInvoicesRequest(page_size=1))
    again = invoices.ListInvoicesRequest(page_size=1, page_token=first.next_page_token)

    rest = await desk.call(desk.invoices.ListInvoices, again)
    again.patient = desk.patient

    assert rest.next_page_token == ""
    assert rest.invoices[0].name != first.invoices[0].name
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.call(desk.invoices.ListInvoices, again)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_what_the_mask_leaves_out_is_not_looked_at(desk: Any) -> None:
    """An update of the series takes no notice of lines beside it, and a mask of nothing real is
    refused.
    """
    draft = await _draft(desk)
    beside = Invoice(
        name=draft.name, series="G2026", lines=_line(quantity=Decimal(value="-1"))["lines"]
    )

    update = invoices.UpdateInvoiceRequest(invoice=beside, update_mask=FieldMask(paths=["series"]))
    changed = await desk.call(desk.invoices.UpdateInvoice, update)
    update.update_mask.paths[:] = ["secret"]

    assert (changed.series, changed.lines, changed.etag) == ("G2026", draft.lines, "2")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.call(desk.invoices.UpdateInvoice, update)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("field", "value"),
    [("currency_code", "USD"), ("patient", "patients/0198c0de-0000-7000-8000-00000000000f")],
)
async def test_what_an_invoice_is_of_is_fixed(desk: Any, field: str, value: str) -> None:
    """Whoever asks for another is told so, and not answered as if it had been done."""
    draft = await _draft(desk)
    changed = Invoice(name=draft.name)
    setattr(changed, field, value)
    mask = FieldMask(paths=[field])

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.call(
            desk.invoices.UpdateInvoice,
            invoices.UpdateInvoiceRequest(invoice=changed, update_mask=mask),
        )

    [wrong] = refused_by(refused.value).detail(error_details_pb2.BadRequest()).field_violations
    assert wrong.field == f"invoice.{field}"
