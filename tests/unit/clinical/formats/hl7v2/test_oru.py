"""ORU messages: orders, observations, and their values."""

from dataclasses import replace
from decimal import Decimal

import pytest

from clinical.domain.hl7 import (
    Attachment,
    Coded,
    Quantity,
    Results,
    Structured,
    Text,
    Value,
)
from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, ERASE, PartialDate
from clinical.formats.hl7v2.ack import Verdict
from tests.support import hl7_messages as messages
from tests.support.hl7_messages import ANNE
from tests.support.hl7_readings import reading_of, rules_of


def test_results_are_read_whole() -> None:
    """Order, codes, typed values, units, ranges, flags, status, times."""
    content = reading_of(messages.oru()).content

    assert isinstance(content, Results)
    (group,) = content.groups
    (report,) = group.reports
    assert (report.code.loinc, report.placer_number, report.status) == ("24323-8", "P77", "F")
    glucose, leukocytes, blood_group, comment = report.observations
    assert glucose.values == (Quantity(Decimal("5.40")),)
    assert str(glucose.values[0].value) == "5.40"
    assert glucose.unit == Coded("mmol/L", "mmol/L", "UCUM")
    assert (glucose.reference_range, glucose.abnormal_flags) == ("4.1-5.9", ("N",))
    assert leukocytes.values == (Structured(">", Decimal(100), "", None),)
    assert blood_group.values == (Coded("A", "A", "L"),)
    assert comment.values == (Text("Hémolyse légère"), Text("Contrôler"))


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("NM", "5,40", Text("5,40")),
        ("NM", "<5", Text("<5")),
        ("NM", "NaN", Text("NaN")),
        ("NM", "1e9", Text("1e9")),
        ("NM", "-0.50", Quantity(Decimal("-0.50"))),
        ("SN", "^1^:^128", Structured("", Decimal(1), ":", Decimal(128))),
        ("SN", "~x", Text("x")),
        ("ST", "a^b\\S\\c", Text("a^b^c")),
        ("ID", "Y", Coded("Y")),
        ("DT", "1980", PartialDate(1980)),
        ("DT", "yesterday", Text("yesterday")),
        ("ED", "^TEXT^XML^Base64^PGEvPg==", Attachment("TEXT", "XML", b"<a/>")),
        ("ED", "^text^XML^base64^PGEv\\.br\\Pg==", Attachment("text", "XML", b"<a/>")),
        ("ED", "^AP^X^Hex^00ff", Attachment("AP", "X", b"\x00\xff")),
        ("ED", "^TEXT^PLAIN^A^d\\S\\e", Attachment("TEXT", "PLAIN", b"d^e")),
        ("ED", "^TEXT^XML^Base64^@@@", Text("^TEXT^XML^Base64^@@@")),
        ("XX", "1", Text("1")),
        ("", "1", Text("1")),
    ],
)
def test_values_are_of_their_type_or_text(kind: str, sent: str, value: Value) -> None:
    """What is not what it claims to be is kept as words."""
    content = reading_of(messages.oru([messages.obx(1, kind, "1^x^LN", sent)])).content

    assert isinstance(content, Results)
    assert content.groups[0].reports[0].observations[0].values == (value,)


def test_an_attachment_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be kept is refused before it is decoded."""
    monkeypatch.setattr("clinical.formats.hl7v2.values.LARGEST", 8)
    reading = reading_of(
        messages.oru([messages.obx(1, "ED", "1^x^LN", "^TEXT^XML^Base64^" + "A" * 12)])
    )

    assert (rules_of(reading), reading.verdict) == (["obx5.size"], Verdict.ERROR)


def test_corrections_and_states_of_results() -> None:
    """C with a value corrects, D with `""` erases, and no value at all says nothing."""
    sent = [
        messages.obx(1, "NM", "1^x^LN", "5", status="C"),
        messages.obx(2, "NM", "1^x^LN", '""', status="D"),
        messages.obx(3, "NM", "1^x^LN", "", status="X"),
    ]
    content = reading_of(messages.oru(sent)).content

    assert isinstance(content, Results)
    observations = content.groups[0].reports[0].observations
    assert [one.values for one in observations] == [(Quantity(Decimal(5)),), ERASE, ABSENT]
    assert [one.corrects for one in observations] == [True, True, False]


def test_notes_belong_to_what_they_follow() -> None:
    """NTE after OBR are the order's, after OBX the observation's."""
    text = messages.oru([messages.obx(1, "NM", "1^x^LN", "5", at=""), "NTE|1||a~b"])
    text = text.replace("\rOBX", "\rNTE|1||of the order\rOBX")
    content = reading_of(text).content

    assert isinstance(content, Results)
    report = content.groups[0].reports[0]
    assert (report.notes, report.observations[0].notes) == (("of the order",), ("a", "b"))
    assert report.observations[0].effective == report.observed


def test_results_of_several_patients_stay_apart() -> None:
    """Each PID begins a group."""
    other = replace(ANNE, identifiers=("2^^^X^PI",)).pid()
    text = messages.oru() + messages.joined([other, "OBR|1|||1^x^LN", "OBX|1|ST|1^x^LN||y||||||F"])
    content = reading_of(text).content

    assert isinstance(content, Results)
    values = [group.patient.identifiers[0].value for group in content.groups]
    assert values == ["100001", "2"]
    assert [len(group.reports[0].observations) for group in content.groups] == [4, 1]


def test_a_place_counts_segments_of_its_own_name() -> None:
    """The third OBX is OBX^3, whatever stands between."""
    sent = [messages.obx(number, "NM", "1^x^LN", "x") for number in (1, 2, 3)]
    reading = reading_of(messages.oru(sent))

    assert [finding.place for finding in reading.findings] == [
        Place("OBX", number, 5, 1) for number in (1, 2, 3)
    ]
