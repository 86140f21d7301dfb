"""ADT messages: events about patients and stays, and merges."""

from dataclasses import replace

import pytest

from clinical.domain.hl7 import (
    Encounter,
    Identifier,
    Issuer,
    Location,
    Merges,
    PatientEvent,
    Practitioner,
    Trigger,
)
from clinical.formats.hl7v2.ack import Verdict
from clinical.formats.hl7v2.reader import rpps_of
from tests.support import hl7_messages as messages
from tests.support.hl7_messages import ANNE
from tests.support.hl7_readings import event_of, reading_of

TRIGGERS = ["A01", "A03", "A04", "A08", "A28", "A31"]
CHU = Issuer("CHU-X", "1.2.250.1.999.1", "ISO")


@pytest.mark.parametrize("form", [messages.FRENCH, messages.GENERIC], ids=["french", "generic"])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_supported_event_is_read_without_a_finding(trigger: str, form: messages.Form) -> None:
    """Both forms of each event are whole."""
    reading = reading_of(messages.adt(trigger, form=form))

    assert isinstance(reading.content, PatientEvent)
    assert reading.content.trigger is Trigger(trigger)
    assert (reading.findings, reading.verdict) == ((), Verdict.ACCEPTED)


def test_a_stay_is_read_whole() -> None:
    """Visit, class, place, attending with RPPS, times, movement."""
    encounter = event_of(messages.adt("A01", replace(ANNE, account="D1^^^CHU-X^AN"))).encounter

    assert encounter is not None
    assert encounter == Encounter(
        visit=Identifier("V0001", CHU, "VN"),
        account=Identifier("D1", Issuer("CHU-X"), "AN"),
        encounter_class="I",
        location=Location("CARDIO", "12", "1", Issuer("CHU-X")),
        attending=(
            Practitioner(
                Identifier(
                    "10101234567", Issuer("ASIP-SANTE-PS", "1.2.250.1.71.4.2.1", "ISO"), "RPPS"
                ),
                "HOUSE",
                "GREGORY",
                "10101234567",
            ),
        ),
        admitted=encounter.admitted,
        movement=encounter.movement,
    )
    movement = encounter.movement
    assert movement is not None
    assert (movement.identifiers[0].value, movement.action, movement.medical_unit) == (
        "MVT1",
        "INSERT",
        "2101",
    )


@pytest.mark.parametrize(
    ("value", "oid", "kind", "rpps"),
    [
        ("10101234567", "", "RPPS", "10101234567"),
        ("810101234567", "1.2.250.1.71.4.2.1", "", "10101234567"),
        ("810101234567", "1.2.250.1.71.4.2.1", "IDNPS", "10101234567"),
        ("0751234567", "1.2.250.1.71.4.2.1", "ADELI", ""),
        ("10101234567", "", "", ""),
    ],
)
def test_an_rpps_is_known_by_type_or_authority(value: str, oid: str, kind: str, rpps: str) -> None:
    """The ANS writes an 8 before it under its own authority."""
    assert rpps_of(Identifier(value, Issuer("", oid), kind)) == rpps


def test_a_strange_movement_breaks_nothing() -> None:
    """ZBE is tolerated in any shape."""
    text = messages.adt("A01").replace("ZBE|MVT1", "ZBE|||soon|~^&|" + "x" * 200 + "|MVT1")

    assert reading_of(text).verdict is Verdict.ACCEPTED


def test_a_merge_names_survivor_and_loser() -> None:
    """PID-3 survives what MRG-1 names."""
    content = reading_of(messages.merge()).content

    assert isinstance(content, Merges)
    (pair,) = content.pairs
    assert pair.survivor.identifiers == (Identifier("100001", CHU, "PI"),)
    assert pair.loser == (Identifier("200002", CHU, "PI"),)


def test_a_merge_message_may_hold_several_pairs() -> None:
    """Each MRG belongs to the PID before it."""
    more = messages.joined([replace(ANNE, identifiers=("3^^^X^PI",)).pid(), "MRG|4^^^X^PI"])
    content = reading_of(messages.merge() + more).content

    assert isinstance(content, Merges)
    assert [pair.loser[0].value for pair in content.pairs] == ["200002", "4"]
