"""Each reason of the contract, as a caller of a real server reads it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest

from clinical.domain.ins import NIR_TEST
from core.ids import name_of, new_id
from medhub.clinical.v1 import care_link_service_pb2 as links
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import practitioner_service_pb2 as staff
from medhub.clinical.v1 import record_service_pb2 as records
from medhub.clinical.v1.care_link_pb2 import CARE_LINK_KIND_CARE_TEAM, CareLink
from medhub.clinical.v1.error_reason_pb2 import ErrorReason
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint
from medhub.clinical.v1.patient_pb2 import (
    IDENTIFIER_TYPE_INS,
    IDENTIFIER_TYPE_PI,
    Patient,
    PatientIdentifier,
)
from medhub.clinical.v1.practitioner_pb2 import Practitioner, Unit
from tests.support.hl7_messages import TEST_INS, adt
from tests.support.servers import bearer, reason_of

Refuses = Callable[[Any], Awaitable[object]]


async def made(house: Any, number: str, **more: Any) -> Patient:
    """A patient with a number."""
    identifier = PatientIdentifier(system="CHU-X", type=IDENTIFIER_TYPE_PI, value=number)
    person = Patient(birth_name="Martin", identifiers=[identifier], **more)
    request = patients.CreatePatientRequest(patient=person)
    answer: Patient = await house.patients.CreatePatient(request, metadata=house.metadata)
    return answer


async def merged(house: Any, survivor: Patient, duplicate: Patient) -> object:
    """Merge the two."""
    request = patients.MergePatientsRequest(
        survivor=survivor.name, duplicate=duplicate.name, reason="same"
    )
    return await house.patients.MergePatients(request, metadata=house.metadata)


async def identifier_taken(house: Any) -> object:
    """Two patients of one number."""
    await made(house, "1")
    return await made(house, "1")


async def ins_not_allowed_here(house: Any) -> object:
    """A test INS where people are treated."""
    ins = PatientIdentifier(system=NIR_TEST, type=IDENTIFIER_TYPE_INS, value=TEST_INS)
    request = patients.CreatePatientRequest(patient=Patient(birth_name="M", identifiers=[ins]))
    return await house.patients.CreatePatient(request, metadata=house.metadata)


async def merge_with_itself(house: Any) -> object:
    """One patient twice."""
    one = await made(house, "1")
    return await merged(house, one, one)


async def merge_inverted(house: Any) -> object:
    """The inverse of a merge."""
    one, two = await made(house, "1"), await made(house, "2")
    await merged(house, one, two)
    return await merged(house, two, one)


async def patient_merged(house: Any) -> object:
    """A change of a duplicate."""
    one, two = await made(house, "1"), await made(house, "2")
    await merged(house, one, two)
    change = Patient(name=two.name, used_name="X")
    request = patients.UpdatePatientRequest(patient=change)
    return await house.patients.UpdatePatient(request, metadata=house.metadata)


async def patient_deleted(house: Any) -> object:
    """A change of a deleted patient."""
    one = await made(house, "1")
    gone = patients.DeletePatientRequest(name=one.name, etag=one.etag)
    await house.patients.DeletePatient(gone, metadata=house.metadata)
    change = patients.UpdatePatientRequest(patient=Patient(name=one.name, used_name="X"))
    return await house.patients.UpdatePatient(change, metadata=house.metadata)


async def patient_not_deleted(house: Any) -> object:
    """Undelete what is not deleted."""
    one = await made(house, "1")
    request = patients.UndeletePatientRequest(name=one.name)
    return await house.patients.UndeletePatient(request, metadata=house.metadata)


async def unit_made(house: Any) -> Unit:
    """The unit CARDIO."""
    request = staff.CreateUnitRequest(unit=Unit(code="CARDIO", display_name="Cardiology"))
    answer: Unit = await house.practitioners.CreateUnit(request, metadata=house.metadata)
    return answer


async def unit_exists(house: Any) -> object:
    """Two units of one code."""
    await unit_made(house)
    return await unit_made(house)


async def practitioner_exists(house: Any) -> object:
    """Two practitioners of one RPPS number."""
    someone = Practitioner(display_name="Dr A", rpps="10001234567")
    for _ in range(2):
        await house.practitioners.CreatePractitioner(
            staff.CreatePractitionerRequest(practitioner=someone), metadata=house.metadata
        )
    return None


async def self_entitlement_refused(house: Any) -> object:
    """A practitioner who is the caller."""
    own = Practitioner(display_name="Me", user=name_of("users", house.user))
    return await house.practitioners.CreatePractitioner(
        staff.CreatePractitionerRequest(practitioner=own), metadata=house.metadata
    )


async def care_link_exists(house: Any) -> object:
    """The same link twice."""
    link = CareLink(
        patient=(await made(house, "1")).name,
        unit=(await unit_made(house)).name,
        kind=CARE_LINK_KIND_CARE_TEAM,
    )
    for _ in range(2):
        await house.links.CreateCareLink(
            links.CreateCareLinkRequest(care_link=link), metadata=house.metadata
        )
    return None


async def endpoint_exists(house: Any) -> object:
    """Two endpoints of one label."""
    for _ in range(2):
        await house.hl7.CreateEndpoint(
            hl7.CreateEndpointRequest(hl7_endpoint=Hl7Endpoint(label="GAM")),
            metadata=house.metadata,
        )
    return None


async def endpoint_not_yours(house: Any) -> object:
    """A service account at another one's endpoint."""
    endpoint = await house.hl7.CreateEndpoint(
        hl7.CreateEndpointRequest(
            hl7_endpoint=Hl7Endpoint(
                label="own", service_account=name_of("serviceAccounts", new_id())
            )
        ),
        metadata=house.metadata,
    )
    token = house.served.authority.token(
        "clinical.hl7.ingest", organization=house.organization, kind="service"
    )
    request = hl7.IngestMessageRequest(endpoint=endpoint.name, message=adt("A28").encode())
    return await house.hl7.IngestMessage(request, metadata=bearer(token))


