"""Acknowledgements: both modes, every code, any header."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import hl7
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clinical.domain import registration
from clinical.domain.hl7_findings import (
    CONDITION_OF_REASON,
    MEANINGS,
    Condition,
    Finding,
    Place,
)
from clinical.formats.hl7v2.ack import (
    MOST_ERRORS,
    Issue,
    Verdict,
    accept_ack,
    application_ack,
    verdict_of,
)
from clinical.formats.hl7v2.framing import frame
from clinical.formats.hl7v2.header import DEFAULT_ENCODING, Header
from clinical.formats.hl7v2.message import Message
from clinical.formats.hl7v2.reader import Terms
from clinical.formats.hl7v2.reading import read
from clinical.formats.hl7v2.rules import RULES, UnsupportedAs
from tests.support import hl7_messages as messages

ISSUE = Issue("MH-0001", datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
MISSING = Finding("pid3.required", Condition.REQUIRED_FIELD_MISSING, True, Place("PID", 1, 3))
WARNING = Finding("pid5.required", Condition.REQUIRED_FIELD_MISSING, False, Place("PID", 1, 5))
EVENT = Finding("msh9.event", Condition.UNSUPPORTED_EVENT, True, Place("MSH", 1, 9, 1, 2))
CHARSET = Finding("charset.unknown", Condition.INTERNAL, True, Place("MSH", 1, 18))


def _header(accept: str = "", application: str = "", kind: str = "ADT^A01^ADT_A01") -> Header:
    return Header.of(messages.msh(kind, accept=accept, application=application).encode())


def _code(ack: bytes | None) -> str | None:
    return Message(ack.decode()).text("MSA-1") if ack else None


def _codes(header: Header, verdict: Verdict) -> tuple[str | None, str | None]:
    return (
        _code(accept_ack(header, verdict, (), ISSUE)),
        _code(application_ack(header, verdict, (), ISSUE)),
    )


def test_an_ack_in_the_french_form() -> None:
    """Names are swapped; version, country and charset are as received; the id is ours."""
    header = Header.of(messages.adt("A01").encode())

    assert application_ack(header, Verdict.ACCEPTED, (WARNING,), ISSUE) == (
        b"MSH|^~\\&|MEDHUB|HUB|GAM|CHU-X|20260301093000+0000||ACK^A01^ACK|MH-0001|P|2.5^FRA^2.11"
        b"|||||FRA|UNICODE UTF-8\r"
        b"MSA|AA|M0001\r"
    )


def test_an_error_is_told_by_place_code_and_rule() -> None:
    """Since v2.5, each rejecting finding is one ERR; warnings are not told."""
    header = Header.of(messages.adt("A01").encode())
    ack = application_ack(header, Verdict.ERROR, (WARNING, MISSING, MISSING), ISSUE)

    err = (
        b"ERR||PID^1^3|101^Required field missing^HL70357|E|pid3.required^^medhub|||"
        b"A patient identifier is required.\r"
    )
    assert (ack or b"").endswith(b"\rMSA|AE|M0001\r" + err + err)


def test_an_error_in_the_old_form() -> None:
    """Before v2.5, ERR-1 repeats places with their codes, and MSA-3 has words."""
    header = Header.of(messages.adt("A01", form=messages.GENERIC).encode())
    ack = application_ack(header, Verdict.ERROR, (MISSING, EVENT), ISSUE)

    assert (ack or b"").endswith(
        b"\rMSA|AE|M0001|Required field missing\r"
        b"ERR|PID^1^3^101&Required field missing&HL70357"
        b"~MSH^1^9^201&Unsupported event code&HL70357\r"
    )


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.ACCEPTED, "AA"),
        (Verdict.ERROR, "AE"),
        (Verdict.FAULT, "AE"),
        (Verdict.UNSUPPORTED, "AR"),
        (Verdict.UNREADABLE, "AR"),
        (Verdict.TRANSIENT, "AR"),
    ],
)
def test_original_mode_has_one_ack(verdict: Verdict, code: str) -> None:
    """Without MSH-15 and MSH-16 there is no accept ACK."""
    assert _codes(_header(), verdict) == (None, code)


@pytest.mark.parametrize(
    ("verdict", "accept", "application"),
    [
        (Verdict.ACCEPTED, "CA", "AA"),
        (Verdict.ERROR, "CA", "AE"),
        (Verdict.FAULT, "CA", "AE"),
        (Verdict.UNSUPPORTED, "CR", None),
        (Verdict.UNREADABLE, "CR", None),
        (Verdict.TRANSIENT, "CE", None),
    ],
)
def test_enhanced_mode_has_two(verdict: Verdict, accept: str, application: str | None) -> None:
    """What the accept ACK refused, no application ACK repeats."""
    assert _codes(_header("AL", "AL"), verdict) == (accept, application)


@pytest.mark.parametrize(
    ("asked", "good", "bad"),
    [
        ("AL", "CA", "CR"),
        ("NE", None, None),
        ("ER", None, "CR"),
        ("SU", "CA", None),
        ("", None, None),
    ],
)
def test_msh_15_governs_the_accept_ack(asked: str, good: str | None, bad: str | None) -> None:
    """AL always, NE and nothing never, ER refusals only, SU success only."""
    header = _header(asked, "AL")

    assert _code(accept_ack(header, Verdict.ACCEPTED, (), ISSUE)) == good
    assert _code(accept_ack(header, Verdict.UNSUPPORTED, (), ISSUE)) == bad


@pytest.mark.parametrize(
    ("asked", "good", "bad"),
    [
        ("AL", "AA", "AE"),
        ("NE", None, None),
        ("ER", None, "AE"),
        ("SU", "AA", None),
        ("", None, None),
    ],
)
def test_msh_16_governs_the_application_ack(asked: str, good: str | None, bad: str | None) -> None:
    """The same conditions, for the second ACK."""
    header = _header("AL", asked)

    assert _code(application_ack(header, Verdict.ACCEPTED, (), ISSUE)) == good
    assert _code(application_ack(header, Verdict.ERROR, (), ISSUE)) == bad


@pytest.mark.parametrize("accept", ["", "NE", "SU"])
def test_a_refusal_is_told_once_where_no_accept_ack_tells_it(accept: str) -> None:
    """A sender that asked for application ACKs only still hears of an unsupported event."""
    assert _codes(_header(accept, "AL"), Verdict.UNSUPPORTED) == (None, "AR")


def test_a_condition_that_is_not_in_the_table_means_always() -> None:
    """Too many answers are safer than none."""
    assert _codes(_header("XX", "YY"), Verdict.ACCEPTED) == ("CA", "AA")


def test_an_ack_is_not_answered() -> None:
    """Except by an accept ACK, if it asks for one."""
    assert _codes(_header(kind="ACK^A01^ACK"), Verdict.ACCEPTED) == (None, None)
    assert _codes(_header("AL", "AL", kind="ACK"), Verdict.ACCEPTED) == ("CA", None)


def test_an_application_ack_may_ask_for_an_accept_ack() -> None:
    """It is a message of its own."""
    ack = application_ack(_header("AL", "AL"), Verdict.ACCEPTED, (), ISSUE, ask_accept="AL")

    assert Message((ack or b"").decode()).text("MSH-15") == "AL"


def test_the_ans_says_ae_where_hl7_says_ar() -> None:
    """How an unsupported message is refused is the endpoint's setting."""
    ack = application_ack(
        _header(), Verdict.UNSUPPORTED, (EVENT,), ISSUE, unsupported_as=UnsupportedAs.AE
    )

    assert _code(ack) == "AE"


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.ACCEPTED])
def test_a_negative_ack_always_says_something(verdict: Verdict) -> None:
    """Without findings of its own it tells 207."""
    ack = application_ack(_header(), verdict, (), ISSUE)

    assert Message((ack or b"").decode()).text("ERR-3.1") == "207"


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), Verdict.ACCEPTED),
        ((WARNING,), Verdict.ACCEPTED),
        ((WARNING, MISSING), Verdict.ERROR),
        ((MISSING, EVENT), Verdict.UNSUPPORTED),
        ((MISSING, EVENT, CHARSET), Verdict.UNREADABLE),
    ],
)
def test_the_worst_finding_decides(findings: Sequence[Finding], verdict: Verdict) -> None:
    """Warnings never change the ACK."""
    assert verdict_of(findings) is verdict


