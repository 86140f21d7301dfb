"""CareLinkService and PractitionerService over a real database, called as plain functions."""

from datetime import timedelta
from uuid import uuid4

import pytest

from clinical.domain.links import CareLinkExists
from clinical.domain.patients import PatientDeleted, delete
from clinical.domain.practitioners import PractitionerExists, SelfEntitlementRefused, UnitExists
from clinical.servicers.care_links import CareLinks
from clinical.servicers.practitioners import Practitioners
from core import clock, identity
from core.database.pages import PageTokens
from core.errors import InvalidField, NotFound
from core.ids import name_of, new_id
from medhub.clinical.v1.care_link_pb2 import (
    CARE_LINK_KIND_CARE_TEAM,
    CARE_LINK_KIND_REFERRAL,
    CareLink,
)
from medhub.clinical.v1.care_link_service_pb2 import (
    CreateCareLinkRequest,
    EndCareLinkRequest,
    ListCareLinksRequest,
)
from medhub.clinical.v1.practitioner_pb2 import Practitioner, Unit
from medhub.clinical.v1.practitioner_service_pb2 import (
    CreatePractitionerRequest,
    CreateUnitRequest,
    ListPractitionersRequest,
    ListUnitsRequest,
)
from tests.support.clinics import Clinic, clinic, enter
from tests.support.postgres import PAGE_KEY

__all__ = ["clinic"]


@pytest.fixture
def links(clinic: Clinic) -> CareLinks:
    """The servicer of care links."""
    enter(new_id())
    return CareLinks(clinic.store, PageTokens(PAGE_KEY))


@pytest.fixture
def practitioners(clinic: Clinic) -> Practitioners:
    """The servicer of practitioners."""
    enter(new_id())
    return Practitioners(clinic.store, PageTokens(PAGE_KEY))


def link(patient: object, **entitled: str) -> CareLink:
    """A care-team link to a patient."""
    name = name_of("patients", patient.id)  # type: ignore[attr-defined]
    return CareLink(**{"patient": name, "kind": CARE_LINK_KIND_CARE_TEAM, **entitled})  # type: ignore[arg-type]


async def test_a_deleted_patient_is_linked_to_nobody_else(links: CareLinks, clinic: Clinic) -> None:
    """Links can be ended, and made again once the patient is shown again."""
    patient = await clinic.patient(registrar=identity.caller().subject)
    unit, other = [name_of("units", await clinic.unit(code)) for code in ("A", "B")]
    made = await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=unit)))
    async with clinic.store.begin() as work:
        await work.patients.save(patient, delete(patient, at=clock.now()))

    with pytest.raises(PatientDeleted):
        await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=other)))

    assert (await links.EndCareLink(EndCareLinkRequest(name=made.name))).HasField("end_time")


async def test_a_link_exists_once_while_it_lives(links: CareLinks, clinic: Clinic) -> None:
    """A second live link of the kind is refused; another kind, or one after the end, is not."""
    patient = await clinic.patient(registrar=identity.caller().subject)
    unit = name_of("units", await clinic.unit())
    made = await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=unit)))

    with pytest.raises(CareLinkExists):
        await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=unit)))
    other = link(patient, unit=unit)
    other.kind = CARE_LINK_KIND_REFERRAL
    await links.CreateCareLink(CreateCareLinkRequest(care_link=other))
    ended = await links.EndCareLink(EndCareLinkRequest(name=made.name))
    again = await links.EndCareLink(EndCareLinkRequest(name=made.name))

    assert ended == again
    assert ended.HasField("end_time")
    await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=unit)))
    listed = await links.ListCareLinks(
        ListCareLinksRequest(patient=name_of("patients", patient.id))
    )
    assert len(listed.care_links) == 3


async def test_a_link_names_one_that_exists(links: CareLinks, clinic: Clinic) -> None:
    """Neither nobody, nor both, nor a stranger can be entitled, nor to a missing patient."""
    patient = await clinic.patient(registrar=identity.caller().subject)
    unit = name_of("units", await clinic.unit())
    unknown = name_of("practitioners", new_id())
    missing = CareLink(
        patient=name_of("patients", new_id()), unit=unit, kind=CARE_LINK_KIND_CARE_TEAM
    )
    backwards = link(patient, unit=unit)
    backwards.end_time.FromDatetime(clock.now() - timedelta(days=1))

    for wrong in (
        link(patient),
        link(patient, unit=unit, practitioner=unknown),
        link(patient, practitioner=unknown),
        backwards,
    ):
        with pytest.raises(InvalidField):
            await links.CreateCareLink(CreateCareLinkRequest(care_link=wrong))
    with pytest.raises(NotFound):
        await links.CreateCareLink(CreateCareLinkRequest(care_link=missing))
    with pytest.raises(NotFound):
        await links.EndCareLink(EndCareLinkRequest(name=name_of("careLinks", new_id())))
    with pytest.raises(NotFound):
        await links.ListCareLinks(ListCareLinksRequest(patient=missing.patient))


