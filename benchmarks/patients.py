"""Patients of the benchmarks: invented, all of one size."""

from collections.abc import Iterator
from itertools import count
from secrets import token_hex
from uuid import uuid4

from google.type import date_pb2

from benchmarks.stage import Stage
from medhub.clinical.v1 import patient_pb2, patient_service_pb2

SYSTEM = "1.2.250.1.999.7"
GET = "/medhub.clinical.v1.PatientService/GetPatient"
CREATE = "/medhub.clinical.v1.PatientService/CreatePatient"
# Numbers are unique on a stage, and between the runs on it.
_RUN = token_hex(3)
_NUMBERS = count(1)


def creations(count: int) -> Iterator[patient_service_pb2.CreatePatientRequest]:
    """Requests for new patients with two identifiers and a request_id each."""
    for _ in range(count):
        number = f"{_RUN}{next(_NUMBERS):07d}"
        yield patient_service_pb2.CreatePatientRequest(
            patient=patient_pb2.Patient(
                birth_name=f"VERDIER{number}",
                used_name=f"MARCHAND{number}",
                birth_given_names="Alice Jeanne",
                first_birth_given_name="Alice",
                birth_date=date_pb2.Date(year=1980, month=5, day=12),
                sex=patient_pb2.SEX_FEMALE,
                identifiers=[
                    patient_pb2.PatientIdentifier(
                        system=f"{SYSTEM}.{kind}", type=kind, value=f"{kind}{number}"
                    )
                    for kind in (
                        patient_pb2.IDENTIFIER_TYPE_PI,
                        patient_pb2.IDENTIFIER_TYPE_OTHER,
                    )
                ],
            ),
            request_id=str(uuid4()),
        )


def readings(stage: Stage, count: int) -> list[bytes]:
    """Serialized requests to read as many patients, who have been taken in by the doctor."""
    doctor = stage.session()
    create = stage.clients.patients.CreatePatient
    names = [doctor.call(create, request).name for request in creations(count)]
    return [patient_service_pb2.GetPatientRequest(name=name).SerializeToString() for name in names]