def test_many_errors_are_cut() -> None:
    """A thousand ERR help nobody."""
    ack = application_ack(_header(), Verdict.ERROR, (MISSING,) * 1000, ISSUE)

    assert (ack or b"").count(b"\rERR|") == MOST_ERRORS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"M",
        b"MSH",
        b"MSH|",
        b"MSH|^~\\&",
        b"MSH\r",
        b"\xff\xfeM\x00S\x00H\x00",
        b"PID|1\r",
        b"MSHAAAAAAAA",
        b"MSH|||||||||\r",
        b"MSH|^~\\&|\x1c\r\x0b",
    ],
)
def test_the_shortest_header_gets_an_ack(raw: bytes) -> None:
    """Three bytes, none, or others than HL7's: the answer is AR and can be parsed."""
    reading = read(raw, Terms())
    ack = application_ack(reading.header, reading.verdict, reading.findings, ISSUE)

    assert _code(ack) == "AR"
    assert hl7.parse((ack or b"").decode()).segment("MSA")


def test_names_in_any_charset_come_back_as_they_came() -> None:
    """Header bytes are echoed, not decoded."""
    raw = messages.msh("ADT^A01").replace("CHU-X", "Hôpital œ").encode("iso8859-15")
    ack = application_ack(Header.of(raw), Verdict.ACCEPTED, (), ISSUE)

    assert "Hôpital œ".encode("iso8859-15") in (ack or b"")


