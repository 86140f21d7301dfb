"""Stays, as messages make them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clinical.domain import hl7
from clinical.domain.encounters import (
    Encounter,
    EncounterClass,
    EncounterStatus,
    Event,
    hear,
    leaves,
    moves,
    open_encounter,
    visit_of,
)
from clinical.domain.hl7 import Identifier, Issuer, Location, Movement, Trigger
from clinical.domain.hl7_values import ABSENT, ERASE, Moment, Precision, State
from core.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=3)
VISIT = Identifier("V1", Issuer("CHU-X"))
UNIT, DOCTOR = new_id(), new_id()


def moment(at: datetime) -> Moment:
    """A time to the second."""
    return Moment(at, Precision.SECOND, offset_stated=True)


def event(trigger: Trigger, at: datetime = NOON, **sent: object) -> Event:
    """What a message says."""
    told = hl7.Encounter(**{"visit": VISIT, "encounter_class": "I", **sent})  # type: ignore[arg-type]
    return Event(trigger, told, at, UNIT, DOCTOR)


def admitted() -> Encounter:
    """A stay that goes on."""
    place = Location("CARDIO", "12", "")
    return open_encounter(new_id(), new_id(), event(Trigger.ADMIT, location=place), at=NOON)


def test_an_admission_opens() -> None:
    """With its place as sent, and its beginning from the event where PV1 says none."""
    stay = admitted()

    assert (stay.visit_system, stay.visit_number) == ("CHU-X", "V1")
    assert (stay.class_, stay.status) == (EncounterClass.INPATIENT, EncounterStatus.IN_PROGRESS)
    assert (stay.location, stay.started_at, stay.ended_at) == ("CARDIO^12", NOON, None)
    assert (stay.unit_id, stay.attending_id, stay.revision) == (UNIT, DOCTOR, 1)


def test_a_discharge_ends_and_an_admission_opens_again() -> None:
    """A cancelled discharge arrives as an admission from senders who know no better."""
    gone = hear(admitted(), event(Trigger.DISCHARGE, LATER), at=LATER)
    back = hear(gone, event(Trigger.ADMIT, LATER), at=LATER)

    assert (gone.status, gone.ended_at, gone.etag) == (EncounterStatus.FINISHED, LATER, "2")
    assert (back.status, back.ended_at) == (EncounterStatus.IN_PROGRESS, None)
    assert back.started_at == NOON


def test_an_update_changes_what_it_says() -> None:
    """Absent stays, erased goes, nothing new is no new revision."""
    stay = admitted()

    same = hear(stay, event(Trigger.UPDATE), at=LATER)
    moved = hear(stay, event(Trigger.UPDATE, location=ERASE, encounter_class="X"), at=LATER)
    ended = hear(stay, event(Trigger.UPDATE, discharged=moment(LATER)), at=LATER)

    assert same is stay
    assert (moved.location, moved.class_) == ("", EncounterClass.OTHER)
    assert ended.status is EncounterStatus.FINISHED


def test_a_visit_without_a_number_has_none() -> None:
    """It is then found as the patient's open stay."""
    assert visit_of(hl7.Encounter()) == ("", "")


@pytest.mark.parametrize(
    ("location", "left"),
    [
        (ABSENT, False),
        (ERASE, True),
        (Location("CARDIO", "13"), False),
        (Location("", "13"), False),
        (Location("URG"), True),
    ],
)
def test_a_patient_leaves_a_unit_for_another(location: State[Location], left: bool) -> None:
    """Another room is none; a stay of which no place is known is not left."""
    assert leaves(admitted(), location) is left
    assert not leaves(replace(admitted(), location=""), location)


@pytest.mark.parametrize(("unit", "moved"), [("2103", True), ("", False)])
def test_a_movement_hands_a_patient_over(unit: str, moved: bool) -> None:
    """To another unit that it makes responsible."""
    before = admitted()
    sent = hl7.Encounter(movement=Movement((), medical_unit=unit))

    assert moves(before, replace(before, unit_id=new_id()), sent) is moved
    assert not moves(before, before, sent)
