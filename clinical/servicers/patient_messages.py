"""Patients between the wire and the domain."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from clinical.domain.identifiers import (
    IdentifierCheck,
    IdentifierType,
    IdentifierUse,
    PatientIdentifier,
)
from clinical.domain.merges import PatientLink
from clinical.domain.patients import IdentityStatus, Patient, Sex, Traits
from clinical.domain.search_keys import Match
from clinical.servicers.times import (
    date_from_proto,
    date_to_proto,
    set_date,
    set_time,
    time_to_proto,
)
from core.errors import InvalidField
from core.ids import name_of
from medhub.clinical.v1 import patient_pb2

_SEX: Final[dict[Sex, Any]] = {
    one: patient_pb2.Sex.Value(f"SEX_{one.value or 'UNSPECIFIED'}") for one in Sex
}
_SEX_BACK: Final = {number: one for one, number in _SEX.items()}
_TYPE: Final[dict[IdentifierType, Any]] = {
    one: patient_pb2.IdentifierType.Value(f"IDENTIFIER_TYPE_{one.value}") for one in IdentifierType
}
_TYPE_BACK: Final = {number: one for one, number in _TYPE.items()}
_USE: Final[dict[IdentifierUse, Any]] = {
    one: patient_pb2.IdentifierUse.Value(f"IDENTIFIER_USE_{one.value}") for one in IdentifierUse
}
_USE_BACK: Final = {number: one for one, number in _USE.items()}
_CHECK: Final[dict[IdentifierCheck, Any]] = {
    one: patient_pb2.IdentifierCheck.Value(f"IDENTIFIER_CHECK_{one.value or 'UNSPECIFIED'}")
    for one in IdentifierCheck
}
_STATUS: Final[dict[IdentityStatus, Any]] = {
    one: patient_pb2.IdentityStatus.Value(f"IDENTITY_STATUS_{one.value}") for one in IdentityStatus
}
_TEXTS: Final = (
    "birth_name",
    "used_name",
    "birth_given_names",
    "first_birth_given_name",
    "birth_place_code",
)
_DATES: Final = ("birth_date", "death_date")
_CHANGEABLE: Final = frozenset({*_TEXTS, *_DATES, "sex", "identifiers"})
# AIP-203: what is output only may stand in a mask and is ignored.
_IGNORED: Final = frozenset(
    {"name", "identity_status", "survivor", "create_time", "update_time", "delete_time", "etag"}
)


def patient_to_proto(patient: Patient) -> patient_pb2.Patient:
    """A patient, whole.

    Field by field, since every read makes one: keywords and parts made apart, which are copied
    in, cost three times as much.
    """
    traits, message = patient.traits, patient_pb2.Patient()
    message.name = name_of("patients", patient.id)
    message.birth_name = traits.birth_name
    message.used_name = traits.used_name
    message.birth_given_names = traits.birth_given_names
    message.first_birth_given_name = traits.first_birth_given_name
    if traits.birth_date:
        set_date(message.birth_date, traits.birth_date)
    message.sex = _SEX[traits.sex]
    message.birth_place_code = traits.birth_place_code
    if traits.death_date:
        set_date(message.death_date, traits.death_date)
    for one in patient.identifiers:
        added = message.identifiers.add()
        added.system, added.type = one.system, _TYPE[one.type]
        added.value, added.use = one.value, _USE[one.use]
        added.check = _CHECK[one.check]
    message.identity_status = _STATUS[patient.identity_status]
    if patient.survivor_id is not None:
        message.survivor = name_of("patients", patient.survivor_id)
    set_time(message.create_time, patient.created_at)
    set_time(message.update_time, patient.updated_at)
    if patient.deleted_at is not None:
        set_time(message.delete_time, patient.deleted_at)
    message.etag = patient.etag
    return message


def traits_from_proto(message: patient_pb2.Patient) -> Traits:
    """The traits of a patient. Raises InvalidField for a date no calendar has."""
    return Traits(
        birth_name=message.birth_name.strip(),
        used_name=message.used_name.strip(),
        birth_given_names=message.birth_given_names.strip(),
        first_birth_given_name=message.first_birth_given_name.strip(),
        birth_date=date_from_proto(message.birth_date, "patient.birth_date"),
        sex=_SEX_BACK[message.sex],
        birth_place_code=message.birth_place_code,
        death_date=date_from_proto(message.death_date, "patient.death_date"),
    )


def identifiers_from_proto(
    messages: Iterable[patient_pb2.PatientIdentifier],
) -> tuple[PatientIdentifier, ...]:
    """The identifiers of a patient; a use that is not said is official."""
    return tuple(
        PatientIdentifier(
            one.system,
            _TYPE_BACK[one.type],
            one.value,
            _USE_BACK.get(one.use, IdentifierUse.OFFICIAL),
        )
        for one in messages
    )


def changed_by(
    patient: Patient, message: patient_pb2.Patient, mask: FieldMask
) -> tuple[Traits, tuple[PatientIdentifier, ...]]:
    """What an update makes of traits and identifiers. Raises InvalidField for a wrong mask."""
    named = _named(message, mask)
    sent = traits_from_proto(message)
    traits = replace(
        patient.traits, **{name: getattr(sent, name) for name in named - {"identifiers"}}
    )
    if "identifiers" not in named:
        return traits, patient.identifiers
    return traits, identifiers_from_proto(message.identifiers)


def identity_to_proto(patient: Patient, match: Match) -> patient_pb2.PatientIdentity:
    """Who somebody is, and nothing of their care."""
    traits = patient.traits
    return patient_pb2.PatientIdentity(
        name=name_of("patients", patient.id),
        birth_name=traits.birth_name,
        used_name=traits.used_name,
        birth_given_names=traits.birth_given_names,
        birth_date=date_to_proto(traits.birth_date),
        sex=_SEX[traits.sex],
        birth_place_code=traits.birth_place_code,
        score=match.score,
        matched=match.matched,
    )


def link_to_proto(link: PatientLink) -> patient_pb2.PatientLink:
    """A merge."""
    return patient_pb2.PatientLink(
        name=name_of("patientLinks", link.id),
        survivor=name_of("patients", link.survivor),
        duplicate=name_of("patients", link.duplicate),
        reason=link.reason,
        create_time=time_to_proto(link.created_at),
        source=link.source,
    )


def _named(message: patient_pb2.Patient, mask: FieldMask) -> set[str]:
    """The fields to change: those of the mask, or without one all that are set (AIP-134)."""
    paths = set(mask.paths)
    if paths == {"*"}:
        return set(_CHANGEABLE)
    if paths - _CHANGEABLE - _IGNORED:
        raise InvalidField(field="update_mask", rule="field_mask")
    chosen = paths or {field.name for field, _ in message.ListFields()}
    return chosen & _CHANGEABLE
