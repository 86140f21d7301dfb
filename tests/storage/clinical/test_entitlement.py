"""Care links: who may open which patient, asked of one and listed for a caller."""

from datetime import timedelta

import pytest

from clinical.domain.links import end
from clinical.domain.merges import PatientLink
from clinical.domain.patients import Patient
from core import clock
from core.errors import NotFound
from core.ids import new_id
from tests.support.clinics import Clinic, clinic, enter

__all__ = ["clinic"]


async def opens(clinic: Clinic, patient: Patient) -> bool:
    """Whether the caller may open the patient; both spellings of the rule must agree."""
    try:
        shown = await clinic.store.patient(patient.id)
    except NotFound:
        shown = None
    async with clinic.store.begin() as work:
        listed = await work.patient_lists.page(limit=200, show_deleted=True, after=None)
    assert (shown is not None) == (patient.id in {one.id for one in listed})
    return shown is not None


async def test_whoever_takes_a_patient_in_may_open_them(clinic: Clinic) -> None:
    """A registration links the registrar, practitioner or not."""
    organization = new_id()
    user = enter(organization)
    patient = await clinic.patient(registrar=user)

    assert await opens(clinic, patient)
    enter(organization)
    assert not await opens(clinic, patient)


async def test_a_practitioner_who_registers_is_linked_as_such(clinic: Clinic) -> None:
    """The link names the practitioner and not the user."""
    organization = new_id()
    user = enter(organization)
    practitioner = await clinic.practitioner(user)

    await clinic.patient(registrar=user)

    [row] = clinic.database.rows("SELECT * FROM care_link")
    assert (row["practitioner_id"], row["user_id"]) == (practitioner, None)


async def test_a_link_of_the_practitioner_opens(clinic: Clinic) -> None:
    """A link by practitioner entitles the user who logs in as them."""
    organization = new_id()
    user = enter(organization)
    practitioner = await clinic.practitioner(user)
    patient = await clinic.patient()
    assert not await opens(clinic, patient)

    await clinic.link(patient.id, practitioner=practitioner)

    assert await opens(clinic, patient)


async def test_a_link_of_the_unit_opens_to_its_practitioners(clinic: Clinic) -> None:
    """A link by unit entitles whoever works there, and nobody else."""
    organization = new_id()
    enter(organization)
    ward, other = await clinic.unit("A"), await clinic.unit("B")
    patient = await clinic.patient()
    await clinic.link(patient.id, unit=ward)
    inside, outside = new_id(), new_id()
    await clinic.practitioner(inside, ward, other)
    await clinic.practitioner(outside, other)

    enter(organization, inside)
    assert await opens(clinic, patient)
    enter(organization, outside)
    assert not await opens(clinic, patient)


async def test_a_link_that_has_ended_opens_nothing(clinic: Clinic) -> None:
    """Links count from their start to their end."""
    user = enter(new_id())
    practitioner = await clinic.practitioner(user)
    patient = await clinic.patient()
    link = await clinic.link(patient.id, practitioner=practitioner)

    async with clinic.store.begin() as work:
        await work.care_links.save_end(end(link, at=clock.now() - timedelta(seconds=1)))

    assert not await opens(clinic, patient)


async def test_a_link_to_either_patient_of_a_merge_opens_the_survivor(clinic: Clinic) -> None:
    """Links are resolved through merges in both directions."""
    user = enter(new_id())
    practitioner = await clinic.practitioner(user)
    survivor, duplicate = await clinic.patient("A"), await clinic.patient("B")
    await clinic.link(duplicate.id, practitioner=practitioner)
    merge = PatientLink(new_id(), survivor.id, duplicate.id, "same", "api", clock.now())

    async with clinic.store.begin() as work:
        await work.patient_links.add(merge, survivor.id)

    assert (await clinic.store.patient(duplicate.id)).id == survivor.id
    assert await opens(clinic, survivor)


async def test_another_organization_opens_nothing(clinic: Clinic) -> None:
    """The same user in another organization finds neither patient nor link."""
    user = enter(new_id())
    patient = await clinic.patient(registrar=user)

    enter(new_id(), user)

    with pytest.raises(NotFound):
        await clinic.store.patient(patient.id)
