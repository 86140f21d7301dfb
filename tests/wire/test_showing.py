"""An answer that shows a record leaves an event, also when the call changes nothing."""

from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from medhub.clinical.v1 import care_link_pb2, hl7_pb2, patient_pb2, practitioner_pb2
from medhub.clinical.v1 import care_link_service_pb2 as links
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import practitioner_service_pb2 as practitioners
from medhub.clinical.v1 import record_service_pb2 as records
from tests.support import hl7_messages
from tests.support.matrix_world import HOSPITAL
from tests.support.platform import Platform, platform

__all__ = ["platform"]
_SERVICE = "medhub.clinical.v1.PatientService"
_HL7 = "medhub.clinical.v1.Hl7V2Service"
_LINKS = "medhub.clinical.v1.CareLinkService"
_RECORDS = "medhub.clinical.v1.RecordService"


async def _events(platform: Platform, name: str, method: str) -> int:
    """Events of a method about a patient, in the outbox or already in the trail's hands."""
    subject = UUID(name.removeprefix("patients/"))
    rows = platform.databases["clinical"].rows(
        "SELECT count(*) AS n FROM shown WHERE subject = %s AND method = %s", subject, method
    )
    return int(rows[0]["n"])


@pytest.fixture
async def doctor(platform: Platform) -> str:
    """The token of a doctor; every row that reaches the outbox is noted in passing."""
    platform.databases["clinical"].rows(
        """CREATE TABLE shown (subject uuid, method text, kind text, entity text, after jsonb);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            INSERT INTO public.shown VALUES (NEW.subject, NEW.context->>'method', NEW.kind,
                NEW.entity, NEW.after);
            RETURN NEW; END $$;
        CREATE TRIGGER note BEFORE INSERT ON medhub.audit_outbox
            FOR EACH ROW EXECUTE FUNCTION note()"""
    )
    await platform.tenant("alpha", {"doctor": ["doctor"]})
    return await platform.login("doctor@alpha.example")


async def _patient(platform: Platform, doctor: str, number: str) -> patient_pb2.Patient:
    """A patient of the hospital's number, taken in by the doctor."""
    identifier = patient_pb2.PatientIdentifier(
        system=HOSPITAL, type=patient_pb2.IDENTIFIER_TYPE_PI, value=number
    )
    patient = patient_pb2.Patient(birth_name="Martin", identifiers=[identifier])
    asked = patients.CreatePatientRequest(patient=patient)
    made: patient_pb2.Patient = await platform.call(
        f"{_SERVICE}/CreatePatient", asked, token=doctor
    )
    return made


async def _sent(platform: Platform, *texts: str) -> tuple[str, list[str]]:
    """An administrator's token, and the messages that came to an endpoint."""
    await platform.tenant("alpha", {"admin": ["administrator"]})
    admin = await platform.login("admin@alpha.example")
    endpoint = hl7.CreateEndpointRequest(hl7_endpoint=hl7_pb2.Hl7Endpoint(label="GAM"))
    gate = (await platform.call(f"{_HL7}/CreateEndpoint", endpoint, token=admin)).name
    names = []
    for text in texts:
        request = hl7.IngestMessageRequest(endpoint=gate, message=text.encode())
        taken = await platform.call(f"{_HL7}/IngestMessage", request, token=admin)
        names.append(taken.message)
    return admin, names


async def _cared_for(platform: Platform, patient: str, admin: str, doctor: str) -> None:
    """Somebody of the care team is linked to a patient."""
    somebody = practitioners.CreatePractitionerRequest(
        practitioner=practitioner_pb2.Practitioner(display_name="Dr. Wilson")
    )
    method = "medhub.clinical.v1.PractitionerService/CreatePractitioner"
    made = await platform.call(method, somebody, token=admin)
    link = care_link_pb2.CareLink(
        patient=patient, practitioner=made.name, kind=care_link_pb2.CARE_LINK_KIND_CARE_TEAM
    )
    request = links.CreateCareLinkRequest(care_link=link)
    await platform.call(f"{_LINKS}/CreateCareLink", request, token=doctor)


async def test_a_change_that_changes_nothing_is_recorded(platform: Platform, doctor: str) -> None:
    """A rehearsal, and the same value again, show the whole record: each leaves an event."""
    asked = patients.CreatePatientRequest(patient=patient_pb2.Patient(birth_name="Lemoine"))
    made = await platform.call(f"{_SERVICE}/CreatePatient", asked, token=doctor)
    method = f"{_SERVICE}/UpdatePatient"
    same = patients.UpdatePatientRequest(
        patient=patient_pb2.Patient(name=made.name, birth_name="Lemoine", etag=made.etag),
        update_mask=FieldMask(paths=["birth_name"]),
    )
    rehearsal = patients.UpdatePatientRequest(validate_only=True)
    rehearsal.MergeFrom(same)

    await platform.call(method, rehearsal, token=doctor)
    rehearsed = await _events(platform, made.name, method)
    await platform.call(method, same, token=doctor)
    repeated = await _events(platform, made.name, method)

    assert (rehearsed, repeated) == (1, 2)


