"""Requests to billing."""

import secrets

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from medhub.billing.v1 import invoice_pb2, payment_pb2
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.billing.v1 import ledger_service_pb2 as ledger
from medhub.billing.v1 import payment_service_pb2 as payments
from tests.support.matrix_requests import asks, fresh
from tests.support.matrix_world import Side

INVOICES = "medhub.billing.v1.InvoiceService"
LEDGER = "medhub.billing.v1.LedgerService"
PAYMENTS = "medhub.billing.v1.PaymentService"


def euros(units: int) -> Money:
    """An amount."""
    return Money(currency_code="EUR", units=units)


def consultation() -> invoice_pb2.InvoiceLine:
    """A line of exempt care: 30 euros."""
    return invoice_pb2.InvoiceLine(
        description="Consultation",
        quantity=Decimal(value="1"),
        unit_price=euros(30),
        vat_category=invoice_pb2.VAT_CATEGORY_EXEMPT,
        exemption_code="VATEX-FR-CGI261-4",
    )


@asks(f"{INVOICES}/CreateInvoice")
async def create_invoice(side: Side) -> invoices.CreateInvoiceRequest:
    invoice = invoice_pb2.Invoice(
        patient=side.patient,
        buyer=invoice_pb2.Buyer(display_name=f"Buyer {secrets.token_hex(4)}", city="Lyon"),
        currency_code="EUR",
        series="F2026",
        lines=[consultation()],
    )
    return invoices.CreateInvoiceRequest(invoice=invoice, request_id=fresh())


async def draft(side: Side) -> invoice_pb2.Invoice:
    """A draft of 30 euros for the side's patient."""
    made: invoice_pb2.Invoice = await side.do(
        f"{INVOICES}/CreateInvoice", await create_invoice(side)
    )
    return made


@asks(f"{INVOICES}/GetInvoice")
async def get_invoice(side: Side) -> invoices.GetInvoiceRequest:
    return invoices.GetInvoiceRequest(name=(await draft(side)).name)


@asks(f"{INVOICES}/ListInvoices")
async def list_invoices(side: Side) -> invoices.ListInvoicesRequest:
    await draft(side)
    return invoices.ListInvoicesRequest(patient=side.patient, page_size=5)


@asks(f"{INVOICES}/UpdateInvoice")
async def update_invoice(side: Side) -> invoices.UpdateInvoiceRequest:
    made = await draft(side)
    changed = invoice_pb2.Invoice(name=made.name, etag=made.etag, series="G2026")
    mask = FieldMask(paths=["series"])
    return invoices.UpdateInvoiceRequest(invoice=changed, update_mask=mask, request_id=fresh())


@asks(f"{INVOICES}/FinalizeInvoice")
async def finalize_invoice(side: Side) -> invoices.FinalizeInvoiceRequest:
    made = await draft(side)
    return invoices.FinalizeInvoiceRequest(name=made.name, etag=made.etag, request_id=fresh())


async def final(side: Side) -> invoice_pb2.Invoice:
    """An invoice of 30 euros that has its number."""
    request = await finalize_invoice(side)
    made: invoice_pb2.Invoice = await side.do(f"{INVOICES}/FinalizeInvoice", request)
    return made


@asks(f"{LEDGER}/GetAccountBalance")
async def get_account_balance(side: Side) -> ledger.GetAccountBalanceRequest:
    return ledger.GetAccountBalanceRequest(name="ledgerAccounts/receivable", currency_code="EUR")


@asks(f"{LEDGER}/ListEntries")
async def list_entries(side: Side) -> ledger.ListEntriesRequest:
    return ledger.ListEntriesRequest(source=(await final(side)).name)


@asks(f"{PAYMENTS}/RecordPayment")
async def record_payment(side: Side) -> payments.RecordPaymentRequest:
    payment = payment_pb2.Payment(
        patient=side.patient,
        amount=euros(20),
        means=payment_pb2.PAYMENT_MEANS_CARD,
        receive_date=Date(year=2026, month=3, day=2),
        reference=secrets.token_hex(4),
    )
    return payments.RecordPaymentRequest(payment=payment, request_id=fresh())


async def payment(side: Side) -> payment_pb2.Payment:
    """20 euros from the side's patient."""
    made: payment_pb2.Payment = await side.do(
        f"{PAYMENTS}/RecordPayment", await record_payment(side)
    )
    return made


@asks(f"{PAYMENTS}/AllocatePayment")
async def allocate_payment(side: Side) -> payments.AllocatePaymentRequest:
    share = payment_pb2.Allocation(invoice=(await final(side)).name, amount=euros(15))
    return payments.AllocatePaymentRequest(
        name=(await payment(side)).name, allocations=[share], request_id=fresh()
    )


@asks(f"{PAYMENTS}/GetPayment")
async def get_payment(side: Side) -> payments.GetPaymentRequest:
    return payments.GetPaymentRequest(name=(await payment(side)).name)


@asks(f"{PAYMENTS}/ListPayments")
async def list_payments(side: Side) -> payments.ListPaymentsRequest:
    await payment(side)
    return payments.ListPaymentsRequest(patient=side.patient, page_size=5)
