"""Grants of access: asked of one patient and listed for a caller, through merges, beside links."""

from uuid import UUID

import pytest

from clinical.domain.merges import PatientLink
from clinical.domain.patients import Patient
from clinical.domain.search_keys import query_words
from clinical.storage import encounters, patient_lists, patients
from clinical.storage.entitlement import Question
from clinical.storage.patient_lists import Criteria
from core import clock, identity
from core.errors import NotFound
from core.identity import Grant
from core.ids import new_id
from tests.support.clinics import Clinic, clinic, enter, ipp
from tests.support.plans import plan_of

__all__ = ["clinic"]


def hold(*patients_: UUID, break_glass: bool = False) -> tuple[Grant, ...]:
    """Let the call in progress take grants for these patients."""
    call = identity.call()
    call.grants = tuple(Grant(new_id(), patient, break_glass) for patient in patients_)
    call.opened.clear()
    return call.grants


async def shown(clinic: Clinic, asked: UUID) -> UUID | None:
    """Whom the caller is shown; both spellings of the rule and the search must agree."""
    try:
        found = (await clinic.store.patient(asked)).id
    except NotFound:
        found = None
    async with clinic.store.begin() as work:
        listed = await work.patient_lists.page(limit=200, show_deleted=True, after=None)
        searched = await work.patient_lists.search(
            Criteria(words=query_words("ALMEIDA")), limit=200, after=None
        )
    expected = set() if found is None else {found}
    assert {one.id for one in listed} == {one.id for one in searched} == expected
    return found


async def merged(clinic: Clinic) -> tuple[Patient, Patient]:
    """A survivor, and the duplicate that was merged into them."""
    survivor, duplicate = await clinic.patient("ALMEIDA"), await clinic.patient("ALMEIDA")
    merge = PatientLink(new_id(), survivor.id, duplicate.id, "same", "api", clock.now())
    async with clinic.store.begin() as work:
        await work.patient_links.add(merge, survivor.id)
    return survivor, duplicate


async def test_a_grant_opens_its_patient_and_no_other(clinic: Clinic) -> None:
    """The call says by which grant each was opened."""
    enter(new_id())
    patient, _ = await clinic.patient("ALMEIDA"), await clinic.patient("ALMEIDA")
    assert await shown(clinic, patient.id) is None

    [grant] = hold(patient.id)

    assert await shown(clinic, patient.id) == patient.id
    assert identity.call().opened == {patient.id: grant}


async def test_a_grant_of_either_patient_of_a_merge_opens_the_survivor(clinic: Clinic) -> None:
    """As links do, and the trail finds it under both ids."""
    enter(new_id())
    survivor, duplicate = await merged(clinic)

    for granted in (survivor.id, duplicate.id):
        for asked in (survivor.id, duplicate.id):
            [grant] = hold(granted)
            assert (await clinic.store.patient(asked)).id == survivor.id
            assert identity.call().opened[survivor.id] == grant
        assert await shown(clinic, granted) == survivor.id


async def test_a_grant_opens_nothing_in_another_organization(clinic: Clinic) -> None:
    """Nor does one for nobody."""
    enter(new_id())
    patient = await clinic.patient("ALMEIDA")

    enter(new_id())
    hold(patient.id, new_id())

    assert await shown(clinic, patient.id) is None
    assert identity.call().opened == {}


async def test_what_a_link_opens_no_grant_has_opened(clinic: Clinic) -> None:
    """Whoever cares for the patient needs no emergency, and the trail tells of none."""
    user = enter(new_id())
    patient = await clinic.patient("ALMEIDA", registrar=user)

    hold(patient.id, break_glass=True)

    assert await shown(clinic, patient.id) == patient.id
    assert identity.call().opened == {}


async def test_what_a_colleague_gave_comes_before_an_emergency(clinic: Clinic) -> None:
    """The call has it first, and it is what the trail tells."""
    enter(new_id())
    survivor, duplicate = await merged(clinic)
    given, taken = Grant(new_id(), duplicate.id, False), Grant(new_id(), survivor.id, True)
    hold()

    identity.call().grants = (given, taken)

    assert await shown(clinic, survivor.id) == survivor.id
    assert set(identity.call().opened.values()) == {given}


async def test_a_grant_opens_no_change(clinic: Clinic) -> None:
    """What is changed is locked by those whom a link opens it to."""
    enter(new_id())
    patient = await clinic.patient("ALMEIDA")
    hold(patient.id)

    async with clinic.store.begin() as work:
        with pytest.raises(NotFound):
            await work.patients.lock(patient.id)


async def test_pages_with_grants_hold_every_patient_once(clinic: Clinic) -> None:
    """Linked, given, or both."""
    user = enter(new_id())
    linked = [(await clinic.patient("ALMEIDA", registrar=user)).id for _ in range(3)]
    given = [(await clinic.patient("ALMEIDA")).id for _ in range(3)]
    hold(*given, linked[1])

    seen: list[UUID] = []
    after = None
    while True:
        async with clinic.store.begin() as work:
            page = await work.patient_lists.page(limit=2, show_deleted=False, after=after)
        if not page:
            break
        seen += [one.id for one in page]
        after = seen[-1]

    assert seen == sorted([*linked, *given], reverse=True)
    assert set(identity.call().opened) == set(given)


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        (patients.GET, {}),
        (encounters.GET, {}),
        (patient_lists.FIRST, {"show_deleted": False, "limit": 51}),
    ],
    ids=["patient", "encounter", "list"],
)
async def test_what_is_granted_is_found_by_index(
    clinic: Clinic, asked: Question, more: dict[str, object]
) -> None:
    """With as many grants as one person may hold, behind row-level security."""
    user = enter(new_id())
    await clinic.practitioner(user)
    made = [await clinic.patient(f"N{n}", ipp(f"{n}"), registrar=user) for n in range(20)]
    clinic.database.rows("ANALYZE")
    granted = [each.id for each in made]
    one = {"id": made[7].id} if not more else {}

    plan = await plan_of(
        clinic.store.database, asked.granted, subject=user, granted=granted, **one, **more
    )

    assert "Seq Scan" not in plan
    assert "ix_care_link_" in plan
