"""The statements that are run most, planned as the app role behind row-level security."""

from uuid import UUID

import pytest

from clinical.storage import patient_lists, patients
from core import identity
from core.ids import new_id
from tests.support.clinics import Clinic, clinic, enter, ipp
from tests.support.plans import plan_of

__all__ = ["clinic"]


@pytest.fixture
async def patient(clinic: Clinic) -> UUID:
    """One of several patients of a doctor; the doctor calls."""
    user = enter(new_id())
    await clinic.practitioner(user)
    made = [await clinic.patient(f"N{n}", ipp(f"{n}"), registrar=user) for n in range(20)]
    clinic.database.rows("ANALYZE")
    return made[7].id


async def test_a_patient_is_read_by_index_alone(clinic: Clinic, patient: UUID) -> None:
    """Neither the patients of the organization nor those of the caller are gone through."""
    subject = identity.caller().subject

    plan = await plan_of(clinic.store.database, patients.GET.linked, id=patient, subject=subject)

    assert "Seq Scan" not in plan
    assert "Join Filter" not in plan
    assert "ix_care_link_patient_id" in plan


async def test_a_deleted_patients_number_is_found_by_index(clinic: Clinic, patient: UUID) -> None:
    """Each message about somebody new asks for it."""
    asked = {"systems": ["CHU-X"], "indexes": [bytes(32)]}

    plan = await plan_of(clinic.store.database, patients.DELETED, **asked)

    assert "ix_patient_identifier_value_index_system" in plan


async def test_patients_are_locked_by_index_alone(clinic: Clinic, patient: UUID) -> None:
    """A merge, an update and a message find their rows by their ids."""
    subject = identity.caller().subject

    plan = await plan_of(
        clinic.store.database, patients._LOCK_LINKED, ids=[patient], subject=subject
    )

    assert "Seq Scan" not in plan
    assert "ix_care_link_patient_id" in plan


async def test_a_page_starts_from_the_links_of_the_caller(clinic: Clinic, patient: UUID) -> None:
    """The cost of a list is that of the caller's own patients, not the organization's."""
    subject = identity.caller().subject

    plan = await plan_of(
        clinic.store.database,
        patient_lists.FIRST.linked,
        subject=subject,
        show_deleted=False,
        limit=51,
    )

    # On a small table several indexes of the links cost the same.
    assert "Seq Scan" not in plan
    assert "on ix_care_link_" in plan or "using ix_care_link_" in plan
