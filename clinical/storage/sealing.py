"""Sealing under the organization's key: identifiers, snapshots, messages as received."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from clinical.domain.identifiers import IdentifierType, IdentifierUse, PatientIdentifier
from clinical.domain.patients import IdentityStatus, Patient, Sex, Traits
from core.crypto.organization_keys import OrganizationKey

IDENTIFIER: Final = "medhub.clinical.v1.PatientIdentifier.value"
"""The field whose blind index finds a patient by a number."""

_SNAPSHOT: Final = b"clinical.patient_revision.snapshot/"
_VALUE: Final = b"clinical.patient_identifier.value/"
_RAW: Final = b"clinical.hl7_bytes.raw/"
_ACK: Final = b"clinical.hl7_bytes.ack/"


def index_of(key: OrganizationKey, value: str) -> bytes:
    """The blind index of a number; its issuer stands beside it in the row."""
    return key.blind_index(IDENTIFIER, value)


def lock_number(organization: UUID, system: str, index: bytes) -> int:
    """The advisory lock of an identifier: 64 bits of a digest, as PostgreSQL's bigint."""
    digest = sha256(organization.bytes + system.encode() + b"\0" + index).digest()
    return int.from_bytes(digest[:8], signed=True)


def seal_value(key: OrganizationKey, patient: UUID, value: str) -> bytes:
    """A number, bound to the patient whose row holds it."""
    return key.seal(value.encode(), _VALUE + patient.bytes)


def open_value(key: OrganizationKey, patient: UUID, sealed: bytes) -> str:
    """The number of a row of this patient."""
    return key.open(sealed, _VALUE + patient.bytes).decode()


def seal_raw(key: OrganizationKey, message: UUID, raw: bytes) -> bytes:
    """A message as received."""
    return key.seal(raw, _RAW + message.bytes)


def open_raw(key: OrganizationKey, message: UUID, sealed: bytes) -> bytes:
    """The message as received."""
    return key.open(sealed, _RAW + message.bytes)


def seal_ack(key: OrganizationKey, message: UUID, ack: bytes) -> bytes:
    """An acknowledgement; it repeats header fields of the message it answers."""
    return key.seal(ack, _ACK + message.bytes)


def open_ack(key: OrganizationKey, message: UUID, sealed: bytes | None) -> bytes:
    """The acknowledgement; empty when none was sent."""
    return b"" if sealed is None else key.open(sealed, _ACK + message.bytes)


def seal_snapshot(key: OrganizationKey, patient: Patient) -> bytes:
    """A patient at one revision, whole."""
    text = _SNAPSHOTS.encode(patient)
    return key.seal(text.encode(), _SNAPSHOT + patient.id.bytes)


def open_snapshot(key: OrganizationKey, patient: UUID, sealed: bytes) -> Patient:
    """The patient as that revision had it."""
    held: dict[str, Any] = json.loads(key.open(sealed, _SNAPSHOT + patient.bytes))
    return Patient(
        id=UUID(held["id"]),
        traits=Traits(**{**held["traits"], "sex": Sex(held["traits"]["sex"])}),
        identifiers=_identifiers(held["identifiers"]),
        identity_status=IdentityStatus(held["identity_status"]),
        created_at=datetime.fromisoformat(held["created_at"]),
        updated_at=datetime.fromisoformat(held["updated_at"]),
        deleted_at=_moment(held["deleted_at"]),
        survivor_id=UUID(held["survivor_id"]) if held["survivor_id"] else None,
        revision=held["revision"],
    )


def _plain(value: object) -> dict[str, object] | str:
    """What JSON does not know: a part of a patient by its fields, an id or a time as text."""
    if isinstance(value, Patient | Traits | PatientIdentifier):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return str(value)


_SNAPSHOTS = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"))


def _identifiers(held: Sequence[Mapping[str, str]]) -> tuple[PatientIdentifier, ...]:
    return tuple(
        PatientIdentifier(
            one["system"], IdentifierType(one["type"]), one["value"], IdentifierUse(one["use"])
        )
        for one in held
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
