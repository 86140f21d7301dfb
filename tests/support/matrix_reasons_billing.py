"""How each reason of billing comes about."""

from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from core import clock
from medhub.billing.v1 import invoice_pb2
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.billing.v1 import payment_service_pb2 as payments
from tests.support.matrix_billing import (
    INVOICES,
    PAYMENTS,
    allocate_payment,
    draft,
    euros,
    final,
    finalize_invoice,
)
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World


@case("INVOICE_FINAL")
async def _(world: World, meta: Metadata) -> Outcome:
    changed = invoice_pb2.Invoice(name=(await final(world.alpha)).name, series="OTHER")
    request = invoices.UpdateInvoiceRequest(
        invoice=changed, update_mask=FieldMask(paths=["series"])
    )
    return await ask(world, f"{INVOICES}/UpdateInvoice", request, meta, world.alpha.whole)


@case("ISSUE_DATE_OUT_OF_ORDER")
async def _(world: World, meta: Metadata) -> Outcome:
    await final(world.alpha)
    day = clock.now() - timedelta(days=2)
    request = await finalize_invoice(world.alpha)
    request.issue_date.CopyFrom(Date(year=day.year, month=day.month, day=day.day))
    return await ask(world, f"{INVOICES}/FinalizeInvoice", request, meta, world.alpha.whole)


async def _allocate(
    world: World, meta: Metadata, request: payments.AllocatePaymentRequest
) -> Outcome:
    return await ask(world, f"{PAYMENTS}/AllocatePayment", request, meta, world.alpha.whole)


@case("INVOICE_NOT_FINAL")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await allocate_payment(world.alpha)
    request.allocations[0].invoice = (await draft(world.alpha)).name
    return await _allocate(world, meta, request)


@case("CURRENCY_MISMATCH")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await allocate_payment(world.alpha)
    request.allocations[0].amount.currency_code = "CHF"
    return await _allocate(world, meta, request)


@case("PAYMENT_EXCEEDED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await allocate_payment(world.alpha)
    request.allocations[0].amount.CopyFrom(euros(21))
    return await _allocate(world, meta, request)


@case("INVOICE_EXCEEDED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await allocate_payment(world.alpha)
    await world.alpha.do(f"{PAYMENTS}/AllocatePayment", request)
    another = await allocate_payment(world.alpha)
    another.allocations[0].invoice = request.allocations[0].invoice
    another.allocations[0].amount.CopyFrom(euros(16))
    return await _allocate(world, meta, another)
