"""InvoiceService."""

from uuid import UUID

from billing.domain.invoices import change, check_currency, check_etag, draft, finalize
from billing.domain.ledger import posting_of_invoice
from billing.servicers.invoice_messages import changed_by, invoice_to_proto, terms_from_proto
from billing.servicers.pages import after, patient_of
from billing.servicers.times import date_from_proto
from billing.storage.store import Store, Work
from core import clock, identity
from core.database import Earlier
from core.database.pages import Listing, PageTokens, page_shown, page_size
from core.ids import id_from, name_of, new_id
from medhub.billing.v1 import invoice_pb2
from medhub.billing.v1 import invoice_service_pb2 as messages


class Invoices:
    """Drafts, and invoices that have their number."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def CreateInvoice(self, request: messages.CreateInvoiceRequest) -> invoice_pb2.Invoice:
        """Make a draft."""
        sent = request.invoice
        patient = id_from(sent.patient, "patients", field="invoice.patient")
        check_currency(sent.currency_code)
        terms = terms_from_proto(sent, sent.currency_code)
        invoice = draft(new_id(), patient, sent.currency_code, terms, at=clock.now())
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            await work.invoices.add(invoice)
            await work.tx.remember(name_of("invoices", invoice.id), invoice.revision)
        return invoice_to_proto(invoice)

    async def GetInvoice(self, request: messages.GetInvoiceRequest) -> invoice_pb2.Invoice:
        """Show one invoice."""
        return invoice_to_proto(await self._store.invoice(id_from(request.name, "invoices")))

    async def ListInvoices(
        self, request: messages.ListInvoicesRequest
    ) -> messages.ListInvoicesResponse:
        """A page of invoices."""
        listing = Listing(identity.call().method, filter=request.patient, order="id desc")
        size = page_size(request.page_size)
        async with self._store.begin(read_only=True) as work:
            found = await work.invoices.page(
                limit=size + 1,
                patient=patient_of(request.patient, "patient"),
                after=after(self._pages, request.page_token, listing),
            )
        page = page_shown(
            found, size, listing, self._pages, key=lambda one: (one.id,), show=invoice_to_proto
        )
        return messages.ListInvoicesResponse(
            invoices=page.items, next_page_token=page.next_page_token
        )

    async def UpdateInvoice(self, request: messages.UpdateInvoiceRequest) -> invoice_pb2.Invoice:
        """Change the fields of a draft that the mask names."""
        row = id_from(request.invoice.name, "invoices", field="invoice.name")
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            before = await work.invoices.lock(row)
            check_etag(before, request.invoice.etag)
            terms = changed_by(before, request.invoice, request.update_mask)
            changed = change(before, terms, at=clock.now())
            await work.invoices.save(before, changed)
            await work.tx.remember(name_of("invoices", row), changed.revision)
        return invoice_to_proto(changed)

    async def FinalizeInvoice(
        self, request: messages.FinalizeInvoiceRequest
    ) -> invoice_pb2.Invoice:
        """Give a draft its number and post it."""
        row = id_from(request.name, "invoices")
        day = date_from_proto(request.issue_date, "issue_date")
        at = clock.now()
        async with self._store.begin() as work:
            if earlier := await work.tx.first_try():
                return await _replay(work, earlier)
            before = await work.invoices.lock(row)
            check_etag(before, request.etag)
            final = finalize(before, day, at=at)
            await work.ledger.post(posting_of_invoice(final), at=at)
            await work.tx.remember(name_of("invoices", row), final.revision)
            # The number comes last: whoever finalizes next in the series waits for this commit.
            final = await work.invoices.finalize(final)
        return invoice_to_proto(final)


async def _replay(work: Work, earlier: Earlier) -> invoice_pb2.Invoice:
    """The invoice that an earlier call made or changed, as it is now."""
    row: UUID = id_from(earlier.name, "invoices")
    return invoice_to_proto(await work.invoices.get(row))
