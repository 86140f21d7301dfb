"""Readers of HL7 data types (CX, XCN, CWE, TS…) that note what is wrong and carry on."""

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from clinical.domain.hl7 import Coded, Identifier, Issuer, Location, Practitioner
from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, ERASE, Moment, PartialDate, State, Unvalued
from clinical.domain.ins import TenantKind
from clinical.formats.hl7v2.message import NULL, Components, Segment
from clinical.formats.hl7v2.rules import GENERIC, Checks, Profile
from clinical.formats.hl7v2.times import Untimely, date_of, moment_of
from core.texts import has_controls

PARIS: Final = ZoneInfo("Europe/Paris")
# Longer names, codes and identifiers are accidents, and would not fit the rows or an index.
LONGEST_TEXT: Final = 250
# A person known to every hospital of a region has some tens of numbers.
MOST_IDENTIFIERS: Final = 100
# ANS: the authority of identifiers of health professionals, and the digit it puts before RPPS.
PROFESSIONALS: Final = "1.2.250.1.71.4.2.1"
_RPPS: Final = re.compile(r"[0-9]{11}", re.ASCII)
_PREFIXED_RPPS: Final = re.compile(r"8([0-9]{11})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an endpoint fixes: its rules, the zone of times without offset, its charset.

    `charset` is spelt as MSH-18 spells it; it is for messages that declare none and are not
    UTF-8, and "" means windows-1252.
    """

    profile: Profile = GENERIC
    zone: tzinfo = PARIS
    tenant: TenantKind = TenantKind.PRODUCTION
    charset: str = ""


class Reader:
    """Reads the fields of one message; what is wrong ends in `checks`."""

    def __init__(self, terms: Terms, checks: Checks) -> None:
        self.terms: Final = terms
        self.checks: Final = checks

    def state(self, components: Components, number: int, place: Place) -> State[str]:
        """A leaf of bounded length in its three states, without the spaces around it."""
        value = components.value(number)
        if isinstance(value, Unvalued):
            return value
        return self._bounded(value.strip(), place) or ABSENT

    def name(self, components: Components, number: int, place: Place) -> State[str]:
        """A leaf that names somebody; one with control characters is a finding, and changes
        nothing: without them it could be another name.
        """
        value = self.state(components, number, place)
        if isinstance(value, Unvalued) or not has_controls(value):
            return value
        self.checks.broken("message.controls", place)
        return ABSENT

    def words(self, components: Components, number: int, place: Place) -> str:
        """A leaf of bounded length, "" when absent or erased."""
        text = components.text(number)
        return self._bounded(text.strip(), place) if text else ""

    def field(self, segment: Segment, number: int) -> State[str]:
        """The first leaf of a field in its three states."""
        if not segment.field(number):
            return ABSENT
        return self.state(segment.first(number), 1, segment.place(number))

    def text(self, segment: Segment, number: int) -> str:
        """The first leaf of a field, "" when absent or erased."""
        if not segment.field(number):
            return ""
        return self.words(segment.first(number), 1, segment.place(number))

    def codes(self, segment: Segment, number: int) -> State[tuple[str, ...]]:
        """The first leaf of each repetition of a field."""
        if segment.field(number) == NULL:
            return ERASE
        place = segment.place(number)
        codes = (self.words(each, 1, place) for each in segment.each(number))
        return tuple(code for code in codes if code) or ABSENT

    def moment(self, segment: Segment, number: int) -> State[Moment]:
        """A time; one that cannot be read is a finding, and changes nothing."""
        text = segment.first(number).value(1) if segment.field(number) else ABSENT
        if isinstance(text, Unvalued):
            return text
        try:
            return moment_of(text, self.terms.zone)
        except Untimely as fault:
            self.checks.broken(fault.rule, segment.place(number))
            return ABSENT

    def date(self, components: Components, number: int, place: Place) -> State[PartialDate]:
        """A date; one that cannot be read is a finding, and changes nothing."""
        text = components.value(number)
        if isinstance(text, Unvalued):
            return text
        try:
            return date_of(text)
        except Untimely as fault:
            self.checks.broken(fault.rule, place)
            return ABSENT

    def issuer(self, components: Components, number: int, place: Place) -> Issuer:
        """An HD standing in a component."""
        if not components.component(number):
            return Issuer()
        inner = components.inner(number)
        return Issuer(*(self.words(inner, part, place) for part in (1, 2, 3)))

    def identifiers(self, segment: Segment, number: int) -> tuple[Identifier, ...]:
        """The CX of each repetition; one without a value, or with control characters, is a finding
        and is left out.
        """
        found = []
        for repetition, components in enumerate(segment.each(number), start=1):
            place = segment.place(number, repetition)
            if repetition > MOST_IDENTIFIERS:
                self.checks.broken("cx.count", place)
                break
            if not self.words(components, 1, place):
                self.checks.broken("cx.value", place)
                continue
            identifier = self._identifier(components, place)
            issuer = identifier.issuer
            if has_controls(identifier.value + issuer.namespace + issuer.oid):
                self.checks.broken("message.controls", place)
                continue
            found.append(identifier)
        return tuple(found)

    def identifier(self, segment: Segment, number: int) -> State[Identifier]:
        """The CX of a field that names one thing."""
        components = segment.first(number)
        if components.raw == NULL or components.component(1) == NULL:
            return ERASE
        place = segment.place(number)
        if not self.words(components, 1, place):
            return ABSENT
        return self._identifier(components, place, needs_issuer=False)

    def entities(self, segment: Segment, number: int) -> tuple[Identifier, ...]:
        """The EI of each repetition: a value, then its issuer in the same component row."""
        found = []
        for repetition, components in enumerate(segment.each(number), start=1):
            place = segment.place(number, repetition)
            value, *issuer = (self.words(components, part, place) for part in (1, 2, 3, 4))
            if value:
                found.append(Identifier(value, Issuer(*issuer)))
        return tuple(found)

    def practitioners(self, segment: Segment, number: int) -> State[tuple[Practitioner, ...]]:
        """The XCN of each repetition; those with neither id nor name are left out."""
        if segment.field(number) == NULL:
            return ERASE
        place = segment.place(number)
        each = (self._practitioner(components, place) for components in segment.each(number))
        return tuple(one for one in each if one.identifier.value or one.family) or ABSENT

    def location(self, segment: Segment, number: int) -> State[Location]:
        """A PL: unit, room, bed and facility."""
        if segment.field(number) == NULL:
            return ERASE
        place, components = segment.place(number), segment.first(number)
        unit, room, bed = (self.words(components, part, place) for part in (1, 2, 3))
        location = Location(unit, room, bed, self.issuer(components, 4, place))
        return ABSENT if location == Location() else location

    def coded(self, components: Components, place: Place) -> Coded:
        """A CE or CWE, in both its systems."""
        parts = range(1, min(len(components), 6) + 1)
        return Coded(*[self.words(components, part, place) for part in parts])

    def _bounded(self, text: str, place: Place) -> str:
        if len(text) > LONGEST_TEXT:
            self.checks.broken("message.text-length", place)
            return text[:LONGEST_TEXT]
        return text

    def _identifier(
        self, components: Components, place: Place, *, needs_issuer: bool = True
    ) -> Identifier:
        issuer = self.issuer(components, 4, place)
        if needs_issuer and issuer == Issuer():
            self.checks.broken("cx.issuer", place)
        valid_from, valid_until = (self._day(components, part, place) for part in (7, 8))
        value, kind = (self.words(components, part, place) for part in (1, 5))
        return Identifier(value, issuer, kind.upper(), valid_from, valid_until)

    def _day(self, components: Components, number: int, place: Place) -> PartialDate | None:
        day = self.date(components, number, place)
        return None if isinstance(day, Unvalued) else day

    def _practitioner(self, components: Components, place: Place) -> Practitioner:
        value, family, given, kind = (self.words(components, part, place) for part in (1, 2, 3, 13))
        issuer = self.issuer(components, 9, place)
        identifier = Identifier(value, issuer, kind.upper())
        return Practitioner(identifier, family, given, rpps_of(identifier))


def rpps_of(identifier: Identifier) -> str:
    """The RPPS number that an identifier is, or "" when it is none."""
    if identifier.type != "RPPS" and identifier.issuer.oid != PROFESSIONALS:
        return ""
    if identifier.type in {"RPPS", ""} and _RPPS.fullmatch(identifier.value):
        return identifier.value
    prefixed = _PREFIXED_RPPS.fullmatch(identifier.value)
    return prefixed.group(1) if prefixed else ""
