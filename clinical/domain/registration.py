"""Whom a message is about, and what it makes of them.

A sender names a patient by numbers. The hospital's own number decides; an INS decides only where
the strict traits agree, since a wrong INS would open one person's record to another. A number
that somebody else holds is never moved by a message: it is a finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from clinical.domain.hl7 import PatientIdentity, Trust
from clinical.domain.hl7 import Sex as Hl7Sex
from clinical.domain.hl7_findings import MRG_1, PID_3, Condition, Finding, Place
from clinical.domain.hl7_values import ERASE, Moment, State, Unvalued, valued
from clinical.domain.identifiers import (
    MOST_IDENTIFIERS,
    IdentifierType,
    IdentifierUse,
    PatientIdentifier,
)
from clinical.domain.patients import IdentityStatus, Sex, Traits, impossible_dates
from clinical.domain.search_keys import words_of

MERGED: Final = Finding("patient.merged", Condition.DUPLICATE_KEY, rejects=False, place=PID_3)
SEVERAL: Final = Finding("patient.several", Condition.DUPLICATE_KEY, rejects=False, place=PID_3)
TAKEN: Final = Finding("identifier.taken", Condition.DUPLICATE_KEY, rejects=False, place=PID_3)
TOO_MANY: Final = Finding("identifier.too-many", Condition.CARDINALITY, rejects=False, place=PID_3)
DELETED: Final = Finding("patient.deleted", Condition.UNKNOWN_KEY, rejects=True, place=PID_3)
UNKNOWN: Final = Finding("patient.unknown", Condition.UNKNOWN_KEY, rejects=True, place=PID_3)
LOSER_UNKNOWN: Final = Finding("merge.unknown", Condition.UNKNOWN_KEY, rejects=True, place=MRG_1)
NAMES_REPLACED: Final = Finding(
    "patient.given-names-replaced",
    Condition.DATA_TYPE,
    rejects=False,
    place=Place("PID", 1, 5),
)
IMPOSSIBLE_DATES: Final = {
    "birth_date": Finding(
        "patient.birth-date", Condition.DATA_TYPE, rejects=False, place=Place("PID", 1, 7)
    ),
    "death_date": Finding(
        "patient.death-date", Condition.DATA_TYPE, rejects=False, place=Place("PID", 1, 29)
    ),
}
NO_NUMBER: Final = Finding(
    "patient.no-identifier", Condition.REQUIRED_FIELD_MISSING, rejects=True, place=PID_3
)

_SEXES: Final = {
    Hl7Sex.FEMALE: Sex.FEMALE,
    Hl7Sex.MALE: Sex.MALE,
    Hl7Sex.OTHER: Sex.OTHER,
    Hl7Sex.AMBIGUOUS: Sex.OTHER,
    Hl7Sex.UNKNOWN: Sex.UNKNOWN,
    Hl7Sex.NOT_APPLICABLE: Sex.UNKNOWN,
}
_STATUSES: Final = {
    Trust.PROVISIONAL: IdentityStatus.PROVISIONAL,
    Trust.RETRIEVED: IdentityStatus.RECOVERED,
    Trust.VALIDATED: IdentityStatus.VALIDATED,
    Trust.QUALIFIED: IdentityStatus.QUALIFIED,
}


class Refused(Exception):
    """A message cannot take effect; at least one of the findings rejects it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*(finding.rule for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a number: the patient of the row, and the one who lives on, who may be deleted."""

    patient: UUID
    living: UUID
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Whose number it is, deleted ones too: the patient who lives on, with the traits."""

    patient: UUID
    traits: Traits


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a message names: nobody known, or a living patient; with what is odd about it."""

    living: UUID | None
    by_ins: bool = False
    findings: tuple[Finding, ...] = ()


def name_patient(identifiers: Sequence[PatientIdentifier], holders: Mapping[int, Holder]) -> Named:
    """The patient that the numbers name; `holders` are by place in the sequence."""
    own = [h for i, h in sorted(holders.items()) if identifiers[i].type is not IdentifierType.INS]
    ins = [h for i, h in sorted(holders.items()) if identifiers[i].type is IdentifierType.INS]
    if not (own or ins):
        return Named(None)
    chosen = (own or ins)[0]
    findings = [MERGED] if chosen.patient != chosen.living else []
    if any(one.living != chosen.living for one in own):
        findings.append(SEVERAL)
    return Named(chosen.living, by_ins=not own, findings=tuple(findings))


def whose(
    identifiers: Sequence[PatientIdentifier], known: Mapping[int, Known], sent: PatientIdentity
) -> UUID | None:
    """The patient whom a message that takes no effect is about; `known` are by place.

    As in `name_patient`, the hospital's own number decides before an INS, and an INS only where
    the strict traits agree.
    """
    found = [(identifiers[place].type, one) for place, one in sorted(known.items())]
    own = [one.patient for type_, one in found if type_ is not IdentifierType.INS]
    agreeing = (
        one.patient for _, one in found if are_one(one.traits, traits_after(Traits(), sent))
    )
    return own[0] if own else next(agreeing, None)


def own_numbers(identifiers: Sequence[PatientIdentifier]) -> tuple[PatientIdentifier, ...]:
    """The numbers by which a message names somebody: the hospital's, or an INS sent alone."""
    own = tuple(one for one in identifiers if one.type is not IdentifierType.INS)
    return own or tuple(identifiers)


def are_one(known: Traits, sent: Traits) -> bool:
    """Whether strict traits agree well enough for an INS to name somebody."""
    names = set(words_of(known.birth_name)) & set(words_of(sent.birth_name))
    return bool(names) and known.birth_date == sent.birth_date and known.sex == sent.sex


def traits_after(traits: Traits, sent: PatientIdentity) -> Traits:
    """The traits once a message has been heard: absent changes nothing, `""` erases.

    A birth name is never erased: a patient whom nobody can call is lost.
    """
    first = sent.first_birth_given
    all_given = sent.birth_given_names
    if replaces_given_names(traits, sent) or (
        isinstance(all_given, Unvalued) and not traits.birth_given_names
    ):
        all_given = first
    return Traits(
        birth_name=valued(sent.birth_name) or traits.birth_name or valued(sent.used_name) or "",
        used_name=_text(sent.used_name, traits.used_name),
        birth_given_names=_text(all_given, traits.birth_given_names),
        first_birth_given_name=_text(first, traits.first_birth_given_name),
        birth_date=_after(sent.birth_date, traits.birth_date),
        sex=_sex(sent.sex, traits.sex),
        birth_place_code=_text(sent.birth_cog, traits.birth_place_code),
        death_date=_death(sent, traits.death_date),
    )


def possible_traits(
    known: Traits, sent: Traits, *, at: datetime
) -> tuple[Traits, tuple[Finding, ...]]:
    """The traits that a message leaves, without dates that cannot be; each is a finding.

    What is known stays in place of a date that is not taken.
    """
    wrong = [
        name
        for name in impossible_dates(sent, at=at)
        if getattr(sent, name)
        and (sent.birth_date, sent.death_date) != (known.birth_date, known.death_date)
    ]
    kept = {name: getattr(known, name) for name in wrong}
    return replace(sent, **kept), tuple(IMPOSSIBLE_DATES[name] for name in wrong)


def replaces_given_names(traits: Traits, sent: PatientIdentity) -> bool:
    """Whether another first name comes without the list that it should stand in.

    The known list then speaks of somebody else's names: the new first name takes its place.
    """
    first = valued(sent.first_birth_given)
    if first is None or not isinstance(sent.birth_given_names, Unvalued):
        return False
    known = traits.first_birth_given_name
    return bool(known and traits.birth_given_names) and words_of(first) != words_of(known)


def status_of(sent: PatientIdentity) -> IdentityStatus | None:
    """The trust that the sender claims, or None when it claims none."""
    return None if sent.trust is None else _STATUSES[sent.trust]


def identifiers_after(
    known: tuple[PatientIdentifier, ...], sent: Sequence[PatientIdentifier]
) -> tuple[tuple[PatientIdentifier, ...], tuple[Finding, ...]]:
    """The known numbers and the new ones; an INS that another of its issuer replaces is old.

    What is known stays. New ones for which there is no room are left out, which is a finding: an
    INS has its place first, then they come as they were sent.
    """
    new = [one for one in sent if not any(_same(one, other) for other in known)]
    room = max(MOST_IDENTIFIERS - len(known), 0)
    taken = sorted(new, key=lambda one: one.type is not IdentifierType.INS)[:room]
    fresh = [one for one in new if one in taken]
    replaced = {one.system for one in fresh if one.type is IdentifierType.INS}
    kept = (
        replace(one, use=IdentifierUse.OLD)
        if one.type is IdentifierType.INS and one.system in replaced
        else one
        for one in known
    )
    return (*kept, *fresh), (TOO_MANY,) if len(fresh) < len(new) else ()


def _same(one: PatientIdentifier, other: PatientIdentifier) -> bool:
    return (one.system, one.value) == (other.system, other.value) and other.in_use


def _text(sent: State[str], known: str) -> str:
    return _after(sent, known)


def _after(sent: State[object], known: str) -> str:
    if isinstance(sent, Unvalued):
        return "" if sent is ERASE else known
    return str(sent)


def _sex(sent: State[Hl7Sex], known: Sex) -> Sex:
    if isinstance(sent, Unvalued):
        return Sex.UNSPECIFIED if sent is ERASE else known
    return _SEXES[sent]


def _death(sent: PatientIdentity, known: str) -> str:
    """A day of death; that somebody is dead, without a day, cannot be kept as a date."""
    if isinstance(sent.died, Moment):
        return sent.died.at.date().isoformat()
    if sent.died is ERASE or sent.is_dead is False:
        return ""
    return known
