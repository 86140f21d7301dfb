"""A received message, from its bytes to what it means: the order in which things are checked."""

import re
from dataclasses import dataclass, replace
from typing import Final

from clinical.domain.hl7 import Content, Identifier, PatientIdentity, Trigger
from clinical.domain.hl7_findings import Finding, Place
from clinical.formats.hl7v2.ack import Verdict, verdict_of
from clinical.formats.hl7v2.adt import read_event, read_merges
from clinical.formats.hl7v2.charset import decode, legible
from clinical.formats.hl7v2.framing import DEFAULT_LIMIT
from clinical.formats.hl7v2.header import ECHOED, Header
from clinical.formats.hl7v2.identity import identity_of
from clinical.formats.hl7v2.message import Message, Segment, Unparsable
from clinical.formats.hl7v2.oru import read_results
from clinical.formats.hl7v2.reader import Reader, Terms
from clinical.formats.hl7v2.rules import GENERIC, Checks

_TYPES: Final = {"ADT": frozenset(Trigger) - {Trigger.RESULTS}, "ORU": frozenset({Trigger.RESULTS})}
_TRIGGERS: Final = {trigger.value: trigger for trigger in Trigger}
_ASKED: Final = frozenset({"", "AL", "NE", "ER", "SU"})
# HL70103: debugging and training. Senders of twenty years ago write them in production too.
_NOT_PRODUCTION: Final = frozenset({"D", "T"})
_NAMING: Final = {"PID": (2, 3), "MRG": (1,)}
# Persons are looked for in the first 48 Ki characters, which hold no more parts than a message may
# have, and eight of them are looked up: who fills a message with others must not stop a server.
_LOOKED_THROUGH: Final = 48 * 1024
_MOST_PERSONS: Final = 8
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message is, before its content is read: enough to keep it and to say so.

    `message` is None when the bytes are no message. `trigger` is None then too, and for an ACK or
    an event that is not supported: there is no content to read.
    """

    header: Header
    charset: str
    message: Message | None
    trigger: Trigger | None
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """What is known against the message so far."""
        return verdict_of(self.findings)

    @property
    def names(self) -> tuple[Identifier, ...]:
        """Every number that it names a patient by (PID-2, PID-3, MRG-1), noted nowhere."""
        if self.message is None:
            return ()
        reader = Reader(Terms(), Checks(GENERIC))
        return tuple(
            identifier
            for segment in self.message.segments
            for number in _NAMING.get(segment.name, ())
            for identifier in reader.identifiers(segment, number)
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a message's bytes.

    `message` is None when the bytes are no message; `content` is None then too, and when the
    message is an ACK or a finding rejects it before it is read. `charset` is what was used.
    `findings` are all of them, `content_findings` those that the envelope does not have.
    """

    header: Header
    charset: str
    message: Message | None
    content: Content | None
    findings: tuple[Finding, ...]
    content_findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What the findings alone say; the caller may still fail to store or to apply it."""
        return verdict_of(self.findings)


def read(raw: bytes, terms: Terms) -> Reading:
    """Read a message. Nothing raises: whatever is wrong with the bytes is a finding."""
    envelope = open_envelope(raw, terms)
    checks = Checks(terms.profile)
    checks.add(envelope.findings)
    content = None
    if envelope.message is not None and envelope.trigger is not None:
        content = _content(envelope.message, envelope.trigger, terms, checks)
    known = len(envelope.findings)
    return Reading(
        envelope.header,
        envelope.charset,
        envelope.message,
        content,
        checks.findings,
        checks.findings[known:],
    )


def open_envelope(raw: bytes, terms: Terms) -> Envelope:
    """Read what stands around the content. Nothing raises, as in `read`."""
    header = Header.of(raw)
    checks = Checks(terms.profile)
    if len(raw) > DEFAULT_LIMIT:
        checks.broken("message.size", limit=DEFAULT_LIMIT)
        return Envelope(header, "", None, None, checks.findings)
    decoded = decode(raw, header, terms.profile, fallback=terms.charset)
    checks.add(decoded.findings)
    message = _parsed(decoded.text, checks) if decoded.text is not None else None
    trigger = None
    if message is not None:
        _check_shape(message, checks)
        _check_header(header, terms, checks)
        trigger = None if header.is_ack else _trigger(header, checks)
    return Envelope(header, decoded.charset, message, trigger, checks.findings)


def persons_in(raw: bytes, terms: Terms) -> tuple[PatientIdentity, ...]:
    """Whom bytes name that are not taken as a message, as far as they can be read at all.

    The patients of PID come before those of MRG. Nothing raises.
    """
    text = legible(raw, fallback=terms.charset)
    try:
        message = Message(text[max(text.find("MSH"), 0) :][:_LOOKED_THROUGH])
    except Unparsable:
        return ()
    reader = Reader(terms, Checks(GENERIC))
    named = (*message.every("PID"), *message.every("MRG"))
    return tuple(_person(reader, segment) for segment in named[:_MOST_PERSONS])


def _person(reader: Reader, segment: Segment) -> PatientIdentity:
    """Everybody's numbers; the traits that an INS needs beside it are in PID alone."""
    numbers = [one for field in _NAMING[segment.name] for one in reader.identifiers(segment, field)]
    if segment.name != "PID":
        return PatientIdentity(identifiers=tuple(numbers))
    return replace(identity_of(reader, segment), identifiers=tuple(numbers))