REFUSED: list[tuple[Refuses, grpc.StatusCode]] = [
    (identifier_taken, grpc.StatusCode.ALREADY_EXISTS),
    (ins_not_allowed_here, grpc.StatusCode.INVALID_ARGUMENT),
    (merge_with_itself, grpc.StatusCode.INVALID_ARGUMENT),
    (merge_inverted, grpc.StatusCode.FAILED_PRECONDITION),
    (patient_merged, grpc.StatusCode.FAILED_PRECONDITION),
    (patient_deleted, grpc.StatusCode.FAILED_PRECONDITION),
    (patient_not_deleted, grpc.StatusCode.ALREADY_EXISTS),
    (care_link_exists, grpc.StatusCode.ALREADY_EXISTS),
    (practitioner_exists, grpc.StatusCode.ALREADY_EXISTS),
    (self_entitlement_refused, grpc.StatusCode.PERMISSION_DENIED),
    (unit_exists, grpc.StatusCode.ALREADY_EXISTS),
    (endpoint_exists, grpc.StatusCode.ALREADY_EXISTS),
    (endpoint_not_yours, grpc.StatusCode.PERMISSION_DENIED),
]


@pytest.mark.parametrize(("act", "code"), REFUSED, ids=[act.__name__ for act, _ in REFUSED])
async def test_a_reason_reaches_the_caller(house: Any, act: Refuses, code: grpc.StatusCode) -> None:
    """With its code and its name; the act is named after it."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await act(house)

    assert refused.value.code() is code
    assert reason_of(refused.value) == act.__name__.upper()


def test_every_reason_has_its_test() -> None:
    """A reason that is added to the contract is told here too."""
    named = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118

    assert {act.__name__.upper() for act, _ in REFUSED} == named - {"UNSPECIFIED"}


async def test_a_missing_patient_and_anothers_cannot_be_told_apart(house: Any) -> None:
    """Every method that names a patient answers both in the same words."""
    own = await made(house, "1")
    token = house.served.authority.token(
        *(f"clinical.{one}" for one in ("patients.read", "patients.update", "records.read")),
        organization=new_id(),
    )
    stranger = bearer(token)
    told = []
    for name in (own.name, name_of("patients", new_id())):
        change = Patient(name=name, used_name="X")
        for ask, request in (
            (house.patients.GetPatient, patients.GetPatientRequest(name=name)),
            (house.patients.UpdatePatient, patients.UpdatePatientRequest(patient=change)),
            (house.records.ListEncounters, records.ListEncountersRequest(patient=name)),
            (house.records.ListObservations, records.ListObservationsRequest(patient=name)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(request, metadata=stranger)
            told.append((refused.value.code(), refused.value.details(), reason_of(refused.value)))

    assert told[:4] == told[4:]
    assert {code for code, _, _ in told} == {grpc.StatusCode.NOT_FOUND}


async def test_a_repeated_request_is_done_once(house: Any) -> None:
    """The second answer is the first, over the wire too."""
    request = patients.CreatePatientRequest(
        patient=Patient(birth_name="Martin"), request_id=str(uuid4())
    )

    first = await house.patients.CreatePatient(request, metadata=house.metadata)
    again = await house.patients.CreatePatient(request, metadata=house.metadata)

    assert first == again
    assert len(house.database.rows("SELECT * FROM patient")) == 1


async def test_a_read_leaves_a_record_before_it_answers(house: Any) -> None:
    """Who read whom is in the outbox or on its way when the caller has the answer."""
    own = await made(house, "1")

    await house.patients.GetPatient(
        patients.GetPatientRequest(name=own.name), metadata=house.metadata
    )

    found = house.database.rows(
        "SELECT * FROM medhub.audit_outbox WHERE kind = 'access'"
        " AND context->>'action' = 'clinical.patients.read'"
    )
    assert [name_of("patients", one["subject"]) for one in found] == [own.name]


async def test_a_repeat_after_a_merge_is_recorded_of_whom_it_shows(house: Any) -> None:
    """Create and update answer again what they did, and the trail names that patient."""
    number = PatientIdentifier(system="CHU-X", type=IDENTIFIER_TYPE_PI, value="1")
    asked = patients.CreatePatientRequest(
        patient=Patient(birth_name="Martin", identifiers=[number]), request_id=str(uuid4())
    )
    duplicate = await house.patients.CreatePatient(asked, metadata=house.metadata)
    change = patients.UpdatePatientRequest(
        patient=Patient(name=duplicate.name, used_name="Durand"), request_id=str(uuid4())
    )
    changed = await house.patients.UpdatePatient(change, metadata=house.metadata)
    await merged(house, await made(house, "2"), duplicate)

    again = [
        await house.patients.CreatePatient(asked, metadata=house.metadata),
        await house.patients.UpdatePatient(change, metadata=house.metadata),
    ]

    assert again == [duplicate, changed]
    shown = house.database.rows(
        "SELECT subject FROM medhub.audit_outbox WHERE kind = 'access' ORDER BY seq DESC LIMIT 2"
    )
    assert [name_of("patients", one["subject"]) for one in shown] == [duplicate.name] * 2
