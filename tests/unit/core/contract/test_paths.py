"""From a message to the persons that it names."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from core.contract.paths import Subjects, has_field, values_at
from medhub.clinical.v1.patient_pb2 import Patient
from medhub.clinical.v1.patient_service_pb2 import (
    GetPatientRequest,
    ListPatientsResponse,
    UpdatePatientRequest,
)

ONE, OTHER = uuid4(), uuid4()


def _name(person: UUID) -> str:
    return f"patients/{person}"


def test_a_path_leads_through_messages_and_lists() -> None:
    """Every value at its end, in order."""
    found = ListPatientsResponse(patients=[Patient(name="a"), Patient(name="b")])

    assert list(values_at(found, ("patients", "name"))) == ["a", "b"]
    assert list(values_at(GetPatientRequest(name="c"), ("name",))) == ["c"]


def test_a_path_is_checked_against_the_message() -> None:
    """Before anybody calls."""
    answer: Any = ListPatientsResponse.DESCRIPTOR
    request: Any = UpdatePatientRequest.DESCRIPTOR
    assert has_field(answer, "patients.name")
    assert has_field(request, "patient.name")
    for wrong in ("patient.name", "patients.nobody", "patients.name.x", ""):
        assert not has_field(answer, wrong)


def test_persons_are_told_by_kind_and_id() -> None:
    """On both sides of a call; what names nobody is left out."""
    subjects = Subjects.of("m", ["request.patient.name", "response.patients.name"])
    answer = ListPatientsResponse(
        patients=[Patient(name=_name(ONE)), Patient(name="units/7"), Patient(name="patients/-")]
    )

    request = UpdatePatientRequest(patient=Patient(name=_name(OTHER)))
    assert list(subjects.in_request(request)) == [("patient", OTHER)]
    assert list(subjects.in_response(answer)) == [("patient", ONE)]


def test_a_person_without_an_id_is_a_fault() -> None:
    """An answer that cannot be recorded must not leave."""
    subjects = Subjects.of("m", ["response.patients.name"])

    with pytest.raises(ValueError, match="UUID"):
        list(subjects.in_response(ListPatientsResponse(patients=[Patient(name="patients/x")])))
