"""Acknowledgements, built as bytes from the bytes of the header they answer.

Names, delimiters, charset and control id go back exactly as they came, even when the message
could not be decoded. Nothing else of it does: ERR says which rule broke and where, in fixed
words, so that no patient's data ever travels back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from clinical.domain.hl7_findings import MEANINGS, Condition, Finding, Place, rejections
from clinical.formats.hl7v2.header import Header
from clinical.formats.hl7v2.rules import RULES, UNREADABLE, UnsupportedAs

# Where nothing narrower is known: the message, which its header stands for.
_MESSAGE: Final = Place("MSH")
# A sender repairs a few errors at a time; a thousand broken OBX make no useful ACK.
MOST_ERRORS: Final = 20


class Code(Enum):
    """HL70008. The first three belong to original mode and application ACKs."""

    AA = "AA"
    AE = "AE"
    AR = "AR"
    CA = "CA"
    CE = "CE"
    CR = "CR"


class Verdict(Enum):
    """What became of a message, as far as its sender is concerned."""

    ACCEPTED = "accepted"
    ERROR = "error"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    # The database or the load was in the way: nothing is kept, sending again may succeed.
    TRANSIENT = "transient"
    # A fault of ours after the message was stored: it is kept and can be replayed.
    FAULT = "fault"


_SELF_MADE: Final = {
    Verdict.TRANSIENT: Finding("receiver.transient", Condition.INTERNAL, rejects=True),
    Verdict.FAULT: Finding("receiver.fault", Condition.INTERNAL, rejects=True),
    Verdict.ERROR: Finding("receiver.refused", Condition.INTERNAL, rejects=True),
    Verdict.UNSUPPORTED: Finding("receiver.refused", Condition.INTERNAL, rejects=True),
    Verdict.UNREADABLE: Finding("receiver.unreadable", Condition.INTERNAL, rejects=True),
}
_ORIGINAL: Final = {
    Verdict.ACCEPTED: Code.AA,
    Verdict.ERROR: Code.AE,
    Verdict.FAULT: Code.AE,
    Verdict.UNSUPPORTED: Code.AR,
    Verdict.UNREADABLE: Code.AR,
    Verdict.TRANSIENT: Code.AR,
}
_ACCEPT: Final = {
    Verdict.ACCEPTED: Code.CA,
    Verdict.ERROR: Code.CA,
    Verdict.FAULT: Code.CA,
    Verdict.UNSUPPORTED: Code.CR,
    Verdict.UNREADABLE: Code.CR,
    Verdict.TRANSIENT: Code.CE,
}
_POSITIVE: Final = frozenset({Code.AA, Code.CA})
# Verdicts that a refused accept ACK has already told, so that no application ACK follows it.
_TOLD_AT_ACCEPT: Final = frozenset({Verdict.UNSUPPORTED, Verdict.UNREADABLE, Verdict.TRANSIENT})
_WANTS: Final = frozenset({"AL", "NE", "ER", "SU"})


@dataclass(frozen=True, slots=True)
class Issue:
    """What one acknowledgement needs from us: its own control id and its time (aware)."""

    control_id: str
    at: datetime


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """What the findings make of a message: the worst that rejects, or ACCEPTED."""
    rejected = rejections(findings)
    if not rejected:
        return Verdict.ACCEPTED
    if any(finding.rule in UNREADABLE for finding in rejected):
        return Verdict.UNREADABLE
    if any(finding.condition.is_unsupported for finding in rejected):
        return Verdict.UNSUPPORTED
    return Verdict.ERROR


def accept_ack(
    header: Header, verdict: Verdict, findings: Sequence[Finding], issue: Issue
) -> bytes | None:
    """The accept ACK of enhanced mode, or None when MSH-15 does not ask for it.

    It says that the message is stored, so it leaves after the commit and not before.
    """
    if not header.is_enhanced:
        return None
    code = _ACCEPT[verdict]
    if not _wanted(header.part(15), code):
        return None
    told = findings if code is not Code.CA else ()
    return _built(header, code, _errors(verdict, told) if code is not Code.CA else (), issue)


def application_ack(
    header: Header,
    verdict: Verdict,
    findings: Sequence[Finding],
    issue: Issue,
    *,
    unsupported_as: UnsupportedAs = UnsupportedAs.AR,
    ask_accept: str = "",
) -> bytes | None:
    """The one ACK of original mode, or the application ACK of enhanced mode if it is wanted.

    `ask_accept` becomes its own MSH-15: an application ACK may ask for an accept ACK. None
    means that nothing is sent: an ACK is never answered so.
    """
    code = _ORIGINAL[verdict]
    if verdict is Verdict.UNSUPPORTED:
        code = Code(unsupported_as.value)
    if header.is_ack or not _application_wanted(header, verdict, code):
        return None
    return _built(header, code, _errors(verdict, findings), issue, ask_accept)


def code_of(ack: bytes) -> str:
    """MSA-1 of an acknowledgement built here; "" of none."""
    start = ack.find(b"\rMSA")
    return ack[start + 5 : start + 7].decode("ascii") if start >= 0 else ""


def _application_wanted(header: Header, verdict: Verdict, code: Code) -> bool:
    if not header.is_enhanced:
        return True
    if verdict in _TOLD_AT_ACCEPT and _wanted(header.part(15), _ACCEPT[verdict]):
        return False
    return _wanted(header.part(16), code)


def _wanted(condition: str, code: Code) -> bool:
    """Whether a condition of HL70155 asks for this code; one that is not known means AL."""
    if not condition:
        return False
    if condition not in _WANTS or condition == "AL":
        return True
    if condition == "NE":
        return False
    return (code in _POSITIVE) == (condition == "SU")


def _errors(verdict: Verdict, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings to tell: a negative answer always has at least one."""
    if verdict is Verdict.ACCEPTED:
        return ()
    return rejections(findings)[:MOST_ERRORS] or (_SELF_MADE[verdict],)


