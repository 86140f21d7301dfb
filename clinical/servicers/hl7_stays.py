"""Stays as ADT messages tell of them, and the links to those who care in them."""

from dataclasses import replace
from uuid import UUID

from clinical.domain import hl7
from clinical.domain.encounters import (
    Encounter,
    EncounterStatus,
    Event,
    hear,
    open_encounter,
    visit_of,
)
from clinical.domain.hl7 import PatientEvent
from clinical.domain.hl7_findings import Finding
from clinical.domain.hl7_values import valued
from clinical.domain.links import FOLLOW_UP, CareLink, CareLinkKind
from clinical.domain.patients import Patient
from clinical.domain.stay_times import possible_times, time_of
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
    units = await work.practitioners.units_of(_unit_codes(sent))
    attending = await _attending(work, sent)
    told = Event(
        trigger=event.trigger,
        sent=sent,
        occurred_at=occurred_at,
        unit_id=units[0] if units else None,
        attending_id=attending[0] if attending else None,
    )
    encounter = await _save(work, patient.id, known, told)
    await _link(work, encounter, units, attending)
    return wrong_times + wrong_event


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
    """Those whom the stay names may read while it lasts, and for some time after."""
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
    if encounter.status is EncounterStatus.IN_PROGRESS:
        await work.care_links.reopen(patient, encounter.id)
    await work.care_links.ensure(links)
    if encounter.ended_at is not None:
        await work.care_links.end_of_stay(patient, encounter.id, encounter.ended_at + FOLLOW_UP)


async def _attending(work: Work, sent: hl7.Encounter) -> list[UUID]:
    """The practitioners of the organization whom the stay names as attending."""
    named = [one.rpps for one in valued(sent.attending) or () if one.rpps]
    found = [await work.practitioners.by_rpps(rpps) for rpps in dict.fromkeys(named)]
    return [row for row in found if row is not None]


def _unit_codes(sent: hl7.Encounter) -> list[str]:
    """The units responsible: of the movement, then of the place where the patient lies."""
    movement, location = sent.movement, valued(sent.location)
    codes = [movement.medical_unit, movement.care_unit] if movement else []
    codes += [location.unit] if location else []
    return [code for code in codes if code]
