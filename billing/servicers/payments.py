"""PaymentService."""

from collections.abc import Iterable
from typing import Any, Final

from billing.domain.ledger import posting_of_allocation, posting_of_payment
from billing.domain.payments import (
    Means,
    Payment,
    Share,
    allocate,
    check_payment,
    check_shares,
)
from billing.servicers.amounts import money_from_proto, money_to_proto
from billing.servicers.pages import after, patient_of
from billing.servicers.texts import text_from_proto
from billing.servicers.times import date_from_proto, date_to_proto, time_to_proto
from billing.storage.store import Store, Work
from core import clock, identity
from core.database import Earlier
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField
from core.ids import id_from, name_of, new_id
from medhub.billing.v1 import payment_pb2
from medhub.billing.v1 import payment_service_pb2 as messages

_MEANS: Final[dict[Means, Any]] = {
    one: payment_pb2.PaymentMeans.Value(f"PAYMENT_MEANS_{one.value}") for one in Means
}
_MEANS_BACK: Final = {number: one for one, number in _MEANS.items()}


class Payments:
    """Money that came in."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def RecordPayment(self, request: messages.RecordPaymentRequest) -> payment_pb2.Payment:
        """Record money that came in, and post it."""
        payment = _payment_from_proto(request.payment)
        check_payment(payment, at=clock.now())
        posting = posting_of_payment(payment.id, payment.amount, payment.currency)
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            await work.payments.add(payment)
            await work.ledger.post(posting, at=payment.created_at)
            await work.tx.remember(name_of("payments", payment.id), 1)
        return payment_to_proto(payment)

    async def AllocatePayment(
        self, request: messages.AllocatePaymentRequest
    ) -> payment_pb2.Payment:
        """Pay invoices with a payment, all that are named or none, and post it."""
        row, at = id_from(request.name, "payments"), clock.now()
        shares = _shares_from_proto(request.allocations)
        check_shares(shares)
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            # The payment first, then the invoices by id: nobody waits crosswise.
            before = await work.payments.lock(row)
            receivables = await work.payments.lock_receivables([one.invoice_id for one in shares])
            paid = allocate(before, shares, receivables)
            await work.payments.save_allocations(paid, shares, receivables, at=at)
            amount = paid.allocated - before.allocated
            await work.ledger.post(posting_of_allocation(row, amount, paid.currency), at=at)
            await work.tx.remember(name_of("payments", row), 1)
            return payment_to_proto(await work.payments.get(row))

    async def GetPayment(self, request: messages.GetPaymentRequest) -> payment_pb2.Payment:
        """Show one payment, and what it has paid."""
        return payment_to_proto(await self._store.payment(id_from(request.name, "payments")))

    async def ListPayments(
        self, request: messages.ListPaymentsRequest
    ) -> messages.ListPaymentsResponse:
        """A page of payments."""
        listing = Listing(identity.call().method, filter=request.patient, order="id desc")
        size = page_size(request.page_size)
        async with self._store.begin(read_only=True) as work:
            found = await work.payments.page(
                limit=size + 1,
                patient=patient_of(request.patient, "patient"),
                after=after(self._pages, request.page_token, listing),
            )
        page = page_of(found, size, listing, self._pages, key=lambda one: (one.id,))
        return messages.ListPaymentsResponse(
            payments=[payment_to_proto(one) for one in page.items],
            next_page_token=page.next_page_token,
        )


async def _replay(work: Work, earlier: Earlier) -> payment_pb2.Payment:
    """The payment that an earlier call recorded or allocated, as it is now."""
    return payment_to_proto(await work.payments.get(id_from(earlier.name, "payments")))


def payment_to_proto(payment: Payment) -> payment_pb2.Payment:
    """A payment, with the allocations that it was read with."""
    currency, patient = payment.currency, payment.patient_id
    return payment_pb2.Payment(
        name=name_of("payments", payment.id),
        patient=name_of("patients", patient) if patient else "",
        amount=money_to_proto(payment.amount, currency),
        means=_MEANS[payment.means],
        receive_date=date_to_proto(payment.received_on),
        reference=payment.reference,
        allocations=[
            payment_pb2.Allocation(
                invoice=name_of("invoices", one.invoice_id),
                amount=money_to_proto(one.amount, currency),
                create_time=time_to_proto(one.created_at),
            )
            for one in payment.allocations
        ],
        unallocated=money_to_proto(payment.unallocated, currency),
        create_time=time_to_proto(payment.created_at),
    )


def _payment_from_proto(message: payment_pb2.Payment) -> Payment:
    amount, currency = money_from_proto(message.amount, "payment.amount")
    received_on = date_from_proto(message.receive_date, "payment.receive_date")
    if received_on is None:
        raise InvalidField(field="payment.receive_date", rule="required")
    return Payment(
        id=new_id(),
        patient_id=patient_of(message.patient, "payment.patient"),
        amount=amount,
        currency=currency,
        means=_MEANS_BACK[message.means],
        received_on=received_on,
        reference=text_from_proto(message.reference, "payment.reference"),
        created_at=clock.now(),
    )


def _shares_from_proto(messages_: Iterable[payment_pb2.Allocation]) -> list[Share]:
    shares = []
    for index, message in enumerate(messages_):
        at = f"allocations[{index}]"
        amount, currency = money_from_proto(message.amount, f"{at}.amount")
        row = id_from(message.invoice, "invoices", field=f"{at}.invoice")
        shares.append(Share(row, amount, currency))
    return shares