def _parsed(text: str, checks: Checks) -> Message | None:
    """The message, or None and a finding that rejects."""
    try:
        return Message(text)
    except Unparsable as fault:
        checks.broken(fault.rule)
        return None


def _content(message: Message, trigger: Trigger, terms: Terms, checks: Checks) -> Content | None:
    if checks.have_rejected():
        return None
    content = _read_by(trigger, message, Reader(terms, checks))
    return None if checks.have_rejected() else content


def _read_by(trigger: Trigger, message: Message, reader: Reader) -> Content | None:
    if trigger is Trigger.RESULTS:
        return read_results(message, reader)
    if trigger is Trigger.MERGE:
        return read_merges(message, reader)
    return read_event(message, reader, trigger)


def _trigger(header: Header, checks: Checks) -> Trigger | None:
    """The event, if it is supported."""
    events = _TYPES.get(header.type)
    if events is None:
        checks.broken("msh9.type", Place("MSH", 1, 9, 1, 1))
        return None
    trigger = _TRIGGERS.get(header.event)
    if trigger not in events:
        checks.broken("msh9.event", Place("MSH", 1, 9, 1, 2))
        return None
    return trigger


def _check_header(header: Header, terms: Terms, checks: Checks) -> None:
    profile = terms.profile
    for number in range(3, 13):
        if len(header.field(number)) > ECHOED:
            checks.broken("msh.field-length", Place("MSH", 1, number))
    if not header.field(10).strip():
        checks.broken("msh10.required", Place("MSH", 1, 10))
    _check_in(header, 11, profile.processing_ids, checks)
    if header.part(11) in _NOT_PRODUCTION:
        checks.broken("msh11.production", Place("MSH", 1, 11))
    _check_in(header, 12, profile.versions, checks)
    for number in (15, 16):
        if header.part(number) not in _ASKED:
            checks.broken("msh15.table", Place("MSH", 1, number))


def _check_in(header: Header, number: int, allowed: frozenset[str], checks: Checks) -> None:
    """MSH-11 and MSH-12: absent is one rule, not allowed another."""
    value, place = header.part(number), Place("MSH", 1, number)
    if not value:
        checks.broken(f"msh{number}.required", place)
    elif value not in allowed:
        checks.broken(f"msh{number}.supported", place)


def _check_shape(message: Message, checks: Checks) -> None:
    """Lines that are no segments: a sign of mixed terminators, or of text with line breaks."""
    separator = message.delimiters.field
    if "\n" in message.source and _swallowed(separator).search(message.source):
        checks.broken("message.terminators")
    for segment in message.segments:
        if not _NAME.fullmatch(segment.name):
            # Without a place: what stands there may be a patient's words.
            checks.broken("message.segment-name")
            return


def _swallowed(separator: str) -> re.Pattern[str]:
    """A segment that follows a line feed where CR ends segments: it was read as text."""
    return re.compile(f"\n[A-Z][A-Z0-9]{{2}}{re.escape(separator)}")
