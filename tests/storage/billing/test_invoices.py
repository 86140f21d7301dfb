"""Rows of invoices: what is written comes back, and who else sees it."""

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.invoices import Treatment, VatCategory, change
from core import clock
from core.errors import NotFound
from core.ids import new_id
from tests.support.billing_office import CARE, EURO, TAXED, Office, line, office, terms
from tests.support.postgres import as_caller

__all__ = ["office"]


async def test_an_invoice_comes_back_as_it_was_written(office: Office) -> None:
    """Every field, every line in its place, every tax."""
    as_caller(organization=new_id())
    treatments = (TAXED, CARE, Treatment(VatCategory.ZERO), Treatment(VatCategory.STANDARD, 550))
    lines = [line(n * EURO + n, treatment, n + 1) for n, treatment in enumerate(treatments)]

    made = await office.draft(*lines, currency="TND")

    assert await office.store.invoice(made.id) == made


async def test_a_changed_draft_has_its_new_lines_alone(office: Office) -> None:
    """Lines are replaced all at once."""
    as_caller(organization=new_id())
    made = await office.draft(line(EURO), line(2 * EURO), line(3 * EURO))
    said = terms(line(7 * EURO, TAXED), series="B", due_date=date(2026, 12, 31))

    async with office.store.begin() as work:
        before = await work.invoices.lock(made.id)
        changed = change(before, said, at=clock.now())
        await work.invoices.save(before, changed)

    assert await office.store.invoice(made.id) == changed
    assert changed.terms == said


async def test_a_final_invoice_has_its_number_and_is_owed(office: Office) -> None:
    """Whole, in the number's usual spelling."""
    as_caller(organization=new_id())

    made = await office.final(line(30 * EURO), line(100 * EURO, TAXED))

    assert made.number == "F2026-000001"
    assert await office.store.invoice(made.id) == made
    assert made.open == made.total == 15000


async def test_a_long_number_is_not_cut(office: Office) -> None:
    """The millionth invoice of a series."""
    organization = new_id()
    as_caller(organization=organization)
    await office.final()
    office.database.rows("UPDATE invoice_series SET last_sequence = 1234566")

    made = await office.final()

    assert made.number == "F2026-1234567"


async def test_another_organization_sees_nothing_and_counts_by_itself(office: Office) -> None:
    """Its series has the same name and its own first number."""
    as_caller(organization=new_id())
    theirs = await office.final()
    as_caller(organization=new_id())

    mine = await office.final()

    assert mine.number == theirs.number
    with pytest.raises(NotFound):
        await office.store.invoice(theirs.id)
    async with office.store.begin() as work:
        assert [one.id for one in await work.invoices.page(limit=9, patient=None, after=None)] == [
            mine.id
        ]


async def test_pages_go_on_where_they_ended(office: Office) -> None:
    """Newest first, of one patient or of all."""
    as_caller(organization=new_id())
    patient = new_id()
    made = [await office.draft(patient=patient if n % 2 else None) for n in range(5)]

    async with office.store.begin() as work:
        first = await work.invoices.page(limit=2, patient=None, after=None)
        rest = await work.invoices.page(limit=9, patient=None, after=first[-1].id)
        theirs = await work.invoices.page(limit=9, patient=patient, after=made[3].id)

    assert [one.id for one in (*first, *rest)] == sorted((one.id for one in made), reverse=True)
    assert [one.id for one in theirs] == [made[1].id]
    assert first[0] == replace(made[4], terms=replace(made[4].terms, lines=()), taxes=())


async def test_a_change_and_its_lines_are_recorded_of_the_patient(office: Office) -> None:
    """The trail has the patient as the subject of the invoice and of each line."""
    as_caller(organization=new_id())
    made = await office.draft(line(EURO), line(EURO))

    rows = office.database.rows(
        "SELECT entity, subject, count(*) AS n FROM medhub.audit_outbox GROUP BY 1, 2 ORDER BY 1"
    )

    assert rows == [
        {"entity": "invoice", "subject": made.patient_id, "n": 1},
        {"entity": "invoice_line", "subject": made.patient_id, "n": 2},
    ]
