"""The API: one patient with their identifiers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from ninja import NinjaAPI, Schema

from benchmarks.replaced.models import Patient
from benchmarks.replaced.roles import Bearer, requires_role

api = NinjaAPI(auth=Bearer(), docs_url=None, openapi_url=None)


class IdentifierOut(Schema):
    """A number, as it is answered."""

    system: str
    type: str
    value: str
    use: str


class PatientOut(Schema):
    """A patient, as they are answered."""

    id: UUID
    birth_name: str
    used_name: str
    birth_given_names: str
    first_birth_given_name: str
    birth_date: date
    sex: str
    identity_status: str
    created_at: datetime
    updated_at: datetime
    revision: int
    identifiers: list[IdentifierOut]


@api.get("/patients/{patient_id}", response=PatientOut)
@requires_role("doctor", "nurse")
def get_patient(request: Any, patient_id: UUID) -> Any:
    """Show one patient of the caller's organization."""
    patients = Patient.objects.filter(organization_id=request.auth.organization_id)
    return get_object_or_404(patients.prefetch_related("identifiers"), id=patient_id)


urlpatterns = [path("", api.urls)]
