"""PatientService as plain functions, and people who do not exist."""

import pytest
from google.type.date_pb2 import Date

from clinical.servicers.patients import Patients
from core.database.pages import PageTokens
from core.ids import new_id
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import (
    CreatePatientRequest,
    MergePatientsRequest,
)
from tests.support.clinics import Clinic, enter
from tests.support.postgres import PAGE_KEY


@pytest.fixture
def patients(clinic: Clinic) -> Patients:
    """The servicer."""
    enter(new_id())
    return Patients(clinic.store, PageTokens(PAGE_KEY))


def numbered(value: str, system: str = "CHU-X") -> patient_pb2.PatientIdentifier:
    """A hospital's number."""
    return patient_pb2.PatientIdentifier(
        system=system, type=patient_pb2.IDENTIFIER_TYPE_PI, value=value
    )


def anne(*identifiers: patient_pb2.PatientIdentifier, **traits: object) -> Patient:
    """A patient who does not exist."""
    given = {"birth_name": "Martin", "birth_given_names": "Anne Marie", **traits}
    return Patient(
        birth_date=Date(year=1980, month=5, day=17),
        sex=patient_pb2.SEX_FEMALE,
        identifiers=identifiers,
        **given,  # type: ignore[arg-type]
    )


async def create(patients: Patients, *identifiers: object, **traits: object) -> Patient:
    """Create a patient as the caller."""
    person = anne(*identifiers, **traits)  # type: ignore[arg-type]
    return await patients.CreatePatient(CreatePatientRequest(patient=person))


async def merge(patients: Patients, survivor: Patient, duplicate: Patient) -> object:
    """Merge, with a reason."""
    return await patients.MergePatients(
        MergePatientsRequest(survivor=survivor.name, duplicate=duplicate.name, reason="same")
    )
