"""From bytes to domain values: what is understood, what is found, and that nothing crashes."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.hl7 import (
    Attachment,
    Coded,
    Encounter,
    Identifier,
    Issuer,
    Location,
    Merges,
    PatientEvent,
    PatientIdentity,
    Practitioner,
    Quantity,
    Results,
    Sex,
    Structured,
    Text,
    Trigger,
    Trust,
    Value,
)
from clinical.domain.hl7_findings import Condition, Place
from clinical.domain.hl7_values import ABSENT, ERASE, PartialDate
from clinical.domain.ins import NIR_TEST, Ins, TenantKind
from clinical.formats.hl7v2.ack import Issue, Verdict, accept_ack, application_ack
from clinical.formats.hl7v2.message import MOST_PARTS, Message
from clinical.formats.hl7v2.reader import Terms, rpps_of
from clinical.formats.hl7v2.reading import Reading, read
from clinical.formats.hl7v2.rules import GENERIC, MOST_FINDINGS, RULES, Policy, Profile
from tests.support import hl7_messages as messages
from tests.support.hl7_messages import ANNE, FRENCH

TERMS = Terms(tenant=TenantKind.TEST)
CHU = Issuer("CHU-X", "1.2.250.1.999.1", "ISO")
TRIGGERS = ["A01", "A03", "A04", "A08", "A28", "A31"]


def _read(text: str, terms: Terms = TERMS) -> Reading:
    return read(text.encode(), terms)


def _event(text: str, terms: Terms = TERMS) -> PatientEvent:
    reading = _read(text, terms)
    assert isinstance(reading.content, PatientEvent), reading.findings
    return reading.content


def _patient(**changes: str) -> PatientIdentity:
    return _event(messages.adt("A31", replace(ANNE, **changes))).patient  # type: ignore[arg-type]


def _rules(reading: Reading) -> list[str]:
    return [finding.rule for finding in reading.findings]


@pytest.mark.parametrize("form", [messages.FRENCH, messages.GENERIC], ids=["french", "generic"])
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_supported_event_is_read_without_a_finding(trigger: str, form: messages.Form) -> None:
    """Both forms of each event are whole."""
    reading = _read(messages.adt(trigger, form=form))

    assert isinstance(reading.content, PatientEvent)
    assert reading.content.trigger is Trigger(trigger)
    assert (reading.findings, reading.verdict) == ((), Verdict.ACCEPTED)


def test_a_french_identity_is_read_whole() -> None:
    """Identifiers with issuers, names at birth and in use, traits, status."""
    patient = _event(messages.adt("A28", messages.ANNE_WITH_INS)).patient

    ins_issuer = Issuer("ASIP-SANTE-INS-NIR", NIR_TEST, "ISO")
    assert patient == PatientIdentity(
        identifiers=(
            Identifier("100001", CHU, "PI"),
            Identifier(messages.TEST_INS, ins_issuer, "INS", PartialDate(2010, 12, 7)),
        ),
        ins=Ins(messages.TEST_INS, NIR_TEST),
        ins_from_insi=True,
        birth_name="MARTIN",
        first_birth_given="ANNE",
        birth_given_names="ANNE MARIE JEANNE",
        used_name="DURAND",
        used_given_name="ANNE",
        birth_date=PartialDate(1980, 5, 17),
        sex=Sex.FEMALE,
        birth_cog="75056",
        status_codes=("VALI",),
        updated=patient.updated,
    )
    assert patient.trust is Trust.QUALIFIED


def test_a_generic_identity_has_its_birth_name_where_a_maiden_name_is() -> None:
    """With M and L, L is the name in use; XPN-3 follows XPN-2."""
    patient = _event(messages.adt("A04", messages.GENERIC_ANNE, form=messages.GENERIC)).patient

    assert (patient.birth_name, patient.used_name) == ("MARTIN", "DURAND")
    assert (patient.first_birth_given, patient.birth_given_names) == ("ANNE", "ANNE MARIE")


@pytest.mark.parametrize(
    ("names", "birth_name", "given_names", "used_name"),
    [
        ("", ABSENT, ABSENT, ABSENT),
        ('""', ERASE, ERASE, ERASE),
        ("MARTIN", "MARTIN", ABSENT, ABSENT),
        ("MARTIN^ANNE", "MARTIN", ABSENT, ABSENT),
        ('MARTIN^ANNE^""^^^^L', "MARTIN", ERASE, ABSENT),
        ('MARTIN^^^^^^L~""^^^^^^D', "MARTIN", ABSENT, ERASE),
        ("MARTIN^ANNE^ANNE,MARIE^^^^L", "MARTIN", "ANNE MARIE", ABSENT),
        ("MARTIN^ANNE^ANNETTE^^^^L", "MARTIN", "ANNE ANNETTE", ABSENT),
        ("D'A\\T\\B&de^ANNE^^^^^L", "D'A&B", ABSENT, ABSENT),
    ],
)
def test_names_keep_their_states(
    names: str, birth_name: object, given_names: object, used_name: object
) -> None:
    """An empty name changes nothing, and a null one erases."""
    patient = _patient(names=names)

    assert (patient.birth_name, patient.birth_given_names, patient.used_name) == (
        birth_name,
        given_names,
        used_name,
    )


def test_an_update_with_empty_fields_erases_nothing() -> None:
    """The classic disaster does not happen."""
    patient = _patient(names="", born="", sex="", address="", status="", updated="")

    assert patient == PatientIdentity(identifiers=(Identifier("100001", CHU, "PI"),))


def test_an_update_with_null_fields_erases() -> None:
    """`""` is a statement."""
    null = '""'
    patient = _patient(names=null, born=null, sex=null, status=null, died=null, dead=null)

    states = (patient.birth_name, patient.birth_date, patient.sex, patient.status_codes)
    assert states == (ERASE,) * 4
    assert (patient.died, patient.is_dead) == (ERASE, ERASE)


@pytest.mark.parametrize(
    ("born", "written"),
    [("1980", PartialDate(1980)), ("198005", PartialDate(1980, 5)), ("19800230", ABSENT)],
)
def test_a_birth_date_keeps_its_precision(born: str, written: object) -> None:
    """A day that never was is a finding and changes nothing."""
    assert _patient(born=born).birth_date == written


def test_a_death_is_read() -> None:
    """PID-29 and PID-30."""
    patient = _patient(died="202603010415+0100", dead="Y")

    assert patient.is_dead is True
    assert patient.died is not ABSENT
    assert patient.died is not ERASE
    assert patient.died.at_utc == datetime(2026, 3, 1, 3, 15, tzinfo=UTC)


def test_a_stay_is_read_whole() -> None:
    """Visit, class, place, attending with RPPS, times, movement."""
    encounter = _event(messages.adt("A01", replace(ANNE, account="D1^^^CHU-X^AN"))).encounter

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

    assert _read(text).verdict is Verdict.ACCEPTED


def test_a_merge_names_survivor_and_loser() -> None:
    """PID-3 survives what MRG-1 names."""
    content = _read(messages.merge()).content

    assert isinstance(content, Merges)
    (pair,) = content.pairs
    assert pair.survivor.identifiers == (Identifier("100001", CHU, "PI"),)
    assert pair.loser == (Identifier("200002", CHU, "PI"),)


def test_a_merge_message_may_hold_several_pairs() -> None:
    """Each MRG belongs to the PID before it."""
    more = messages.joined([replace(ANNE, identifiers=("3^^^X^PI",)).pid(), "MRG|4^^^X^PI"])
    content = _read(messages.merge() + more).content

    assert isinstance(content, Merges)
    assert [pair.loser[0].value for pair in content.pairs] == ["200002", "4"]


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
        (messages.joined([messages.msh("ORU^R01"), ANNE.pid()]), "obr.required", "OBR^1"),
        (messages.joined([messages.msh("ORU^R01"), "OBX|1"]), "pid.required", "PID^1"),
        (messages.oru(["OBX|1|NM|||5||||||F"]), "obx3.required", "OBX^1^3"),
    ],
)
def test_what_cannot_be_acted_on_is_rejected(text: str, rule: str, place: str | None) -> None:
    """AE, with the rule and the place; nothing is half-read."""
    reading = _read(text)

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
        (messages.adt("A28").replace("2.5^FRA^2.11", ""), "msh12.required"),
        (messages.adt("A28", accept="MAYBE"), "msh15.table"),
        (messages.adt("A28") + "pid line\r", "message.segment-name"),
        (messages.adt("A28") + "NTE|1||x\nPID|2\r", "message.terminators"),
    ],
)
def test_what_can_be_lived_with_is_a_warning(text: str, rule: str) -> None:
    """The lenient profile notes it, reads the rest and answers AA."""
    reading = _read(text)

    assert rule in _rules(reading)
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
    reading = _read(text)

    assert [(one.rule, one.condition) for one in reading.findings] == [(rule, condition)]
    assert (reading.verdict, reading.content) == (Verdict.UNSUPPORTED, None)


def test_an_endpoint_may_be_stricter_or_laxer() -> None:
    """A rule is off, warns or rejects as the endpoint says."""
    text = messages.adt("A28", replace(ANNE, sex="2"))
    strict = replace(TERMS, profile=GENERIC.having({"pid8.table": Policy.REJECT}))
    silent = replace(TERMS, profile=GENERIC.having({"pid8.table": Policy.OFF}))

    assert _read(text, strict).verdict is Verdict.ERROR
    assert _read(text, silent).findings == ()


def test_an_endpoint_may_refuse_training_messages() -> None:
    """The processing ids an endpoint takes are its own."""
    terms = replace(TERMS, profile=Profile("PRODUCTION", processing_ids=frozenset("P")))

    assert (
        _read(messages.adt("A28").replace("|P|2.5", "|T|2.5"), terms).verdict is Verdict.UNSUPPORTED
    )


def test_a_policy_for_no_rule_is_refused() -> None:
    """A typing error in a configuration is loud."""
    with pytest.raises(ValueError, match="no such rule"):
        GENERIC.having({"pid8.tabel": Policy.OFF})


@pytest.mark.parametrize(
    ("cx", "rule", "verdict"),
    [
        (messages.ins_of_test("280057505604274"), "ins.key", Verdict.ACCEPTED),
        (messages.ins_of_test("2800575056042"), "ins.key-missing", Verdict.ACCEPTED),
        (messages.ins_of_test("28005"), "ins.shape", Verdict.ACCEPTED),
        ("280057505604273^^^X^INS", "ins.authority", Verdict.ACCEPTED),
        ("280057505604273^^^N&1.2.250.1.213.1.4.8&ISO^INS", "ins.tenant-kind", Verdict.ERROR),
    ],
)
def test_a_wrong_ins_is_a_finding(cx: str, rule: str, verdict: Verdict) -> None:
    """A test tenant refuses real authorities; other faults are noted, and the patient is read."""
    reading = _read(messages.adt("A28", replace(ANNE, identifiers=(messages.ipp("1"), cx))))

    assert _rules(reading) == [rule]
    assert str(reading.findings[0].place) == "PID^1^3^2"
    assert reading.verdict is verdict


def test_a_production_tenant_refuses_a_test_ins() -> None:
    """Nobody else enforces it."""
    reading = _read(messages.adt("A28", messages.ANNE_WITH_INS), Terms())

    assert (_rules(reading), reading.verdict) == (["ins.tenant-kind"], Verdict.ERROR)


def test_results_are_read_whole() -> None:
    """Order, codes, typed values, units, ranges, flags, status, times."""
    content = _read(messages.oru()).content

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
    content = _read(messages.oru([messages.obx(1, kind, "1^x^LN", sent)])).content

    assert isinstance(content, Results)
    assert content.groups[0].reports[0].observations[0].values == (value,)


def test_an_attachment_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be kept is refused before it is decoded."""
    monkeypatch.setattr("clinical.formats.hl7v2.values.LARGEST", 8)
    reading = _read(messages.oru([messages.obx(1, "ED", "1^x^LN", "^TEXT^XML^Base64^" + "A" * 12)]))

    assert (_rules(reading), reading.verdict) == (["obx5.size"], Verdict.ERROR)


