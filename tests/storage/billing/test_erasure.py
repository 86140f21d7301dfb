"""Erasing from the books: what goes, what no trigger lets go, and what a restore does again."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Uuid

from billing.storage.subject_data import holdings
from core.contract import everything
from core.database.statements import sql
from core.ids import name_of, new_id
from core.subject.erasure import Erasure, ErasurePlanChanged
from core.subject.person import Person
from core.subject.receipts import Record
from medhub.subject.v1 import erasure_pb2 as wire
from tests.support.audit import keyring
from tests.support.billing_office import Office, office
from tests.support.postgres import as_caller

__all__ = ["office"]
_DELETE, _KEEP = wire.ERASURE_ACTION_DELETE, wire.ERASURE_ACTION_KEEP


@pytest.fixture
def erasure(tmp_path: Path) -> Erasure:
    """What erases persons from billing."""
    everything()
    return Erasure(holdings(), keyring(tmp_path))


async def _erased(office: Office, erasure: Erasure, patient: UUID) -> wire.ErasureReceipt:
    person, request = Person("patient", (patient,)), name_of("erasureRequests", new_id())
    async with office.store.database.begin() as tx:
        plan = await erasure.plan(tx, person, None)
        return await erasure.execute(tx, request, plan.digest, person, None)


def _drafts(office: Office) -> int:
    return len(office.database.rows("SELECT id FROM invoice WHERE state = 'DRAFT'"))


def _record(office: Office) -> Record:
    [row] = office.database.rows("SELECT * FROM erasure_receipt")
    return Record(
        row["request_id"], row["plan_digest"], tuple(row["persons"]), tuple(row["erased"]),
        row["executed_at"], row["receipt"],
    )  # fmt: skip


async def test_a_final_invoice_and_its_parts_stay(office: Office, erasure: Erasure) -> None:
    """Drafts go around it, each part of an invoice as the invoice does."""
    as_caller(organization=new_id())
    patient = new_id()
    await office.draft(patient=patient)
    final = await office.draft(patient=patient)
    await office.finalize(final.id)
    await office.payment(100, patient)

    receipt = await _erased(office, erasure, patient)

    told = {(t.table, t.action): t.count for t in receipt.tables if t.count}
    assert told == {
        ("billing.invoice", _DELETE): 1,
        ("billing.invoice", _KEEP): 1,
        ("billing.invoice_line", _DELETE): 1,
        ("billing.invoice_line", _KEEP): 1,
        ("billing.invoice_tax", _DELETE): 1,
        ("billing.invoice_tax", _KEEP): 1,
        ("billing.payment", _KEEP): 1,
        ("billing.receivable", _KEEP): 1,
    }
    left = office.database.rows("SELECT id, state FROM invoice")
    assert [(row["id"], row["state"]) for row in left] == [(final.id, "FINAL")]


async def test_a_plan_of_another_moment_does_nothing(office: Office, erasure: Erasure) -> None:
    """The same number of rows is not the same rows."""
    as_caller(organization=new_id())
    patient = new_id()
    first = await office.draft(patient=patient)
    person, request = Person("patient", (patient,)), name_of("erasureRequests", new_id())
    async with office.store.database.begin() as tx:
        plan = await erasure.plan(tx, person, None)
        for table, of in (
            ("invoice_line", "invoice_id"),
            ("invoice_tax", "invoice_id"),
            ("invoice", "id"),
        ):
            await tx.run(sql(f"DELETE FROM {table} WHERE {of} = :row", row=Uuid), row=first.id)
    await office.draft(patient=patient)

    with pytest.raises(ErasurePlanChanged):
        async with office.store.database.begin() as tx:
            await erasure.execute(tx, request, plan.digest, person, None)

    assert _drafts(office) == 1


async def test_a_backup_from_before_is_erased_again_and_a_later_one_is_not(
    office: Office, erasure: Erasure
) -> None:
    """What has come since the erasure is nobody's to lose."""
    as_caller(organization=new_id())
    patient = new_id()
    await office.draft(patient=patient)
    await _erased(office, erasure, patient)
    record = _record(office)
    await office.draft(patient=patient)
    other = await office.draft(patient=new_id())

    async with office.store.database.begin() as tx:
        later = await erasure.redo(tx, record)
    kept = _drafts(office)
    office.database.rows("DELETE FROM erasure_receipt")
    async with office.store.database.begin() as tx:
        before = await erasure.redo(tx, record)

    assert (later, kept) == (None, 2)
    assert before == 3
    assert [r["id"] for r in office.database.rows("SELECT id FROM invoice")] == [other.id]
    assert _record(office) == record