def test_delimiters_come_back_as_they_came() -> None:
    """The ACK is written with the sender's signs."""
    raw = b"MSH#*!/+#A#B#C#D###ADT*A01*ADT_A01#77#P#2.5\r"

    assert application_ack(Header.of(raw), Verdict.ERROR, (MISSING,), ISSUE) == (
        b"MSH#*!/+#C#D#A#B#20260301093000+0000##ACK*A01*ACK#MH-0001#P#2.5\r"
        b"MSA#AE#77\r"
        b"ERR##PID*1*3#101*Required field missing*HL70357#E#pid3.required**medhub###"
        b"A patient identifier is required.\r"
    )


def test_no_data_of_the_patient_comes_back() -> None:
    """A message whose every field of PID is wrong is answered in our words only."""
    secret = "SECRETNAME"
    pid = "PID|1||||" + "|".join([secret] * 35)
    raw = messages.joined([messages.msh("ADT^A01"), pid]).encode()
    reading = read(raw, Terms())
    ack = application_ack(reading.header, reading.verdict, reading.findings, ISSUE)

    assert reading.verdict is Verdict.ERROR
    assert secret.encode() not in (ack or b"")


_FIELDS = st.lists(
    st.one_of(st.binary(max_size=8), st.sampled_from([b"ADT^A01", b"AL", b"ACK", b"2.3", b"~^&"])),
    max_size=20,
)
_HEADERS = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=20).map(lambda rest: b"MSH" + rest),
    _FIELDS.map(lambda fields: b"MSH|^~\\&|" + b"|".join(fields)),
)


def _python_hl7_reads(header: Header) -> bool:
    """It takes its default for each sign that MSH-2 leaves out, be it a sign of the header already,
    and then cannot tell the two apart.
    """
    signs = header.separator + header.encoding + DEFAULT_ENCODING[len(header.encoding) :]
    return len(set(signs)) == len(signs)


@example(b"MSH!-", Verdict.ERROR, ())
@example(b"MSH~!", Verdict.ACCEPTED, ())
@example(b"MSH+!", Verdict.ACCEPTED, ())
@given(_HEADERS, st.sampled_from(Verdict), st.sampled_from([(), (MISSING,), (EVENT, CHARSET)]))
def test_every_ack_parses(raw: bytes, verdict: Verdict, findings: tuple[Finding, ...]) -> None:
    """Whatever the header, the ACK is a message for us and for python-hl7, and can be framed."""
    # Our control ids are letters and digits, which no header can take for separators.
    header, issue = Header.of(raw), Issue("MH0001", ISSUE.at)
    for ack in (
        accept_ack(header, verdict, findings, issue),
        application_ack(header, verdict, findings, issue),
    ):
        if ack is None:
            continue
        text = ack.decode("latin-1")
        assert Message(text).text("MSH-9.1") == "ACK"
        assert Message(text).text("MSH-10") == "MH0001"
        assert len(Message(text).segments) == ack.count(b"\r")
        if _python_hl7_reads(header):
            assert len(hl7.parse(text)) == ack.count(b"\r")
        frame(ack)


def _every_finding() -> list[Finding]:
    """All that can reject a message: the checks, the domain's own, and its refusals."""
    own = [one for one in vars(registration).values() if isinstance(one, Finding)]
    return [
        *(Finding(rule.id, rule.condition, True) for rule in RULES.values()),
        *own,
        *registration.IMPOSSIBLE_DATES.values(),
        *(
            Finding(f"refused.{reason}", condition, True)
            for reason, condition in CONDITION_OF_REASON.items()
        ),
        Finding("never.heard-of", Condition.INTERNAL, True),
    ]


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.ACCEPTED])
def test_a_refusal_always_says_where_what_and_how_bad(verdict: Verdict) -> None:
    """ERR-2, ERR-3 with its words of HL70357, ERR-4 and ERR-8, also where nothing narrower than
    the message is known.
    """
    for found in ((), *((replace(one, rejects=True),) for one in _every_finding())):
        ack = application_ack(_header(), verdict, found, ISSUE) or b""

        told = Message(ack.decode())
        condition = found[0].condition if found else Condition.INTERNAL
        assert told.text("ERR-2.1")
        assert told.text("ERR-3.1") == str(condition.value)
        assert told.text("ERR-3.2") == condition.text
        assert (told.text("ERR-3.3"), told.text("ERR-4")) == ("HL70357", "E")
        assert told.text("ERR-8")


def test_a_finding_of_the_domain_has_its_own_words() -> None:
    """Nothing that can be refused falls back on the words of its code."""
    without = {one.rule for one in _every_finding()} - RULES.keys() - MEANINGS.keys()

    assert without == {"never.heard-of"}


def test_a_limit_is_told_with_its_rule() -> None:
    """The sender reads how much is taken."""
    large = Finding("receiver.unreadable", Condition.INTERNAL, True, limit=2000)

    ack = application_ack(_header(), Verdict.UNREADABLE, (large,), ISSUE) or b""

    assert Message(ack.decode()).text("ERR-8").endswith("At most 2000 bytes are taken.")
