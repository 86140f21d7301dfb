"""From bytes to domain values: what is understood, what is found, and that nothing crashes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.hl7_findings import Condition
from clinical.formats.hl7v2.ack import Issue, Verdict, accept_ack, application_ack
from clinical.formats.hl7v2.message import MOST_PARTS, Message
from clinical.formats.hl7v2.reading import read
from clinical.formats.hl7v2.rules import FIXED, GENERIC, MOST_FINDINGS, RULES, Policy, Profile
from tests.support import hl7_messages as messages
from tests.support.hl7_messages import ANNE, FRENCH
from tests.support.hl7_readings import TERMS, reading_of, rules_of


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        (messages.merge(loser="100001^^^CHU-X&1.2.250.1.999.1&ISO^PI"), "mrg.self", "MRG^1^1"),
        (messages.merge(loser=""), "mrg1.required", "MRG^1^1"),
        (messages.merge() + "MRG|5^^^X\r", "mrg.required", "MRG^2"),
        (messages.merge() + ANNE.pid() + "\r", "mrg.required", "PID^2"),
        (messages.joined([messages.msh("ADT^A40"), "EVN||2026"]), "mrg.required", "MRG^1"),
        (messages.joined([messages.msh("ADT^A01"), "EVN||2026"]), "pid.required", "PID^1"),
        (messages.adt("A01") + ANNE.pid() + "\r", "pid.single", "PID^2"),
        (messages.adt("A28", replace(ANNE, identifiers=())), "pid3.required", "PID^1^3"),
        (messages.adt("A28", replace(ANNE, identifiers=("^^^X^PI",))), "pid3.required", "PID^1^3"),
        (messages.adt("A28", replace(ANNE, identifiers=("9" * 251,))), "message.text-length", None),
        (messages.adt("A28", replace(ANNE, identifiers=("1^^^X",) * 101)), "cx.count", None),
        (messages.joined([messages.msh("ORU^R01"), ANNE.pid()]), "obr.required", "OBR^1"),
        (messages.joined([messages.msh("ORU^R01"), "OBX|1"]), "pid.required", "PID^1"),
        (messages.oru(["OBX|1|NM|||5||||||F"]), "obx3.required", "OBX^1^3"),
    ],
)
def test_what_cannot_be_acted_on_is_rejected(text: str, rule: str, place: str | None) -> None:
    """AE, with the rule and the place; nothing is half-read."""
    reading = reading_of(text)

    rejecting = [finding for finding in reading.findings if finding.rejects]
    assert rule in [finding.rule for finding in rejecting]
    assert place is None or place in [str(finding.place) for finding in rejecting]
    assert (reading.verdict, reading.content) == (Verdict.ERROR, None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (messages.adt("A28").replace("EVN|", "XVN|"), "evn.required"),
        (messages.adt("A28", replace(ANNE, sex="2")), "pid8.table"),
        (messages.adt("A28", replace(ANNE, dead="maybe")), "pid30.table"),
        (messages.adt("A28", replace(ANNE, names="")), "pid5.required"),
        (messages.adt("A28", replace(ANNE, names='""')), "pid5.required"),
        (messages.adt("A28", replace(ANNE, born="17/05/1980")), "time.syntax"),
        (messages.adt("A28", replace(ANNE, born="00000000")), "time.absurd"),
        (messages.adt("A28", replace(ANNE, identifiers=("1",))), "cx.issuer"),
        (messages.adt("A28", replace(ANNE, identifiers=("1^^^X", "^^^X"))), "cx.value"),
        (
            messages.adt("A28")
            .replace("PID|1||", "PID|1|9^^^X|")
            .replace(messages.ipp("100001"), ""),
            "pid3.in-pid2",
        ),
        (messages.adt("A01", stay=""), "pv1.required"),
        (messages.adt("A01", stay=messages.pv1(patient_class="")), "pv1-2.required"),
        (messages.adt("A01", stay=messages.pv1(visit="")), "pv1-19.required"),
        (messages.adt("A28").replace("|P|", "||"), "msh11.required"),
        (messages.adt("A28").replace("|P|2.5", "|T|2.5"), "msh11.production"),
        (messages.adt("A28").replace("|P|2.5", "|D^T|2.5"), "msh11.production"),
        (messages.adt("A28").replace("2.5^FRA^2.11", ""), "msh12.required"),
        (messages.adt("A28", accept="MAYBE"), "msh15.table"),
        (messages.adt("A28") + "pid line\r", "message.segment-name"),
        (messages.adt("A28") + "NTE|1||x\nPID|2\r", "message.terminators"),
    ],
)
def test_what_can_be_lived_with_is_a_warning(text: str, rule: str) -> None:
    """The lenient profile notes it, reads the rest and answers AA."""
    reading = reading_of(text)

    assert rule in rules_of(reading)
    assert reading.verdict is Verdict.ACCEPTED
    assert reading.content is not None


@pytest.mark.parametrize(
    ("text", "rule", "condition"),
    [
        (messages.adt("A02"), "msh9.event", Condition.UNSUPPORTED_EVENT),
        (messages.adt("R01"), "msh9.event", Condition.UNSUPPORTED_EVENT),
        (messages.adt("A28").replace("ADT^A28", "ADT"), "msh9.event", Condition.UNSUPPORTED_EVENT),
        (
            messages.adt("A28").replace("ADT^A28", "SIU^S12"),
            "msh9.type",
            Condition.UNSUPPORTED_MESSAGE_TYPE,
        ),
        (
            messages.adt("A28").replace("|P|2.5", "|X|2.5"),
            "msh11.supported",
            Condition.UNSUPPORTED_PROCESSING_ID,
        ),
        (
            messages.adt("A28").replace("2.5^FRA", "3.0^FRA"),
            "msh12.supported",
            Condition.UNSUPPORTED_VERSION,
        ),
    ],
)
def test_what_is_not_supported_is_told_by_its_code(
    text: str, rule: str, condition: Condition
) -> None:
    """200, 201, 202 and 203."""
    reading = reading_of(text)

    assert [(one.rule, one.condition) for one in reading.findings] == [(rule, condition)]
    assert (reading.verdict, reading.content) == (Verdict.UNSUPPORTED, None)


def test_an_endpoint_may_be_stricter_or_laxer() -> None:
    """A rule is off, warns or rejects as the endpoint says."""
    text = messages.adt("A28", replace(ANNE, sex="2"))
    strict = replace(TERMS, profile=GENERIC.having({"pid8.table": Policy.REJECT}))
    silent = replace(TERMS, profile=GENERIC.having({"pid8.table": Policy.OFF}))

    assert reading_of(text, strict).verdict is Verdict.ERROR
    assert reading_of(text, silent).findings == ()


def test_an_endpoint_may_refuse_training_messages() -> None:
    """The processing ids an endpoint takes are its own."""
    terms = replace(TERMS, profile=Profile("PRODUCTION", processing_ids=frozenset("P")))

    assert (
        reading_of(messages.adt("A28").replace("|P|2.5", "|T|2.5"), terms).verdict
        is Verdict.UNSUPPORTED
    )


def test_a_policy_for_no_rule_is_refused() -> None:
    """A typing error in a configuration is loud."""
    with pytest.raises(ValueError, match="no such rule"):
        GENERIC.having({"pid8.tabel": Policy.OFF})


def test_an_ack_is_read_and_means_nothing() -> None:
    """It is no event, and no error."""
    reading = reading_of(messages.joined([messages.msh("ACK^A01^ACK"), "MSA|AA|1"]))

    assert (reading.content, reading.verdict, reading.header.is_ack) == (
        None,
        Verdict.ACCEPTED,
        True,
    )


@pytest.mark.parametrize(
    ("control_id", "rule"), [("", "msh10.required"), ("9" * 251, "msh.field-length")]
)
def test_a_message_that_cannot_be_told_from_another_is_rejected(control_id: str, rule: str) -> None:
    """Without a usable control id there is nothing to acknowledge."""
    assert rule in rules_of(reading_of(messages.adt("A28", control_id=control_id)))
    assert reading_of(messages.adt("A28", control_id=control_id)).verdict is Verdict.ERROR


def test_a_nul_is_refused() -> None:
    """PostgreSQL's text cannot hold it."""
    reading = reading_of(messages.adt("A28").replace("ANNE", "AN\0NE"))

    assert (rules_of(reading), reading.verdict) == (["message.nul"], Verdict.UNREADABLE)