def test_corrections_and_states_of_results() -> None:
    """C with a value corrects, D with `""` erases, and no value at all says nothing."""
    sent = [
        messages.obx(1, "NM", "1^x^LN", "5", status="C"),
        messages.obx(2, "NM", "1^x^LN", '""', status="D"),
        messages.obx(3, "NM", "1^x^LN", "", status="X"),
    ]
    content = _read(messages.oru(sent)).content

    assert isinstance(content, Results)
    observations = content.groups[0].reports[0].observations
    assert [one.values for one in observations] == [(Quantity(Decimal(5)),), ERASE, ABSENT]
    assert [one.corrects for one in observations] == [True, True, False]


def test_notes_belong_to_what_they_follow() -> None:
    """NTE after OBR are the order's, after OBX the observation's."""
    text = messages.oru([messages.obx(1, "NM", "1^x^LN", "5", at=""), "NTE|1||a~b"])
    text = text.replace("\rOBX", "\rNTE|1||of the order\rOBX")
    content = _read(text).content

    assert isinstance(content, Results)
    report = content.groups[0].reports[0]
    assert (report.notes, report.observations[0].notes) == (("of the order",), ("a", "b"))
    assert report.observations[0].effective == report.observed


def test_results_of_several_patients_stay_apart() -> None:
    """Each PID begins a group."""
    other = replace(ANNE, identifiers=("2^^^X^PI",)).pid()
    text = messages.oru() + messages.joined([other, "OBR|1|||1^x^LN", "OBX|1|ST|1^x^LN||y||||||F"])
    content = _read(text).content

    assert isinstance(content, Results)
    values = [group.patient.identifiers[0].value for group in content.groups]
    assert values == ["100001", "2"]
    assert [len(group.reports[0].observations) for group in content.groups] == [4, 1]


