"""A patient: traits, identifiers, and what may be done to them."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from clinical.domain.identifiers import PatientIdentifier
from core.errors import EtagMismatch, InvalidField, Refusal

# RNIV: a change of one of these makes an identity another one than the one that was proven.
_STRICT: Final = ("birth_name", "birth_given_names", "birth_date", "sex", "birth_place_code")


class Sex(StrEnum):
    """Administrative sex (HL7 table 0001); "" is not said."""

    UNSPECIFIED = ""
    FEMALE = "FEMALE"
    MALE = "MALE"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class IdentityStatus(StrEnum):
    """How far an identity is proven (RNIV)."""

    PROVISIONAL = "PROVISIONAL"
    RECOVERED = "RECOVERED"
    VALIDATED = "VALIDATED"
    QUALIFIED = "QUALIFIED"


class PatientMerged(Refusal):
    """The patient is the duplicate of a merge."""

    reason = "PATIENT_MERGED"


class PatientDeleted(Refusal):
    """The patient is deleted (AIP-164): nothing changes until they are shown again."""

    reason = "PATIENT_DELETED"


class PatientNotDeleted(Refusal):
    """Only a deleted patient can be undeleted."""

    reason = "PATIENT_NOT_DELETED"


@dataclass(frozen=True, slots=True)
class Traits:
    """Who somebody is. Dates are ISO 8601 cut at their precision: 1980, 1980-05, 1980-05-17."""

    birth_name: str = ""
    used_name: str = ""
    birth_given_names: str = ""
    first_birth_given_name: str = ""
    birth_date: str = ""
    sex: Sex = Sex.UNSPECIFIED
    birth_place_code: str = ""
    death_date: str = ""


EARLIEST_YEAR: Final = 1850
"""Nobody whose record is written today was born before; a year before it is a slip."""


def impossible_dates(traits: Traits, *, at: datetime) -> tuple[str, ...]:
    """The traits whose dates nobody can have at this time: `birth_date`, `death_date`.

    A day of tolerance allows for a sender's clock and time zone. Dates are compared at the
    precision that both have.
    """
    latest = (at.date() + timedelta(days=1)).isoformat()
    born, died = traits.birth_date, traits.death_date
    wrong = [
        name
        for name, day in (("birth_date", born), ("death_date", died))
        if day and (int(day[:4]) < EARLIEST_YEAR or day > latest[: len(day)])
    ]
    shared = min(len(born), len(died))
    if died[:shared] < born[:shared] and "death_date" not in wrong:
        wrong.append("death_date")
    return tuple(wrong)


def check_dates(traits: Traits, *, at: datetime) -> None:
    """Raises InvalidField for a birth or a death that cannot be."""
    for name in impossible_dates(traits, at=at):
        raise InvalidField(field=f"patient.{name}", rule="date")


TRAITS: Final = tuple(field.name for field in fields(Traits))


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as the record has it, at one revision."""

    id: UUID
    traits: Traits
    identifiers: tuple[PatientIdentifier, ...]
    identity_status: IdentityStatus
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    survivor_id: UUID | None = None
    revision: int = 1

    @property
    def etag(self) -> str:
        """The revision, as callers hold it (AIP-154)."""
        return str(self.revision)


def register(
    row: UUID,
    traits: Traits,
    identifiers: tuple[PatientIdentifier, ...],
    *,
    at: datetime,
    status: IdentityStatus = IdentityStatus.PROVISIONAL,
) -> Patient:
    """A new patient. Raises InvalidField when there is no name to call them by."""
    if not traits.birth_name:
        raise InvalidField(field="patient.birth_name", rule="required")
    return Patient(row, traits, identifiers, status, created_at=at, updated_at=at)


def change(
    patient: Patient,
    traits: Traits,
    identifiers: tuple[PatientIdentifier, ...],
    *,
    at: datetime,
    status: IdentityStatus | None = None,
) -> Patient:
    """The patient with new values; the same object when nothing changes.

    An identity whose strict traits change is not the one that was proven: its status falls back
    to provisional, unless the change comes with a `status` of its own. Raises PatientMerged,
    PatientDeleted and InvalidField (a name cannot be taken away).
    """
    _check_alone(patient)
    check_present(patient)
    if not traits.birth_name:
        raise InvalidField(field="patient.birth_name", rule="required")
    if status is None:
        kept = all(getattr(traits, name) == getattr(patient.traits, name) for name in _STRICT)
        status = patient.identity_status if kept else IdentityStatus.PROVISIONAL
    changed = replace(patient, traits=traits, identifiers=identifiers, identity_status=status)
    return patient if changed == patient else _next(changed, at)


def delete(patient: Patient, *, at: datetime) -> Patient:
    """The patient hidden; one that is hidden already stays as it is. Raises PatientMerged."""
    _check_alone(patient)
    if patient.deleted_at is not None:
        return patient
    return _next(replace(patient, deleted_at=at), at)


def undelete(patient: Patient, *, at: datetime) -> Patient:
    """The patient shown again. Raises PatientNotDeleted."""
    if patient.deleted_at is None:
        raise PatientNotDeleted
    return _next(replace(patient, deleted_at=None), at)


def check_present(patient: Patient) -> None:
    """Raises PatientDeleted."""
    if patient.deleted_at is not None:
        raise PatientDeleted


def check_etag(patient: Patient, etag: str) -> None:
    """Raises EtagMismatch unless the caller has seen this revision; "" asks for no check."""
    if etag and etag != patient.etag:
        raise EtagMismatch


def _check_alone(patient: Patient) -> None:
    if patient.survivor_id is not None:
        raise PatientMerged


def _next(patient: Patient, at: datetime) -> Patient:
    return replace(patient, revision=patient.revision + 1, updated_at=at)
