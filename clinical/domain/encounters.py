"""Stays and consultations, as admissions, updates and discharges make them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from clinical.domain import hl7
from clinical.domain.hl7 import Trigger
from clinical.domain.hl7_findings import Condition, Finding, Place
from clinical.domain.hl7_values import Moment, State, Unvalued, valued

T = TypeVar("T")


class EncounterClass(StrEnum):
    """Sorts of stay (HL7 table 0004); "" is not said."""

    UNSPECIFIED = ""
    INPATIENT = "INPATIENT"
    OUTPATIENT = "OUTPATIENT"
    EMERGENCY = "EMERGENCY"
    PREADMIT = "PREADMIT"
    RECURRING = "RECURRING"
    OTHER = "OTHER"


class EncounterStatus(StrEnum):
    """Where a stay stands."""

    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


# HL70004 has these too, and the record no word of its own for them.
_OTHER_CLASSES: Final = frozenset("BCNU")
_CLASSES: Final = {
    "I": EncounterClass.INPATIENT,
    "O": EncounterClass.OUTPATIENT,
    "E": EncounterClass.EMERGENCY,
    "P": EncounterClass.PREADMIT,
    "R": EncounterClass.RECURRING,
}


ATTENDING_UNKNOWN: Final = Finding(
    "stay.attending-unknown", Condition.UNKNOWN_KEY, rejects=False, place=Place("PV1", 1, 7)
)
CLASS_UNKNOWN: Final = Finding(
    "stay.class-unknown", Condition.TABLE_VALUE_NOT_FOUND, rejects=False, place=Place("PV1", 1, 2)
)


def unit_unknown(place: Place) -> Finding:
    """A unit is sent that the record does not have."""
    return Finding("stay.unit-unknown", Condition.UNKNOWN_KEY, rejects=False, place=place)


@dataclass(frozen=True, slots=True)
class Encounter:
    """A stay as the record has it, at one revision."""

    id: UUID
    patient_id: UUID
    visit_system: str
    visit_number: str
    class_: EncounterClass
    status: EncounterStatus
    location: str
    unit_id: UUID | None
    attending_id: UUID | None
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int = 1

    @property
    def etag(self) -> str:
        """The revision, as callers hold it (AIP-154)."""
        return str(self.revision)

    @property
    def place(self) -> str:
        """The code of the unit where the patient lies (PV1-3.1), "" if it is not known."""
        return self.location.partition("^")[0]


@dataclass(frozen=True, slots=True)
class Event:
    """What a message says of a stay: the trigger, when it happened, and who is responsible.

    `unit` and `attending` are ERASE where the message names some whom the record does not know.
    """

    trigger: Trigger
    sent: hl7.Encounter
    occurred_at: datetime
    unit: State[UUID]
    attending: State[UUID]


def visit_of(sent: hl7.Encounter) -> tuple[str, str]:
    """Issuer and number of the visit; ("", "") when there is none."""
    visit = valued(sent.visit)
    if visit is None:
        return "", ""
    return visit.issuer.system, visit.value


def open_encounter(row: UUID, patient: UUID, event: Event, *, at: datetime) -> Encounter:
    """A stay heard of for the first time, by whichever event it was."""
    system, number = visit_of(event.sent)
    fresh = Encounter(
        id=row,
        patient_id=patient,
        visit_system=system,
        visit_number=number,
        class_=EncounterClass.UNSPECIFIED,
        status=EncounterStatus.IN_PROGRESS,
        location="",
        unit_id=None,
        attending_id=None,
        started_at=None,
        ended_at=None,
        created_at=at,
        updated_at=at,
    )
    return replace(_told(fresh, event), revision=1, updated_at=at)


def hear(encounter: Encounter, event: Event, *, at: datetime) -> Encounter:
    """The stay after an event; the same object when nothing changes."""
    after = _told(encounter, event)
    if after == encounter:
        return encounter
    return replace(after, revision=encounter.revision + 1, updated_at=at)


def _told(encounter: Encounter, event: Event) -> Encounter:
    """Fields that the sender left out stay; an admission opens, a discharge ends."""
    sent = event.sent
    started_at = _instant(sent.admitted, encounter.started_at)
    ended_at = _instant(sent.discharged, encounter.ended_at)
    status = encounter.status
    if event.trigger in {Trigger.ADMIT, Trigger.REGISTER}:
        status, ended_at = EncounterStatus.IN_PROGRESS, _instant(sent.discharged, None)
        started_at = started_at or event.occurred_at
    if event.trigger is Trigger.DISCHARGE:
        ended_at = valued_instant(sent.discharged) or encounter.ended_at or event.occurred_at
    if ended_at is not None:
        status = EncounterStatus.FINISHED
    return replace(
        encounter,
        class_=_class(sent.encounter_class, encounter.class_),
        status=status,
        location=_location(sent.location, encounter.location),
        unit_id=_unit(event, encounter),
        attending_id=_after(event.attending, encounter.attending_id),
        started_at=started_at,
        ended_at=ended_at,
    )


def valued_instant(state: State[Moment]) -> datetime | None:
    """The instant of a time that was sent, in UTC."""
    moment = valued(state)
    return None if moment is None else moment.at_utc


def _instant(state: State[Moment], known: datetime | None) -> datetime | None:
    return _after(state if isinstance(state, Unvalued) else state.at_utc, known)


def _after(state: State[T], known: T | None) -> T | None:
    if isinstance(state, Unvalued):
        return None if state is Unvalued.ERASE else known
    return state


def moves(before: Encounter, after: Encounter, sent: hl7.Encounter) -> bool:
    """Whether what is sent takes the patient out of a unit: to another place, or by a movement
    that makes another unit responsible.
    """
    handed_over = before.unit_id not in {None, after.unit_id}
    by_movement = sent.movement is not None and sent.movement.medical_unit != ""
    return leaves(before, sent.location) or (by_movement and handed_over)


def leaves(encounter: Encounter, location: State[hl7.Location]) -> bool:
    """Whether a place that is sent is in another unit than the stay's, whose own is known."""
    known = encounter.place
    if isinstance(location, Unvalued):
        return location is Unvalued.ERASE and known != ""
    return known != "" and location.unit not in {"", known}


def _unit(event: Event, encounter: Encounter) -> UUID | None:
    """One that is not known takes the place of another only where the patient has left that."""
    if event.unit is Unvalued.ERASE and not leaves(encounter, event.sent.location):
        return encounter.unit_id
    return _after(event.unit, encounter.unit_id)


def is_class(sent: State[str]) -> bool:
    """Whether a class, if one is sent, is of HL70004."""
    state = valued(sent)
    return state is None or state.upper() in _CLASSES.keys() | _OTHER_CLASSES


def _class(state: State[str], known: EncounterClass) -> EncounterClass:
    if isinstance(state, Unvalued):
        return EncounterClass.UNSPECIFIED if state is Unvalued.ERASE else known
    return _CLASSES.get(state.upper(), EncounterClass.OTHER)


def _location(state: State[hl7.Location], known: str) -> str:
    if isinstance(state, Unvalued):
        return "" if state is Unvalued.ERASE else known
    return "^".join((state.unit, state.room, state.bed)).rstrip("^")
