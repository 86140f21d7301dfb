"""Pages, searches and look-ups of patients over a real database."""

import pytest
from google.type.date_pb2 import Date

from clinical.servicers.patients import Patients
from core import identity
from core.errors import (
    InvalidField,
    InvalidPageToken,
    NotFound,
)
from core.ids import id_from, new_id
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import (
    GetPatientRequest,
    IdentifierQuery,
    ListPatientsRequest,
    LookupPatientIdentitiesRequest,
    SearchPatientsRequest,
    UpdatePatientRequest,
)
from tests.support.clinics import clinic, enter
from tests.support.patient_desks import create, merge, numbered, patients

__all__ = ["clinic", "patients"]


async def test_pages_hold_every_patient_once(patients: Patients) -> None:
    """Newest first, and a token of another list is refused."""
    made = [(await create(patients, numbered(str(n)))).name for n in range(5)]

    seen, token = [], ""
    while True:
        page = await patients.ListPatients(ListPatientsRequest(page_size=2, page_token=token))
        seen += [one.name for one in page.patients]
        token = page.next_page_token
        if not token:
            break

    assert seen == sorted(made, key=lambda name: id_from(name, "patients"), reverse=True)
    page = await patients.ListPatients(ListPatientsRequest(page_size=2))
    with pytest.raises(InvalidPageToken):
        await patients.ListPatients(
            ListPatientsRequest(page_size=2, show_deleted=True, page_token=page.next_page_token)
        )


@pytest.mark.parametrize(
    "query", ["almeida", "ALMÉI", "d'Almeida", "oeuv", "Œuvrard almeida", "almeidaoeuvrard", "zoe"]
)
async def test_a_name_is_found_however_it_is_typed(patients: Patients, query: str) -> None:
    """Accents, case, hyphens and particles do not matter; each word counts from its beginning."""
    made = await create(patients, birth_name="d'Alméida-Œuvrard", birth_given_names="Zoé")
    await create(patients, birth_name="Bernard", birth_given_names="Paul")

    found = await patients.SearchPatients(SearchPatientsRequest(query=query))

    assert [one.name for one in found.patients] == [made.name]


async def test_all_criteria_must_fit(patients: Patients) -> None:
    """Name, birth date and identifier narrow a search together."""
    made = await create(patients, numbered("7"))
    born = Date(year=1980, month=5, day=17)
    number = IdentifierQuery(system="CHU-X", value="7")

    async def names(**criteria: object) -> list[str]:
        request = SearchPatientsRequest(**criteria)  # type: ignore[arg-type]
        return [one.name for one in (await patients.SearchPatients(request)).patients]

    assert await names(query="martin", birth_date=born, identifier=number) == [made.name]
    assert await names(birth_date=born) == [made.name]
    assert await names(identifier=number) == [made.name]
    assert await names(query="martin", birth_date=Date(year=1981)) == []
    assert await names(query="martin nobody") == []
    for nothing in ({}, {"identifier": IdentifierQuery(system="CHU-X", value=" \u00a0")}):
        with pytest.raises(InvalidField):
            await names(**nothing)


async def test_a_search_pages_by_name(patients: Patients) -> None:
    """The pages of a search follow one another without gap or repeat."""
    for name in ("Carron", "Carra", "Carre", "Carri"):
        await create(patients, birth_name=name)

    seen, token = [], ""
    while True:
        asked = SearchPatientsRequest(query="carr", page_size=1, page_token=token)
        page = await patients.SearchPatients(asked)
        seen += [one.birth_name for one in page.patients]
        token = page.next_page_token
        if not token:
            break

    assert seen == ["Carra", "Carre", "Carri", "Carron"]


async def test_identities_are_found_without_a_link(patients: Patients) -> None:
    """Registration names a patient whom it cannot open, best match first."""
    organization = identity.caller().organization
    assert organization is not None
    made = await create(patients, numbered("7"))
    enter(organization)

    found = await patients.LookupPatientIdentities(
        LookupPatientIdentitiesRequest(query="martin", birth_date=Date(year=1980, month=5, day=17))
    )

    assert [(one.name, list(one.matched)) for one in found.identities] == [
        (made.name, ["birth_date", "birth_name"])
    ]
    assert (await patients.SearchPatients(SearchPatientsRequest(query="martin"))).patients == []
    with pytest.raises(NotFound):
        await patients.GetPatient(GetPatientRequest(name=made.name))
    with pytest.raises(InvalidField):
        await patients.LookupPatientIdentities(LookupPatientIdentitiesRequest(query="martin"))


async def test_nothing_of_another_organization_shows(patients: Patients) -> None:
    """Get, update, merge and search answer as for what does not exist."""
    caller = identity.caller().subject
    made = await create(patients, numbered("7"))
    enter(new_id(), caller)
    own = await create(patients, numbered("7"))

    with pytest.raises(NotFound):
        await patients.GetPatient(GetPatientRequest(name=made.name))
    with pytest.raises(NotFound):
        await patients.UpdatePatient(
            UpdatePatientRequest(patient=Patient(name=made.name, used_name="X"))
        )
    with pytest.raises(NotFound):
        await merge(patients, own, made)
    found = await patients.SearchPatients(
        SearchPatientsRequest(identifier=IdentifierQuery(system="CHU-X", value="7"))
    )
    assert [one.name for one in found.patients] == [own.name]