@pytest.mark.parametrize("rule", sorted(FIXED))
def test_some_rules_cannot_be_relaxed(rule: str) -> None:
    """Without them a message could be acknowledged and come to nothing."""
    with pytest.raises(ValueError, match="always reject"):
        GENERIC.having({rule: Policy.WARN})


@given(st.dictionaries(st.sampled_from(sorted(RULES.keys() - FIXED)), st.sampled_from(Policy)))
def test_whatever_the_policies_an_accepted_message_has_content(
    policies: dict[str, Policy],
) -> None:
    """A positive ACK is never given for nothing."""
    terms = replace(TERMS, profile=GENERIC.having(policies))

    for text in _SEEDS + [seed.replace("PID|", "XID|") for seed in _SEEDS]:
        reading = reading_of(text.replace("^A^", "^^"), terms)
        assert (reading.content is None) == (reading.verdict is not Verdict.ACCEPTED)


def test_every_rule_says_what_it_means_without_delimiters() -> None:
    """ERR-8 is a sentence, and stays one whatever the sender's signs are."""
    assert all(rule.meaning.endswith(".") and len(rule.meaning) <= 80 for rule in RULES.values())


_SEEDS = [
    messages.adt("A01", messages.ANNE_WITH_INS),
    messages.adt("A04", messages.GENERIC_ANNE, form=messages.GENERIC),
    messages.merge(),
    messages.oru(),
    messages.oru([messages.obx(1, "ED", "1^x^LN", "^TEXT^XML^Base64^PGEvPg==")], form=FRENCH),
]
_NOISE = st.sampled_from(
    [
        "|",
        "^",
        "~",
        "&",
        "\\",
        "\r",
        "\n",
        "\0",
        '""',
        "\\X00\\",
        "\\F\\",
        "é",
        "9" * 300,
        "",
        "PID",
    ]
)


