"""Requests to clinical."""

import secrets
from dataclasses import replace

from google.protobuf.field_mask_pb2 import FieldMask

from core.ids import name_of, new_id
from medhub.clinical.v1 import care_link_pb2, hl7_pb2, patient_pb2, practitioner_pb2
from medhub.clinical.v1 import care_link_service_pb2 as links
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import practitioner_service_pb2 as practitioners
from medhub.clinical.v1 import record_service_pb2 as records
from tests.support import hl7_messages
from tests.support.matrix_requests import asks, fresh
from tests.support.matrix_world import HOSPITAL, Side

_LINKS = "medhub.clinical.v1.CareLinkService"
_HL7 = "medhub.clinical.v1.Hl7V2Service"
_PATIENTS = "medhub.clinical.v1.PatientService"
_PRACTITIONERS = "medhub.clinical.v1.PractitionerService"
_RECORDS = "medhub.clinical.v1.RecordService"


async def _practitioner(side: Side) -> str:
    made = await side.do(f"{_PRACTITIONERS}/CreatePractitioner", await create_practitioner(side))
    return str(made.name)


@asks(f"{_LINKS}/CreateCareLink")
async def create_care_link(side: Side) -> links.CreateCareLinkRequest:
    link = care_link_pb2.CareLink(
        patient=side.patient,
        practitioner=await _practitioner(side),
        kind=care_link_pb2.CARE_LINK_KIND_CARE_TEAM,
    )
    return links.CreateCareLinkRequest(care_link=link, request_id=fresh())


@asks(f"{_LINKS}/EndCareLink")
async def end_care_link(side: Side) -> links.EndCareLinkRequest:
    made = await side.do(f"{_LINKS}/CreateCareLink", await create_care_link(side))
    return links.EndCareLinkRequest(name=made.name)


@asks(f"{_LINKS}/ListCareLinks")
async def list_care_links(side: Side) -> links.ListCareLinksRequest:
    return links.ListCareLinksRequest(patient=side.patient)


@asks(f"{_HL7}/CreateEndpoint")
async def create_endpoint(side: Side) -> hl7.CreateEndpointRequest:
    endpoint = hl7_pb2.Hl7Endpoint(
        label=secrets.token_hex(6),
        service_account=side.account,
        ack_point=hl7_pb2.ACK_POINT_PROCESSED,
    )
    return hl7.CreateEndpointRequest(hl7_endpoint=endpoint, request_id=fresh())


@asks(f"{_HL7}/GetMessage")
async def get_message(side: Side) -> hl7.GetMessageRequest:
    return hl7.GetMessageRequest(name=side.message)


@asks(f"{_HL7}/ReadUnattributedMessage")
async def read_unattributed_message(side: Side) -> hl7.ReadUnattributedMessageRequest:
    return hl7.ReadUnattributedMessageRequest(name=side.unattributed)


def admission() -> bytes:
    """An admission of somebody whom the hospital sends for the first time."""
    number = hl7_messages.ipp(str(secrets.randbelow(10**9) + 10**9))
    visit = f"V{secrets.token_hex(5)}^^^CHU-X&1.2.250.1.999.1&ISO^VN"
    person = replace(hl7_messages.ANNE, identifiers=(number,))
    text = hl7_messages.adt(
        "A01", person, control_id=secrets.token_hex(5), stay=hl7_messages.pv1(visit)
    )
    return text.encode()


@asks(f"{_HL7}/IngestMessage")
async def ingest_message(side: Side) -> hl7.IngestMessageRequest:
    return hl7.IngestMessageRequest(endpoint=side.endpoint, message=admission())


@asks(f"{_HL7}/IngestMessages")
async def ingest_messages(side: Side) -> hl7.IngestMessagesRequest:
    return hl7.IngestMessagesRequest(endpoint=side.endpoint, message=admission(), sequence=1)


@asks(f"{_HL7}/ListEndpoints")
async def list_endpoints(side: Side) -> hl7.ListEndpointsRequest:
    return hl7.ListEndpointsRequest()


@asks(f"{_HL7}/ListMessages")
async def list_messages(side: Side) -> hl7.ListMessagesRequest:
    return hl7.ListMessagesRequest(endpoint=side.endpoint)


@asks(f"{_HL7}/UpdateEndpoint")
async def update_endpoint(side: Side) -> hl7.UpdateEndpointRequest:
    made = await side.do(f"{_HL7}/CreateEndpoint", await create_endpoint(side))
    changed = hl7_pb2.Hl7Endpoint(name=made.name, etag=made.etag, label=secrets.token_hex(6))
    return hl7.UpdateEndpointRequest(hl7_endpoint=changed, update_mask=FieldMask(paths=["label"]))


