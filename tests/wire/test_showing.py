"""An answer that shows a record leaves an event, also when the call changes nothing."""

from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from medhub.clinical.v1 import hl7_pb2, patient_pb2
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_service_pb2 as patients
from tests.support import hl7_messages
from tests.support.matrix_world import HOSPITAL
from tests.support.platform import Platform, platform

__all__ = ["platform"]
_SERVICE = "medhub.clinical.v1.PatientService"
_HL7 = "medhub.clinical.v1.Hl7V2Service"


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
        """CREATE TABLE shown (subject uuid, method text, kind text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            INSERT INTO public.shown VALUES (NEW.subject, NEW.context->>'method', NEW.kind);
            RETURN NEW; END $$;
        CREATE TRIGGER note BEFORE INSERT ON medhub.audit_outbox
            FOR EACH ROW EXECUTE FUNCTION note()"""
    )
    await platform.tenant("alpha", {"doctor": ["doctor"]})
    return await platform.login("doctor@alpha.example")


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
    await platform.tenant("alpha", {"admin": ["administrator"]})
    admin = await platform.login("admin@alpha.example")
    number = patient_pb2.PatientIdentifier(
        system=HOSPITAL, type=patient_pb2.IDENTIFIER_TYPE_PI, value="100001"
    )
    patient = patient_pb2.Patient(birth_name="Martin", identifiers=[number])
    asked = patients.CreatePatientRequest(patient=patient)
    made = await platform.call(f"{_SERVICE}/CreatePatient", asked, token=doctor)
    endpoint = hl7.CreateEndpointRequest(hl7_endpoint=hl7_pb2.Hl7Endpoint(label="GAM"))
    gate = (await platform.call(f"{_HL7}/CreateEndpoint", endpoint, token=admin)).name
    of_patient, of_nobody = [
        await platform.call(
            f"{_HL7}/IngestMessage",
            hl7.IngestMessageRequest(endpoint=gate, message=text.encode()),
            token=admin,
        )
        for text in (hl7_messages.adt("A02"), "MSH|of MARTIN")
    ]
    show, get = hl7.GetMessageRequest(name=of_patient.message), f"{_HL7}/GetMessage"

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.call(get, show, token=admin)
    shown = await platform.call(get, show, token=doctor)
    nobodys = await platform.call(get, hl7.GetMessageRequest(name=of_nobody.message), token=doctor)
    with pytest.raises(grpc.aio.AioRpcError) as denied:
        await platform.call(
            f"{_HL7}/ReadUnattributedMessage",
            hl7.ReadUnattributedMessageRequest(name=of_nobody.message),
            token=doctor,
        )

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert (shown.patient, b"MARTIN" in shown.raw) == (made.name, True)
    assert await _events(platform, made.name, get) == 1
    assert (nobodys.patient, nobodys.raw, nobodys.ack) == ("", b"", b"")
    assert denied.value.code() is grpc.StatusCode.PERMISSION_DENIED