@given(st.sampled_from(_SEEDS), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), _NOISE)))
def test_no_damage_crashes_it(seed: str, damage: list[tuple[float, int, str]]) -> None:
    """A damaged message is read or refused, its findings have rules, and its ACK parses."""
    for place, length, noise in damage:
        at = int(place * len(seed))
        seed = seed[:at] + noise + seed[at + length :]
    _acknowledged(seed.encode())


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(lambda b: b"MSH|^~\\&|" + b)))
def test_no_bytes_crash_it(raw: bytes) -> None:
    """Neither do bytes of any kind."""
    _acknowledged(raw)


def _acknowledged(raw: bytes) -> None:
    reading = read(raw, TERMS)
    issue = Issue("1", datetime(2026, 3, 1, tzinfo=UTC))

    assert all(finding.rule in RULES for finding in reading.findings)
    assert reading.verdict is Verdict.ACCEPTED or reading.content is None
    for build in (accept_ack, application_ack):
        ack = build(reading.header, reading.verdict, reading.findings, issue)
        assert ack is None or Message(ack.decode("latin-1")).text("MSH-9") == "ACK"


def test_a_message_wrong_everywhere_has_a_bounded_number_of_findings() -> None:
    """Warnings past the limit are left out, and the first rejection never is."""
    sent = [messages.obx(number, "NM", "1^x^LN", "x") for number in range(1, 200)]
    reading = reading_of(messages.oru([*sent, "OBX|200|NM|||5||||||F"]))

    assert len(reading.findings) == MOST_FINDINGS + 1
    assert reading.findings[-1].rule == "obx3.required"
    assert reading.verdict is Verdict.ERROR


@pytest.mark.parametrize("part", ["\rA", "~"])
def test_a_message_of_too_many_parts_is_refused_at_once(part: str) -> None:
    """Sixteen megabytes of separators must not stop a server."""
    reading = reading_of(messages.adt("A28") + "ZZZ|" + part * MOST_PARTS)

    assert (rules_of(reading), reading.verdict) == (["message.parts"], Verdict.ERROR)


def test_the_header_of_an_unreadable_message_can_be_kept() -> None:
    """Its fields are text without NUL, of a bounded length."""
    raw = messages.adt("A28", control_id="A\0é\x1cB" + "9" * 999).encode("latin-1")
    header = read(raw, TERMS).header

    assert header.control_id == "AéB" + "9" * 245
    assert header.text(4) == "CHU-X"