@asks(f"{_PATIENTS}/CreatePatient")
async def create_patient(side: Side) -> patients.CreatePatientRequest:
    number = patient_pb2.PatientIdentifier(
        system="LABO", type=patient_pb2.IDENTIFIER_TYPE_PI, value=secrets.token_hex(8)
    )
    patient = patient_pb2.Patient(birth_name="NEWCOMER", identifiers=[number])
    return patients.CreatePatientRequest(patient=patient, request_id=fresh())


@asks(f"{_PATIENTS}/DeletePatient")
async def delete_patient(side: Side) -> patients.DeletePatientRequest:
    made = await side.new_patient()
    return patients.DeletePatientRequest(name=made.name, etag=made.etag, request_id=fresh())


@asks(f"{_PATIENTS}/GetPatient")
async def get_patient(side: Side) -> patients.GetPatientRequest:
    return patients.GetPatientRequest(name=side.patient)


@asks(f"{_PATIENTS}/ListPatients")
async def list_patients(side: Side) -> patients.ListPatientsRequest:
    return patients.ListPatientsRequest()


def _number(side: Side) -> patients.IdentifierQuery:
    return patients.IdentifierQuery(system=HOSPITAL, value=side.number)


@asks(f"{_PATIENTS}/LookupPatientIdentities")
async def lookup_patient_identities(side: Side) -> patients.LookupPatientIdentitiesRequest:
    return patients.LookupPatientIdentitiesRequest(identifier=_number(side))


@asks(f"{_PATIENTS}/SearchPatients")
async def search_patients(side: Side) -> patients.SearchPatientsRequest:
    return patients.SearchPatientsRequest(identifier=_number(side))


@asks(f"{_PATIENTS}/MergePatients")
async def merge_patients(side: Side) -> patients.MergePatientsRequest:
    survivor, duplicate = await side.new_patient(), await side.new_patient()
    return patients.MergePatientsRequest(
        survivor=survivor.name, duplicate=duplicate.name, reason="twice", request_id=fresh()
    )


@asks(f"{_PATIENTS}/UndeletePatient")
async def undelete_patient(side: Side) -> patients.UndeletePatientRequest:
    gone = await delete_patient(side)
    await side.do(f"{_PATIENTS}/DeletePatient", gone)
    return patients.UndeletePatientRequest(name=gone.name, request_id=fresh())


@asks(f"{_PATIENTS}/UpdatePatient")
async def update_patient(side: Side) -> patients.UpdatePatientRequest:
    made = await side.new_patient()
    used_name = f"USED{secrets.token_hex(3).upper()}"
    changed = patient_pb2.Patient(name=made.name, etag=made.etag, used_name=used_name)
    return patients.UpdatePatientRequest(
        patient=changed, update_mask=FieldMask(paths=["used_name"]), request_id=fresh()
    )


@asks(f"{_PRACTITIONERS}/CreatePractitioner")
async def create_practitioner(side: Side) -> practitioners.CreatePractitionerRequest:
    doctor = practitioner_pb2.Practitioner(
        display_name="Dr. Wilson", user=name_of("users", new_id()), units=[side.unit]
    )
    return practitioners.CreatePractitionerRequest(practitioner=doctor, request_id=fresh())


@asks(f"{_PRACTITIONERS}/CreateUnit")
async def create_unit(side: Side) -> practitioners.CreateUnitRequest:
    unit = practitioner_pb2.Unit(code=secrets.token_hex(4).upper(), display_name="Unit")
    return practitioners.CreateUnitRequest(unit=unit, request_id=fresh())


@asks(f"{_PRACTITIONERS}/ListPractitioners")
async def list_practitioners(side: Side) -> practitioners.ListPractitionersRequest:
    return practitioners.ListPractitionersRequest()


@asks(f"{_PRACTITIONERS}/ListUnits")
async def list_units(side: Side) -> practitioners.ListUnitsRequest:
    return practitioners.ListUnitsRequest()


@asks(f"{_RECORDS}/GetEncounter")
async def get_encounter(side: Side) -> records.GetEncounterRequest:
    return records.GetEncounterRequest(name=side.encounter)


@asks(f"{_RECORDS}/ListEncounters")
async def list_encounters(side: Side) -> records.ListEncountersRequest:
    return records.ListEncountersRequest(patient=side.patient)


@asks(f"{_RECORDS}/ListObservations")
async def list_observations(side: Side) -> records.ListObservationsRequest:
    return records.ListObservationsRequest(patient=side.patient)