def _built(
    header: Header, code: Code, errors: Sequence[Finding], issue: Issue, ask_accept: str = ""
) -> bytes:
    """The segments of an ACK, each ended by CR."""
    is_old = _is_before_2_5(header)
    lines = [_msh(header, issue, ask_accept), _msa(header, code, errors, is_old=is_old)]
    lines += [_old_err(header, errors)] if is_old and errors else []
    lines += [] if is_old else [_err(header, error) for error in errors]
    return b"".join(line.rstrip(header.separator) + b"\r" for line in lines)


def _msh(header: Header, issue: Issue, ask_accept: str) -> bytes:
    component = header.component_separator
    event = header.echo(9).split(header.repetition_separator)[0].split(component)[1:2]
    kind = component.join([b"ACK", event[0], b"ACK"]) if event and event[0] else b"ACK"
    fields = [
        b"MSH",
        header.encoding,
        *(header.echo(number) for number in (5, 6, 3, 4)),
        _time(header, issue.at),
        b"",
        kind,
        issue.control_id.encode("ascii", "replace"),
        header.echo(11) or b"P",
        header.echo(12) or b"2.5",
        b"",
        b"",
        ask_accept.encode("ascii", "replace"),
        b"",
        header.echo(17),
        header.echo(18),
    ]
    return header.separator.join(fields)


def _time(header: Header, at: datetime) -> bytes:
    """A time; without its zone where the sign of that would end the field or a part of it."""
    moment, zone = at.strftime("%Y%m%d%H%M%S").encode(), at.strftime("%z").encode()
    ending = header.separator + header.component_separator + header.repetition_separator
    return moment if zone[:1] in ending else moment + zone


def _msa(header: Header, code: Code, errors: Sequence[Finding], *, is_old: bool) -> bytes:
    words = _escaped(header, errors[0].condition.text) if is_old and errors else b""
    return header.separator.join([b"MSA", code.value.encode(), header.echo(10), words])


def _err(header: Header, error: Finding) -> bytes:
    """ERR since v2.5: one segment an error, ERR-7 always empty."""
    component = header.component_separator
    place = (error.place or _MESSAGE).joined(component.decode()).encode()
    words = _escaped(header, _meaning(error))
    told = component.join(_coded(header, error.condition))
    application = component.join([_escaped(header, error.rule), b"", b"medhub"])
    fields = [b"ERR", b"", place, told, b"E", application, b"", b"", words]
    return header.separator.join(fields)


def _old_err(header: Header, errors: Sequence[Finding]) -> bytes:
    """ERR before v2.5: one segment, ERR-1 repeating segment^sequence^field^code."""
    component = header.component_separator
    inner = header.encoding[3:4] or b"&"
    told = []
    for error in errors:
        place = error.place or _MESSAGE
        where = [place.segment, str(place.sequence), str(place.field or "")]
        code = inner.join(_coded(header, error.condition))
        told.append(component.join([*(part.encode() for part in where), code]))
    return header.separator.join([b"ERR", header.repetition_separator.join(told)])


def _meaning(error: Finding) -> str:
    """The rule in words, and the limit it is about."""
    rule = RULES.get(error.rule)
    words = rule.meaning if rule else MEANINGS.get(error.rule, error.condition.text)
    return f"{words} At most {error.limit} bytes are taken." if error.limit else words


def _coded(header: Header, condition: Condition) -> list[bytes]:
    words = _escaped(header, condition.text)
    return [str(condition.value).encode(), words, b"HL70357"]


def _escaped(header: Header, words: str) -> bytes:
    """Our own words, without any sign that delimits in this message."""
    signs = header.separator + header.encoding
    return bytes(sign if sign not in signs else 0x20 for sign in words.encode("ascii", "replace"))


def _is_before_2_5(header: Header) -> bool:
    """Whether ERR has its old form; a version that cannot be read counts as the new one."""
    return header.part(12) in {"2.1", "2.2", "2.3", "2.3.1", "2.4"}
