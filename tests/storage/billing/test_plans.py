"""The statements that are run most, planned as the app role behind row-level security."""

from uuid import UUID

import pytest

from billing.storage import invoices, ledger, payments
from core.ids import new_id
from tests.support.billing_office import Office, office
from tests.support.plans import plan_of
from tests.support.postgres import as_caller

__all__ = ["office"]


@pytest.fixture
async def invoice(office: Office) -> UUID:
    """One of several final invoices of an organization, whose member calls."""
    as_caller(organization=new_id())
    made = [await office.final() for _ in range(12)]
    for _ in range(12):
        await office.payment(100, patient=new_id())
    office.database.rows("ANALYZE")
    return made[7].id


async def test_documents_are_found_by_index_alone(office: Office, invoice: UUID) -> None:
    """An invoice with all its parts, a payment with what it paid, what is locked to be paid."""
    db = office.store.database
    plans = {
        "invoice": await plan_of(db, invoices.GET, id=invoice),
        "lock": await plan_of(db, invoices._LOCK, id=invoice),
        "payment": await plan_of(db, payments.GET, id=invoice),
        "receivables": await plan_of(db, payments._LOCK_RECEIVABLES, ids=[invoice]),
        "balance": await plan_of(db, ledger.BALANCE, account="cash", currency_code="EUR"),
    }

    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan} == {}
    assert "pk_invoice_line" in plans["invoice"]


async def test_pages_are_read_by_index_alone(office: Office, invoice: UUID) -> None:
    """The cost of a page is that of its rows, whatever it is asked with."""
    db, wanted = office.store.database, {"limit": 51}
    values = {
        "patient_id": new_id(),
        "after_id": invoice,
        "account": "cash",
        "source": f"invoices/{invoice}",
    }
    statements = [*invoices.PAGES.values(), *payments.PAGES.values(), *ledger.PAGES.values()]

    for each in statements:
        asked = {name: values[name] for name in each.names if name in values}
        assert "Seq Scan" not in await plan_of(db, each, **wanted, **asked)
