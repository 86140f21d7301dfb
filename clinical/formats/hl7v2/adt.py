"""ADT messages (A01 A03 A04 A08 A28 A31 A40) to domain values."""

from typing import Final

from clinical.domain.hl7 import (
    Encounter,
    Merge,
    Merges,
    Movement,
    PatientEvent,
    Trigger,
)
from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, Moment, State, Unvalued
from clinical.formats.hl7v2.identity import identity_of
from clinical.formats.hl7v2.message import Message, Segment
from clinical.formats.hl7v2.reader import Reader

# Events that make or end an encounter, so that PV1 must say which.
_OF_ENCOUNTERS: Final = frozenset({Trigger.ADMIT, Trigger.DISCHARGE, Trigger.REGISTER})


def read_event(message: Message, reader: Reader, trigger: Trigger) -> PatientEvent | None:
    """An event about one patient; None when PID is missing (a finding says so)."""
    evn = _event(message, reader)
    pids = message.every("PID")
    if not pids:
        reader.checks.broken("pid.required", Place("PID"))
        return None
    if len(pids) > 1:
        reader.checks.broken("pid.single", pids[1].place())
    patient = identity_of(reader, pids[0], message.segment("ZFD"))
    pv1 = message.segment("PV1")
    encounter = encounter_of(reader, pids[0], pv1, message.segment("ZBE"))
    if trigger in _OF_ENCOUNTERS:
        _check_encounter(reader, pv1, encounter)
    occurred: State[Moment] = reader.moment(evn, 6) if evn else ABSENT
    recorded: State[Moment] = reader.moment(evn, 2) if evn else ABSENT
    return PatientEvent(trigger, patient, encounter, occurred, recorded)


def read_merges(message: Message, reader: Reader) -> Merges | None:
    """The pairs of an A40: each PID survives the MRG that follows it."""
    evn = _event(message, reader)
    pairs = []
    pid: Segment | None = None
    for segment in message.segments:
        if segment.name == "PID":
            _check_paired(reader, pid)
            pid = segment
        elif segment.name == "MRG":
            if pid is None:
                reader.checks.broken("mrg.required", segment.place())
            else:
                pairs.append(_merge(reader, pid, segment))
            pid = None
    _check_paired(reader, pid)
    if not pairs:
        reader.checks.broken("mrg.required", Place("MRG"))
        return None
    return Merges(tuple(pairs), reader.moment(evn, 6) if evn else ABSENT)


def encounter_of(
    reader: Reader, pid: Segment, pv1: Segment | None, zbe: Segment | None = None
) -> Encounter | None:
    """The stay that PV1, PID-18 and ZBE describe, or None when there is nothing of it."""
    account = reader.identifier(pid, 18)
    movement = _movement(reader, zbe) if zbe else None
    if pv1 is None:
        if account is ABSENT and movement is None:
            return None
        return Encounter(account=account, movement=movement)
    return Encounter(
        visit=reader.identifier(pv1, 19),
        account=account,
        encounter_class=reader.field(pv1, 2),
        location=reader.location(pv1, 3),
        attending=reader.practitioners(pv1, 7),
        admitted=reader.moment(pv1, 44),
        discharged=reader.moment(pv1, 45),
        movement=movement,
    )


def _event(message: Message, reader: Reader) -> Segment | None:
    evn = message.segment("EVN")
    if evn is None:
        reader.checks.broken("evn.required", Place("EVN"))
    return evn


def _check_encounter(reader: Reader, pv1: Segment | None, encounter: Encounter | None) -> None:
    if pv1 is None or encounter is None:
        reader.checks.broken("pv1.required", Place("PV1"))
        return
    if isinstance(encounter.encounter_class, Unvalued):
        reader.checks.broken("pv1-2.required", pv1.place(2))
    if isinstance(encounter.visit, Unvalued):
        reader.checks.broken("pv1-19.required", pv1.place(19))


def _check_paired(reader: Reader, pid: Segment | None) -> None:
    """A PID that another PID or the end follows has no MRG."""
    if pid is not None:
        reader.checks.broken("mrg.required", pid.place())


def _merge(reader: Reader, pid: Segment, mrg: Segment) -> Merge:
    survivor = identity_of(reader, pid)
    loser = reader.identifiers(mrg, 1)
    if not loser:
        reader.checks.broken("mrg1.required", mrg.place(1))
    kept = {(one.value, one.issuer) for one in survivor.identifiers}
    if loser and all((one.value, one.issuer) in kept for one in loser):
        reader.checks.broken("mrg.self", mrg.place(1))
    return Merge(survivor, loser)


def _movement(reader: Reader, zbe: Segment) -> Movement:
    """ZBE: the unit of an XON is its component 10, or its name where that is empty."""
    return Movement(
        identifiers=reader.entities(zbe, 1),
        at=reader.moment(zbe, 2),
        action=reader.text(zbe, 4).upper(),
        original_trigger=reader.text(zbe, 6).upper(),
        medical_unit=_unit(reader, zbe, 7),
        care_unit=_unit(reader, zbe, 8),
        nature=reader.text(zbe, 9).upper(),
    )


def _unit(reader: Reader, zbe: Segment, number: int) -> str:
    components, place = zbe.first(number), zbe.place(number)
    return reader.words(components, 10, place) or reader.words(components, 1, place)
