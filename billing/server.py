"""Puts the service together: the only file that knows every part."""

from billing.servicers.invoices import Invoices
from billing.servicers.ledger import Ledger
from billing.servicers.payments import Payments
from billing.storage.store import Store
from billing.storage.subject_data import holdings
from core.service import Core
from core.subject.servicer import SubjectData


async def build(core: Core) -> dict[str, object]:
    """The servicers by the name of their service."""
    store = Store(core.database)
    return {
        "medhub.billing.v1.InvoiceService": Invoices(store, core.pages),
        "medhub.billing.v1.LedgerService": Ledger(store, core.pages),
        "medhub.billing.v1.PaymentService": Payments(store, core.pages),
        "medhub.subject.v1.SubjectService": SubjectData(core.database, holdings(), core.keyring),
    }