async def test_nobody_opens_a_record_to_themselves(links: CareLinks, clinic: Clinic) -> None:
    """Who is linked to nobody neither sees, makes nor ends links of a patient who is there."""
    patient = await clinic.patient(registrar=identity.caller().subject)
    unit = name_of("units", await clinic.unit())
    made = await links.CreateCareLink(CreateCareLinkRequest(care_link=link(patient, unit=unit)))
    other = link(patient, unit=unit)
    other.kind = CARE_LINK_KIND_REFERRAL

    organization = identity.caller().organization
    assert organization is not None
    enter(organization)

    with pytest.raises(NotFound):
        await links.CreateCareLink(CreateCareLinkRequest(care_link=other))
    with pytest.raises(NotFound):
        await links.EndCareLink(EndCareLinkRequest(name=made.name))
    with pytest.raises(NotFound):
        await links.ListCareLinks(ListCareLinksRequest(patient=made.patient))


async def test_a_repeated_link_is_made_once(links: CareLinks, clinic: Clinic) -> None:
    """The same request_id answers the same link."""
    patient = await clinic.patient(registrar=identity.caller().subject)
    unit = name_of("units", await clinic.unit())
    identity.call().request_id = str(uuid4())
    request = CreateCareLinkRequest(care_link=link(patient, unit=unit))

    assert await links.CreateCareLink(request) == await links.CreateCareLink(request)


async def test_practitioners_and_units_are_unique(practitioners: Practitioners) -> None:
    """RPPS, user and code each stand once; a unit must exist to be worked in."""
    unit = await practitioners.CreateUnit(
        CreateUnitRequest(unit=Unit(code="CARDIO", display_name="Cardiology"))
    )
    user = name_of("users", new_id())
    first = Practitioner(display_name="Dr A", rpps="10001234567", user=user, units=[unit.name])
    made = await practitioners.CreatePractitioner(CreatePractitionerRequest(practitioner=first))

    with pytest.raises(UnitExists):
        await practitioners.CreateUnit(
            CreateUnitRequest(unit=Unit(code="CARDIO", display_name="Another"))
        )
    for twin in (
        Practitioner(display_name="Dr B", rpps="10001234567"),
        Practitioner(display_name="Dr B", user=user),
    ):
        with pytest.raises(PractitionerExists):
            await practitioners.CreatePractitioner(CreatePractitionerRequest(practitioner=twin))
    with pytest.raises(InvalidField):
        await practitioners.CreatePractitioner(
            CreatePractitionerRequest(
                practitioner=Practitioner(display_name="C", units=[name_of("units", new_id())])
            )
        )

    assert list(made.units) == [unit.name]
    listed = await practitioners.ListPractitioners(ListPractitionersRequest())
    assert list(listed.practitioners) == [made]
    assert list((await practitioners.ListUnits(ListUnitsRequest())).units) == [unit]


async def test_nobody_registers_themselves(practitioners: Practitioners, clinic: Clinic) -> None:
    """Whoever did would open the records of every unit; somebody else has to do it."""
    unit = name_of("units", await clinic.unit())
    subject = identity.caller().subject
    assert subject is not None
    own = Practitioner(display_name="Me", user=name_of("users", subject), units=[unit])

    with pytest.raises(SelfEntitlementRefused):
        await practitioners.CreatePractitioner(CreatePractitionerRequest(practitioner=own))

    assert clinic.database.rows("SELECT * FROM practitioner") == []


async def test_units_page_oldest_first(practitioners: Practitioners) -> None:
    """Every unit stands on one page."""
    for code in "abcde":
        await practitioners.CreateUnit(CreateUnitRequest(unit=Unit(code=code, display_name=code)))

    seen, token = [], ""
    while True:
        page = await practitioners.ListUnits(ListUnitsRequest(page_size=2, page_token=token))
        seen += [one.code for one in page.units]
        token = page.next_page_token
        if not token:
            break

    assert sorted(seen) == list("abcde")
