"""Numbers that name a patient, and which of them an organization accepts."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from clinical.domain.hl7 import Identifier as Hl7Identifier
from clinical.domain.ins import (
    INS_OIDS,
    NIA,
    Ins,
    InsFault,
    TenantKind,
    faults_of,
    key_fault_of,
    normalized,
)
from core.errors import InvalidField, Refusal
from core.texts import has_controls

MOST_IDENTIFIERS: Final = 50
"""As the contract bounds a patient's list: who writes back what was read must not be refused."""

# Faults that leave no INS to keep: what is wrong is not one figure but what the number is.
_NOT_AN_INS: Final = frozenset({InsFault.SHAPE, InsFault.AUTHORITY})


class IdentifierType(StrEnum):
    """Sorts of identifier (HL7 table 0203)."""

    PI = "PI"
    AN = "AN"
    VN = "VN"
    INS = "INS"
    SS = "SS"
    OTHER = "OTHER"


class IdentifierUse(StrEnum):
    """Whether an identifier is in use."""

    OFFICIAL = "OFFICIAL"
    TEMPORARY = "TEMPORARY"
    OLD = "OLD"


class IdentifierCheck(StrEnum):
    """What the key of a number says of it; "" where a number has none."""

    UNSPECIFIED = ""
    KEY_CORRECT = "KEY_CORRECT"
    KEY_MISSING = "KEY_MISSING"
    KEY_WRONG = "KEY_WRONG"


class IdentifierTaken(Refusal):
    """Another live patient of the organization holds the identifier."""

    reason = "IDENTIFIER_TAKEN"

    def __init__(self, index: int, holder: UUID) -> None:
        """`index` is its place in the request's list, from 0; `holder` learns that it was tried."""
        super().__init__(metadata={"index": str(index)})
        self.concerns = (("patient", holder),)


class InsNotAllowedHere(Refusal):
    """A test INS in an organization that works, or a real one in an organization for tests."""

    reason = "INS_NOT_ALLOWED_HERE"


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """One identifier of a patient: who issues it, its sort, its number, whether it is in use."""

    system: str
    type: IdentifierType
    value: str
    use: IdentifierUse = IdentifierUse.OFFICIAL

    @property
    def in_use(self) -> bool:
        """Whether it names the patient today, and so nobody else."""
        return self.use is not IdentifierUse.OLD

    @property
    def check(self) -> IdentifierCheck:
        """What the key of an INS says of it."""
        if not is_ins(self.system, self.type):
            return IdentifierCheck.UNSPECIFIED
        fault = key_fault_of(Ins(normalized(self.value), self.system))
        if fault is None:
            return IdentifierCheck.KEY_CORRECT
        missing = fault is InsFault.KEY_MISSING
        return IdentifierCheck.KEY_MISSING if missing else IdentifierCheck.KEY_WRONG

    def __repr__(self) -> str:
        """Hide the number: a repr ends in logs."""
        return f"PatientIdentifier(system={self.system!r}, type={self.type!s}, value='…')"


def check_identifiers(identifiers: Sequence[PatientIdentifier], tenant: TenantKind) -> None:
    """Refuse what this organization cannot keep.

    Raises InsNotAllowedHere for an INS of the wrong sort, InvalidField for a number that cannot
    be an INS, for one that stands in the list twice and for control characters. A wrong key is
    kept and shows in `check`: published INS carry wrong keys, and the identity is not proven by
    the number alone.
    """
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(identifiers):
        spelling = spelling_of(one.value)
        if not spelling:
            raise InvalidField(field=_path(index), rule="identifier.empty")
        if has_controls(one.value):
            raise InvalidField(field=_path(index), rule="text.control")
        if has_controls(one.system):
            raise InvalidField(field=f"patient.identifiers[{index}].system", rule="text.control")
        if is_ins(one.system, one.type):
            _check_ins(one, index, tenant)
        if (one.system, spelling) in seen:
            raise InvalidField(field=_path(index), rule="identifier.twice")
        seen.add((one.system, spelling))


def is_ins(system: str, type_: str) -> bool:
    """Whether an identifier is an INS, by its type or by who issues it."""
    return type_ == IdentifierType.INS or system in INS_OIDS


def identifier_of(sent: Hl7Identifier) -> PatientIdentifier:
    """An identifier of PID-3 or MRG-1 as the record keeps it.

    The issuer is its OID where one is sent and its namespace otherwise, so that a sender who
    always writes both and the API's callers mean the same issuer.
    """
    system = sent.issuer.system
    known = sent.type in IdentifierType.__members__
    type_ = IdentifierType(sent.type) if known else IdentifierType.OTHER
    if is_ins(system, type_):
        use = IdentifierUse.TEMPORARY if system == NIA else IdentifierUse.OFFICIAL
        return PatientIdentifier(system, IdentifierType.INS, normalized(sent.value), use)
    return PatientIdentifier(system, type_, sent.value)


def identifiers_of(
    sent: Sequence[Hl7Identifier], tenant: TenantKind
) -> tuple[PatientIdentifier, ...]:
    """The identifiers of a message that the record can keep, each once.

    What has no issuer names nobody, and what claims to be an INS and cannot be one is left out;
    the reading's findings have said so.
    """
    kept: dict[tuple[str, str], PatientIdentifier] = {}
    for one in map(identifier_of, sent):
        unusable = is_ins(one.system, one.type) and not _is_usable(one, tenant)
        if one.system and spelling_of(one.value) and not unusable:
            kept.setdefault((one.system, spelling_of(one.value)), one)
    return tuple(kept.values())


def _is_usable(one: PatientIdentifier, tenant: TenantKind) -> bool:
    faults = faults_of(Ins(one.value, one.system), tenant)
    return not _NOT_AN_INS.intersection(faults) and InsFault.TENANT_KIND not in faults


def _check_ins(one: PatientIdentifier, index: int, tenant: TenantKind) -> None:
    faults = faults_of(Ins(normalized(one.value), one.system), tenant)
    if InsFault.TENANT_KIND in faults:
        raise InsNotAllowedHere
    for fault in faults:
        if fault in _NOT_AN_INS:
            raise InvalidField(field=_path(index), rule=fault.value)


def spelling_of(value: str) -> str:
    """What two spellings of one number have in common; empty for what is no number at all.

    The same as the blind index is made of, or one patient could hold an index twice: each step can
    undo composition, so the normal form is taken again after it.
    """
    grouped = unicodedata.normalize("NFKC", value)
    joined = unicodedata.normalize("NFKC", "".join(grouped.split()))
    return unicodedata.normalize("NFKC", joined.casefold())


def _path(index: int) -> str:
    return f"patient.identifiers[{index}].value"
