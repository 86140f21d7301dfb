"""How each reason of clinical comes about."""

from google.protobuf.field_mask_pb2 import FieldMask

from clinical.domain.ins import NIR_TEST
from core.ids import name_of
from medhub.clinical.v1 import care_link_pb2, patient_pb2
from medhub.clinical.v1 import care_link_service_pb2 as links
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from tests.support.hl7_messages import TEST_INS
from tests.support.matrix_clinical import (
    admission,
    create_endpoint,
    create_patient,
    create_practitioner,
    create_unit,
    merge_patients,
)
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_requests import fresh
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import HOSPITAL, World

_HL7 = "medhub.clinical.v1.Hl7V2Service"
_PATIENTS = "medhub.clinical.v1.PatientService"
_PRACTITIONERS = "medhub.clinical.v1.PractitionerService"


async def _create(world: World, meta: Metadata, number: patient_pb2.PatientIdentifier) -> Outcome:
    request = await create_patient(world.alpha)
    request.patient.identifiers.append(number)
    return await ask(world, f"{_PATIENTS}/CreatePatient", request, meta, world.alpha.whole)


@case("IDENTIFIER_TAKEN")
async def _(world: World, meta: Metadata) -> Outcome:
    kind = patient_pb2.IDENTIFIER_TYPE_PI
    number = patient_pb2.PatientIdentifier(system=HOSPITAL, type=kind, value=world.alpha.number)
    return await _create(world, meta, number)


@case("INS_NOT_ALLOWED_HERE")
async def _(world: World, meta: Metadata) -> Outcome:
    kind = patient_pb2.IDENTIFIER_TYPE_INS
    number = patient_pb2.PatientIdentifier(system=NIR_TEST, type=kind, value=TEST_INS)
    return await _create(world, meta, number)


async def _merge(world: World, meta: Metadata, survivor: str, duplicate: str) -> Outcome:
    request = patients.MergePatientsRequest(
        survivor=survivor, duplicate=duplicate, reason="twice", request_id=fresh()
    )
    return await ask(world, f"{_PATIENTS}/MergePatients", request, meta, world.alpha.whole)


@case("MERGE_WITH_ITSELF")
async def _(world: World, meta: Metadata) -> Outcome:
    return await _merge(world, meta, world.alpha.patient, world.alpha.patient)


@case("MERGE_INVERTED")
async def _(world: World, meta: Metadata) -> Outcome:
    merged = await merge_patients(world.alpha)
    await world.alpha.do(f"{_PATIENTS}/MergePatients", merged)
    return await _merge(world, meta, merged.duplicate, merged.survivor)


@case("PATIENT_MERGED")
async def _(world: World, meta: Metadata) -> Outcome:
    merged = await merge_patients(world.alpha)
    await world.alpha.do(f"{_PATIENTS}/MergePatients", merged)
    changed = patient_pb2.Patient(name=merged.duplicate, used_name="OTHER")
    request = patients.UpdatePatientRequest(
        patient=changed, update_mask=FieldMask(paths=["used_name"])
    )
    return await ask(world, f"{_PATIENTS}/UpdatePatient", request, meta, world.alpha.whole)


@case("PATIENT_DELETED")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await world.alpha.do(f"{_PATIENTS}/CreatePatient", await create_patient(world.alpha))
    gone = patients.DeletePatientRequest(name=made.name, etag=made.etag)
    await world.alpha.do(f"{_PATIENTS}/DeletePatient", gone)
    changed = patient_pb2.Patient(name=made.name, used_name="OTHER")
    request = patients.UpdatePatientRequest(patient=changed)
    return await ask(world, f"{_PATIENTS}/UpdatePatient", request, meta, world.alpha.whole)


@case("PATIENT_NOT_DELETED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = patients.UndeletePatientRequest(name=world.alpha.patient)
    return await ask(world, f"{_PATIENTS}/UndeletePatient", request, meta, world.alpha.whole)


@case("CARE_LINK_EXISTS")
async def _(world: World, meta: Metadata) -> Outcome:
    link = care_link_pb2.CareLink(
        patient=world.alpha.patient,
        practitioner=world.alpha.practitioner,
        kind=care_link_pb2.CARE_LINK_KIND_CARE_TEAM,
    )
    method = "medhub.clinical.v1.CareLinkService/CreateCareLink"
    request = links.CreateCareLinkRequest(care_link=link)
    return await ask(world, method, request, meta, world.alpha.whole)


@case("PRACTITIONER_EXISTS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_practitioner(world.alpha)
    request.practitioner.user = name_of("users", world.alpha.user("doctor"))
    method = f"{_PRACTITIONERS}/CreatePractitioner"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("SELF_ENTITLEMENT_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_practitioner(world.alpha)
    request.practitioner.user = name_of("users", world.alpha.user("administrator"))
    method = f"{_PRACTITIONERS}/CreatePractitioner"
    return await ask(world, method, request, meta, world.alpha.whole)


@case("UNIT_EXISTS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_unit(world.alpha)
    request.unit.code = "CARDIO"
    return await ask(world, f"{_PRACTITIONERS}/CreateUnit", request, meta, world.alpha.whole)


@case("ENDPOINT_EXISTS")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await create_endpoint(world.alpha)
    request.hl7_endpoint.label = "Admissions"
    return await ask(world, f"{_HL7}/CreateEndpoint", request, meta, world.alpha.whole)


@case("ENDPOINT_NOT_YOURS")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await world.alpha.do(f"{_HL7}/CreateEndpoint", await create_endpoint(world.alpha))
    request = hl7.IngestMessageRequest(endpoint=made.name, message=admission())
    another = world.alpha.lacking["clinical.patients.delete"]
    return await ask(world, f"{_HL7}/IngestMessage", request, meta, another)
