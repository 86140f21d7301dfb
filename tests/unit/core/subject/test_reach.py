"""How a person leads to the rows of a table, and what happens where nobody does."""

from typing import Any

import pytest
from sqlalchemy import LargeBinary, MetaData, Table, Text, Uuid

from core.contract import everything
from core.database import (
    Reach,
    Transaction,
    column,
    new_metadata,
    platform_table,
    reference,
    tenant_table,
)
from core.subject.grounds import Kept
from core.subject.holdings import Holdings
from core.subject.person import Person
from core.subject.reach import Unreachable, check, condition, tables_of

EVIDENCE = "fr.csp.l1142-28"
KINDS = frozenset({"patient", "user"})
everything()


@pytest.fixture
def metadata() -> MetaData:
    """The tables of a service of the test."""
    return new_metadata("ward")


def _patient(metadata: MetaData) -> Table:
    return tenant_table(
        "patient",
        metadata,
        column("id", Uuid, field="medhub.clinical.v1.Patient.name", primary_key=True),
        column("name", Text, field="medhub.clinical.v1.Patient.birth_name"),
        subject="id",
    )


def _document(metadata: MetaData, **more: Any) -> Table:
    """A table about persons that has no column which names one."""
    return tenant_table(
        "document",
        metadata,
        column("id", Uuid, internal="The row.", primary_key=True),
        column("owner", Uuid, internal="A row of patient."),
        column("text", Text, field="medhub.clinical.v1.Observation.text"),
        reference("owner", to="patient"),
        subject=None,
        **more,
    )


async def _never(_tx: Transaction, _person: Person, _elsewhere: Kept | None) -> None:
    """Nothing is kept."""


def test_the_subject_leads_to_the_row(metadata: MetaData) -> None:
    """The column that the trail goes by is the one that a person is found by."""
    table = _patient(metadata)

    assert condition(table, "patient") == "(t0.id = ANY (:people))"
    assert condition(table, "user") is None


def test_a_reference_leads_on(metadata: MetaData) -> None:
    """A row that refers to one about the person is about the person, within the tenant."""
    _patient(metadata)
    table = _document(metadata, reach=Reach(through="owner"))

    assert condition(table, "patient") == (
        "(EXISTS (SELECT 1 FROM patient t1 WHERE t1.organization_id = t0.organization_id"
        " AND t1.id = t0.owner AND (t1.id = ANY (:people))))"
    )


def test_further_columns_name_further_persons(metadata: MetaData) -> None:
    """Each kind of person is found by the columns that name such persons."""
    _patient(metadata)
    table = _document(metadata, reach=Reach(also={"owner": "patient", "id": "user"}))

    assert condition(table, "patient") == "(t0.owner = ANY (:people))"
    assert condition(table, "user") == "(t0.id = ANY (:people))"


def test_a_table_that_nobody_leads_to_is_refused(metadata: MetaData) -> None:
    """Nothing would be found, and nothing found must never look like nothing held."""
    _patient(metadata)
    _document(metadata)

    with pytest.raises(Unreachable):
        check(metadata, KINDS)
    with pytest.raises(Unreachable):
        Holdings("ward", metadata)


def test_a_reason_stands_in_for_a_person(metadata: MetaData) -> None:
    """A table may say that it is about nobody; then nobody is found in it."""
    _patient(metadata)
    _document(metadata, reach=Reach(nobody="Texts of a catalogue."))

    check(metadata, KINDS)

    assert [table.name for table, _ in tables_of(metadata, "patient")] == ["patient"]


def test_a_table_of_the_platform_is_kept_to_one_organization(metadata: MetaData) -> None:
    """Where no row-level security stands in the way, a condition must."""
    items = (
        column("id", Uuid, field="medhub.auth.v1.Membership.user", primary_key=True),
        column("email", Text, field="medhub.auth.v1.Membership.email"),
    )
    platform_table("person", metadata, *items, reason="All.", subject="id", subject_kind="user")

    with pytest.raises(Unreachable):
        check(metadata, KINDS)


def test_what_is_sealed_must_be_opened(metadata: MetaData) -> None:
    """A sealed column is never handed over as it is stored."""
    tenant_table(
        "secret",
        metadata,
        column("id", Uuid, field="medhub.compliance.v1.KeyWanted.subject", primary_key=True),
        column("value", LargeBinary, internal="Sealed.", sealed=True),
        subject="id",
    )

    with pytest.raises(ValueError, match="nothing opens"):
        Holdings("ward", metadata, terms={EVIDENCE: _never}).of("patient")