def test_an_ack_is_read_and_means_nothing() -> None:
    """It is no event, and no error."""
    reading = _read(messages.joined([messages.msh("ACK^A01^ACK"), "MSA|AA|1"]))

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
    assert rule in _rules(_read(messages.adt("A28", control_id=control_id)))
    assert _read(messages.adt("A28", control_id=control_id)).verdict is Verdict.ERROR


def test_a_nul_is_refused_even_by_a_lax_endpoint() -> None:
    """PostgreSQL's text cannot hold it."""
    lax = replace(TERMS, profile=GENERIC.having({"message.nul": Policy.OFF}))

    assert _read(messages.adt("A28").replace("ANNE", "AN\0NE"), lax).verdict is Verdict.UNREADABLE


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


def test_a_place_counts_segments_of_its_own_name() -> None:
    """The third OBX is OBX^3, whatever stands between."""
    sent = [messages.obx(number, "NM", "1^x^LN", "x") for number in (1, 2, 3)]
    reading = _read(messages.oru(sent))

    assert [finding.place for finding in reading.findings] == [
        Place("OBX", number, 5, 1) for number in (1, 2, 3)
    ]


def test_a_message_wrong_everywhere_has_a_bounded_number_of_findings() -> None:
    """Warnings past the limit are left out, and the first rejection never is."""
    sent = [messages.obx(number, "NM", "1^x^LN", "x") for number in range(1, 200)]
    reading = _read(messages.oru([*sent, "OBX|200|NM|||5||||||F"]))

    assert len(reading.findings) == MOST_FINDINGS + 1
    assert reading.findings[-1].rule == "obx3.required"
    assert reading.verdict is Verdict.ERROR


@pytest.mark.parametrize("part", ["\rA", "~"])
def test_a_message_of_too_many_parts_is_refused_at_once(part: str) -> None:
    """Sixteen megabytes of separators must not stop a server."""
    reading = _read(messages.adt("A28") + "ZZZ|" + part * MOST_PARTS)

    assert (_rules(reading), reading.verdict) == (["message.parts"], Verdict.ERROR)


def test_the_header_of_an_unreadable_message_can_be_kept() -> None:
    """Its fields are text without NUL, of a bounded length."""
    raw = messages.adt("A28", control_id="A\0é\x1cB" + "9" * 999).encode("latin-1")
    header = read(raw, TERMS).header

    assert header.control_id == "AéB" + "9" * 245
    assert header.text(4) == "CHU-X"
