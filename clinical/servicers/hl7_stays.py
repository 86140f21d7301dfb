"""Stays as ADT messages tell of them, and the links to those who care in them."""

from dataclasses import replace
from uuid import UUID

from clinical.domain import hl7
from clinical.domain.encounters import (
    ATTENDING_UNKNOWN,
    CLASS_UNKNOWN,
    Encounter,
    EncounterStatus,
    Event,
    hear,
    is_class,
    moves,
    open_encounter,
    unit_unknown,
    visit_of,
)
from clinical.domain.hl7 import PatientEvent
from clinical.domain.hl7_findings import Finding, Place
from clinical.domain.hl7_values import ABSENT, ERASE, State, valued
from clinical.domain.links import FOLLOW_UP, CareLink, CareLinkKind
from clinical.domain.patients import Patient
from clinical.domain.stay_times import possible_times, since_admission, time_of
from clinical.storage.store import Work
from core import clock
from core.ids import new_id


async def hear_of_stay(work: Work, patient: Patient, event: PatientEvent) -> tuple[Finding, ...]:
    """Open, change or end the stay of an event, with its links; what cannot be is left out."""
    if event.encounter is None:
        return ()
    at, born = clock.now(), patient.traits.birth_date
    known = await work.encounters.lock_visit(patient.id, *visit_of(event.encounter))
    sent, wrong_times = possible_times(event.encounter, known, born=born, at=at)
    event = replace(event, encounter=sent)
    occurred_at, wrong_event = time_of(event, known, born=born, at=at)
    units, unknown_units = await _units(work, sent)
    attending, unknown_attending = await _attending(work, sent)
    told = Event(
        trigger=event.trigger,
        sent=sent,
        occurred_at=occurred_at,
        unit=_first(units, is_told=bool(unknown_units) or sent.location is ERASE),
        attending=_first(attending, is_told=sent.attending is not ABSENT),
    )
    encounter = await _save(work, patient.id, known, told)
    await _reopen(work, known, encounter, units)
    await _link(work, encounter, units, attending)
    await _end(work, known, encounter, told, units)
    unknown_class = () if is_class(sent.encounter_class) else (CLASS_UNKNOWN,)
    return wrong_times + wrong_event + unknown_units + unknown_attending + unknown_class


async def _save(work: Work, patient: UUID, before: Encounter | None, told: Event) -> Encounter:
    if before is None:
        made = open_encounter(new_id(), patient, told, at=clock.now())
        await work.encounters.add(made)
        return made
    after = hear(before, told, at=clock.now())
    if after != before:
        await work.encounters.save(after)
    return after


async def _link(
    work: Work, encounter: Encounter, units: list[UUID], practitioners: list[UUID]
) -> None:
    """Those whom the stay names may read."""
    at, patient = clock.now(), encounter.patient_id
    links = [
        CareLink(
            id=new_id(),
            patient_id=patient,
            kind=CareLinkKind.ENCOUNTER,
            started_at=at,
            practitioner_id=practitioner,
            unit_id=unit,
            encounter_id=encounter.id,
        )
        for practitioner, unit in [
            *((row, None) for row in practitioners),
            *((None, row) for row in units),
        ]
    ]
    await work.care_links.ensure(links)


async def _reopen(
    work: Work, before: Encounter | None, after: Encounter, units: list[UUID]
) -> None:
    """What a discharge ended that did not happen, or not then; and units that are come back to."""
    if before is None:
        return
    undone = None
    if before.ended_at is not None and after.ended_at != before.ended_at:
        undone = before.ended_at + FOLLOW_UP
    back = units if after.status is EncounterStatus.IN_PROGRESS else []
    await work.care_links.reopen(after.patient_id, after.id, undone, back)


async def _end(
    work: Work, before: Encounter | None, after: Encounter, told: Event, units: list[UUID]
) -> None:
    """Who cared in a unit that the patient has left, or in a stay that is over, reads on for the
    follow-up.
    """
    if before is not None and moves(before, after, told.sent):
        place = await work.practitioners.units_of([after.place])
        at = since_admission(told.occurred_at, after, at=clock.now())
        but = [*units, *place.values()]
        await work.care_links.leave(after.patient_id, after.id, at + FOLLOW_UP, but)
    if after.ended_at is not None:
        await work.care_links.end_of_stay(after.patient_id, after.id, after.ended_at + FOLLOW_UP)


async def _units(work: Work, sent: hl7.Encounter) -> tuple[list[UUID], tuple[Finding, ...]]:
    """The units responsible: of the movement, then of the place where the patient lies."""
    movement, location = sent.movement, valued(sent.location)
    told = [
        (movement.medical_unit if movement else "", Place("ZBE", 1, 7)),
        (movement.care_unit if movement else "", Place("ZBE", 1, 8)),
        (location.unit if location else "", Place("PV1", 1, 3)),
    ]
    known = await work.practitioners.units_of([code for code, _ in told if code])
    unknown = tuple(unit_unknown(place) for code, place in told if code and code not in known)
    return list(dict.fromkeys(known[code] for code, _ in told if code in known)), unknown


async def _attending(work: Work, sent: hl7.Encounter) -> tuple[list[UUID], tuple[Finding, ...]]:
    """The practitioners of the organization whom the stay names as attending."""
    named = dict.fromkeys(one.rpps for one in valued(sent.attending) or ())
    found = [await work.practitioners.by_rpps(rpps) if rpps else None for rpps in named]
    unknown = (ATTENDING_UNKNOWN,) if None in found else ()
    return [row for row in found if row is not None], unknown


def _first(known: list[UUID], *, is_told: bool) -> State[UUID]:
    """The one responsible of those that a message names; none where none of them is known."""
    if known:
        return known[0]
    return ERASE if is_told else ABSENT
