"""Rows of a patient to the domain's value, and the parameters of the reverse."""

from typing import Any, Final

from clinical.domain.identifiers import IdentifierType, IdentifierUse, PatientIdentifier
from clinical.domain.patients import IdentityStatus, Patient, Sex, Traits
from clinical.storage.sealing import index_of, open_value, seal_value
from core.crypto.organization_keys import OrganizationKey
from core.database import Row
from core.ids import new_id

# A patient as the domain has it; `p` is the row. The identifiers come along as four arrays, so
# that one statement shows a whole patient.
COLUMNS: Final = """p.id, p.birth_name, p.used_name, p.birth_given_names,
    p.first_birth_given_name, p.birth_date, p.sex, p.birth_place_code, p.death_date,
    p.identity_status, p.survivor_id, p.created_at, p.updated_at, p.deleted_at, p.revision,
    i.systems, i.types, i.numbers, i.uses"""

IDENTIFIERS: Final = """LEFT JOIN LATERAL (
    SELECT array_agg(x.system ORDER BY x.position) AS systems,
        array_agg(x.type ORDER BY x.position) AS types,
        array_agg(x.value ORDER BY x.position) AS numbers,
        array_agg(x.use ORDER BY x.position) AS uses
    FROM patient_identifier x WHERE x.patient_id = p.id) i ON true"""

_TYPES: Final = {one.value: one for one in IdentifierType}
_USES: Final = {one.value: one for one in IdentifierUse}
_SEXES: Final = {one.value: one for one in Sex}
_STATUSES: Final = {one.value: one for one in IdentityStatus}


def patient_of(row: Row, key: OrganizationKey) -> Patient:
    """The patient in a row of COLUMNS."""
    traits = Traits(
        row.birth_name,
        row.used_name,
        row.birth_given_names,
        row.first_birth_given_name,
        row.birth_date,
        _SEXES[row.sex],
        row.birth_place_code,
        row.death_date,
    )
    return Patient(
        row.id,
        traits,
        _identifiers(row, key),
        _STATUSES[row.identity_status],
        row.created_at,
        row.updated_at,
        row.deleted_at,
        row.survivor_id,
        row.revision,
    )


def _identifiers(row: Row, key: OrganizationKey) -> tuple[PatientIdentifier, ...]:
    if row.systems is None:
        return ()
    parts = zip(row.systems, row.types, row.numbers, row.uses, strict=True)
    return tuple(
        PatientIdentifier(system, _TYPES[type_], open_value(key, row.id, sealed), _USES[use])
        for system, type_, sealed, use in parts
    )


def trait_parameters(patient: Patient) -> dict[str, Any]:
    """The columns of the patient's own row that a change may touch."""
    traits = patient.traits
    return {
        "id": patient.id,
        "birth_name": traits.birth_name,
        "used_name": traits.used_name,
        "birth_given_names": traits.birth_given_names,
        "first_birth_given_name": traits.first_birth_given_name,
        "birth_date": traits.birth_date,
        "sex": traits.sex.value,
        "birth_place_code": traits.birth_place_code,
        "death_date": traits.death_date,
        "identity_status": patient.identity_status.value,
        "updated_at": patient.updated_at,
        "deleted_at": patient.deleted_at,
        "revision": patient.revision,
    }


def identifier_parameters(patient: Patient, key: OrganizationKey) -> dict[str, list[Any]]:
    """The rows of the patient's identifiers, as one array a column."""
    listed = patient.identifiers
    live = patient.deleted_at is None
    return {
        "row_ids": [new_id() for _ in listed],
        "positions": list(range(len(listed))),
        "systems": [one.system for one in listed],
        "types": [one.type.value for one in listed],
        "numbers": [seal_value(key, patient.id, one.value) for one in listed],
        "indexes": [index_of(key, one.value) for one in listed],
        "uses": [one.use.value for one in listed],
        "helds": [live and one.in_use for one in listed],
    }