async def test_a_repeated_request_is_recorded(platform: Platform, doctor: str) -> None:
    """A replay is a read, and audited like one."""
    asked = patients.CreatePatientRequest(
        patient=patient_pb2.Patient(birth_name="Lemoine"), request_id=str(uuid4())
    )
    method = f"{_SERVICE}/CreatePatient"
    made = await platform.call(method, asked, token=doctor)
    before = await _events(platform, made.name, method)

    again = await platform.call(method, asked, token=doctor)

    assert again.name == made.name
    assert await _events(platform, made.name, method) == before + 1


async def test_a_probe_for_an_identifier_is_recorded(platform: Platform, doctor: str) -> None:
    """Whoever learns that an identifier is taken is in the trail of the patient who bears it."""
    number = patient_pb2.PatientIdentifier(
        system="CHU-X", type=patient_pb2.IDENTIFIER_TYPE_PI, value="42"
    )
    asked = patients.CreatePatientRequest(
        patient=patient_pb2.Patient(birth_name="Lemoine", identifiers=[number])
    )
    bearer = await platform.call(f"{_SERVICE}/CreatePatient", asked, token=doctor)
    asked.validate_only = True

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.call(f"{_SERVICE}/CreatePatient", asked, token=doctor)

    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    kept = platform.databases["clinical"].rows("SELECT * FROM shown WHERE kind = 'refusal'")
    assert [f"patients/{row['subject']}" for row in kept] == [bearer.name]


async def test_a_refused_look_stands_in_the_patients_trail(platform: Platform, doctor: str) -> None:
    """Who asked for a record without a link is found by asking for the patient's events."""
    asked = patients.CreatePatientRequest(patient=patient_pb2.Patient(birth_name="Lemoine"))
    made = await platform.call(f"{_SERVICE}/CreatePatient", asked, token=doctor)
    await platform.tenant("alpha", {"stranger": ["doctor"]})
    stranger = await platform.login("stranger@alpha.example")

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.call(
            f"{_SERVICE}/GetPatient", patients.GetPatientRequest(name=made.name), token=stranger
        )

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert await _events(platform, made.name, f"{_SERVICE}/GetPatient") == 1


async def test_a_refused_message_is_shown_as_its_patients(platform: Platform, doctor: str) -> None:
    """Without a link it is not there, with one its showing stands in the patient's trail; and what
    is about nobody known is told to nobody who may only read messages.
    """
    made = await _patient(platform, doctor, "100001")
    admin, [of_patient, of_nobody] = await _sent(platform, hl7_messages.adt("A02"), "MSH|of MARTIN")
    show, get = hl7.GetMessageRequest(name=of_patient), f"{_HL7}/GetMessage"

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.call(get, show, token=admin)
    shown = await platform.call(get, show, token=doctor)
    nobodys = await platform.call(get, hl7.GetMessageRequest(name=of_nobody), token=doctor)
    with pytest.raises(grpc.aio.AioRpcError) as denied:
        await platform.call(
            f"{_HL7}/ReadUnattributedMessage",
            hl7.ReadUnattributedMessageRequest(name=of_nobody),
            token=doctor,
        )

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert (shown.patient, b"MARTIN" in shown.raw) == (made.name, True)
    assert await _events(platform, made.name, get) == 1
    assert (nobodys.patient, nobodys.raw, nobodys.ack) == ("", b"", b"")
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_what_was_a_duplicates_is_shown_as_the_survivors(
    platform: Platform, doctor: str
) -> None:
    """Every look into the record of both stands in the trail of the one who lives on, by whichever
    name it was asked for; and that trail says who the other was.
    """
    survivor, duplicate = [
        (await _patient(platform, doctor, number)).name for number in ("100002", "100001")
    ]
    admin, [message, _] = await _sent(platform, hl7_messages.adt("A01"), hl7_messages.oru())
    await _cared_for(platform, duplicate, admin, doctor)
    merge = patients.MergePatientsRequest(survivor=survivor, duplicate=duplicate, reason="twice")
    await platform.call(f"{_SERVICE}/MergePatients", merge, token=doctor)

    stays = await platform.call(
        f"{_RECORDS}/ListEncounters", records.ListEncountersRequest(patient=duplicate), token=doctor
    )
    results = await platform.call(
        f"{_RECORDS}/ListObservations",
        records.ListObservationsRequest(patient=duplicate),
        token=doctor,
    )
    opened = await platform.call(
        f"{_LINKS}/ListCareLinks", links.ListCareLinksRequest(patient=duplicate), token=doctor
    )
    stay = await platform.call(
        f"{_RECORDS}/GetEncounter",
        records.GetEncounterRequest(name=stays.encounters[0].name),
        token=doctor,
    )
    said = await platform.call(
        f"{_HL7}/GetMessage", hl7.GetMessageRequest(name=message), token=doctor
    )

    several = (stays.encounters, results.observations, opened.care_links)
    assert [{one.patient for one in each} for each in several] == [{survivor}] * 3
    assert (stay.patient, said.patient) == (survivor, survivor)
    for method in (
        f"{_RECORDS}/ListEncounters",
        f"{_RECORDS}/ListObservations",
        f"{_LINKS}/ListCareLinks",
        f"{_RECORDS}/GetEncounter",
        f"{_HL7}/GetMessage",
    ):
        assert await _events(platform, survivor, method) == 1, method
    told = platform.databases["clinical"].rows(
        "SELECT * FROM shown WHERE entity = 'patient_link' AND subject = %s",
        UUID(survivor.removeprefix("patients/")),
    )
    assert [f"patients/{row['after']['duplicate_id']}" for row in told] == [duplicate]
