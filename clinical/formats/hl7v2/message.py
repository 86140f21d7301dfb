"""The lazy parser: a message is its text, cut into segments once and into fields on demand.

Nothing is built for what nobody asks, which is why it is fast and small, and why Z-segments
and segments of any other kind survive byte for byte. Delimiters come from the message;
escapes are undone at the leaves only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from clinical.domain.hl7_findings import Place
from clinical.domain.hl7_values import ABSENT, ERASE, State
from clinical.formats.hl7v2.escapes import unescaped
from clinical.formats.hl7v2.header import are_delimiters

_PATH: Final = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?", re.ASCII)
# The largest laboratory messages have some thousands of segments. Reading one takes some tens of
# microseconds, so that this many take about a second and no message stops a server for longer.
MOST_PARTS: Final = 50_000
# Segments whose first field is the separator itself, so that their numbers are one ahead.
_HEADERS: Final = frozenset({"MSH", "FHS", "BHS"})
# Stands for a delimiter that MSH-2 leaves out: a noncharacter of Unicode, in no message.
_NEVER: Final = "\uffff"
# The two characters that erase a field.
NULL: Final = '""'


class Unparsable(Exception):
    """The text is no HL7 v2 message; `rule` names the check that says so."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The signs of MSH-1 and MSH-2."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    def unescaped(self, leaf: str) -> str:
        """A leaf with its escapes undone."""
        if self.escape not in leaf:
            return leaf
        signs = (self.field, self.component, self.repetition, self.escape, self.subcomponent)
        return unescaped(leaf, self.escape, dict(zip("FSRET", signs, strict=True)))


def delimiters_of(text: str) -> Delimiters:
    """The delimiters of a normalised message. Raises Unparsable when they cannot delimit."""
    window = text[3:12].partition("\r")[0]
    separator = window[:1]
    delimiters = _delimiters(separator, window[1:].partition(separator)[0]) if window else None
    if delimiters is None:
        raise Unparsable("message.delimiters")
    return delimiters


@lru_cache(maxsize=64)
def _delimiters(separator: str, encoding: str) -> Delimiters | None:
    signs = separator + encoding
    if not signs.isascii() or not are_delimiters(separator.encode(), encoding.encode()):
        return None
    # A fifth sign, the truncation character of v2.7, splits nothing.
    return Delimiters(separator, *encoding[:4].ljust(4, _NEVER))


def normalized(text: str) -> str:
    """The text with CR after every segment, without byte order mark or blank lines before MSH.

    What ends MSH decides: after CR, a lone LF is text inside a field; after LF (as official
    French examples are written), CR ends segments too.
    """
    text = text.lstrip("\ufeff\r\n")
    if "\n" in text:
        first = re.search(r"[\r\n]", text)
        text = text.replace("\r\n", "\r")
        if first and first.group() == "\n" and _ends_segments(text, first.end()):
            text = text.replace("\n", "\r")
    if text.endswith("\r") and not text.endswith("\r\r"):
        return text
    return text.rstrip("\r") + "\r"


def _ends_segments(text: str, end: int) -> bool:
    """Whether the LF before `end` ends MSH: there is no CR, or a segment begins after it."""
    rest = text[end : end + 16].lstrip("\r\n")
    return "\r" not in text or (rest[:3].isalnum() and rest[3:4] == text[3:4])


@lru_cache(maxsize=1024)
def _path(path: str) -> tuple[str, int, int, int]:
    match = _PATH.fullmatch(path)
    if not match:
        raise ValueError(f"not a path: {path}")
    segment, field, component, subcomponent = match.groups()
    return segment, int(field), int(component or 1), int(subcomponent or 1)


class Segment:
    """One segment of a message; its fields are cut when first asked for."""

    __slots__ = ("_delimiters", "_fields", "name", "raw", "sequence")

    def __init__(self, raw: str, sequence: int, delimiters: Delimiters) -> None:
        """`sequence` counts the segments of this name in the message, from 1."""
        self.raw: Final = raw
        # A line of another form is kept, and has no name.
        self.name: Final = raw[:3] if raw[3:4] in {delimiters.field, ""} else ""
        self.sequence: Final = sequence
        self._delimiters: Final = delimiters
        self._fields: tuple[str, ...] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The raw fields, `fields[n]` being field n."""
        if self._fields is None:
            fields = tuple(self.raw.split(self._delimiters.field))
            if self.name in _HEADERS:
                fields = (fields[0], self._delimiters.field, *fields[1:])
            self._fields = fields
        return self._fields

    def field(self, number: int) -> str:
        """A field as it was sent, or "" when the segment ends before it."""
        fields = self._fields or self.fields
        return fields[number] if number < len(fields) else ""

    def repetitions(self, number: int) -> list[str]:
        """The repetitions of a field as they were sent; [] when the field is empty."""
        field = self.field(number)
        return field.split(self._delimiters.repetition) if field else []

    def components(self, repetition: str) -> "Components":
        """The components of a repetition (or of a field that does not repeat)."""
        return Components(repetition, self._delimiters)

    def first(self, number: int) -> "Components":
        """The components of a field's first repetition."""
        raw = self.field(number)
        if self._delimiters.repetition in raw:
            raw = raw.partition(self._delimiters.repetition)[0]
        return Components(raw, self._delimiters)

    def each(self, number: int) -> Iterator["Components"]:
        """The components of each repetition of a field."""
        for repetition in self.repetitions(number):
            yield Components(repetition, self._delimiters)

    def whole(self, text: str) -> str:
        """A raw text with its escapes undone, for fields that have no inner structure."""
        return self._delimiters.unescaped(text)

    def place(self, field: int = 0, repetition: int = 0, component: int = 0) -> Place:
        """This place, as ERR-2 says it."""
        return Place(self.name, self.sequence, field, repetition, component)


class Components:
    """The components of one repetition, counted from 1."""

    __slots__ = ("_delimiters", "_parts", "raw")

    def __init__(self, raw: str, delimiters: Delimiters) -> None:
        self.raw: Final = raw
        self._delimiters: Final = delimiters
        self._parts: Final = raw.split(delimiters.component)

    def __len__(self) -> int:
        """How many components there are; an empty repetition has one, which is empty."""
        return len(self._parts)

    def component(self, number: int) -> str:
        """A component as it was sent, or ""."""
        return self._parts[number - 1] if number <= len(self._parts) else ""

    def text(self, number: int, subcomponent: int = 1) -> str:
        """A leaf with its escapes undone; "" when it is absent or erased."""
        leaf = self._leaf(number, subcomponent)
        if not leaf or leaf == NULL:
            return ""
        return self._delimiters.unescaped(leaf)

    def value(self, number: int, subcomponent: int = 1) -> State[str]:
        """A leaf in its three states. A repetition that is `""` erases each of its leaves."""
        if self.raw == NULL:
            return ERASE
        leaf = self._leaf(number, subcomponent)
        if leaf == NULL:
            return ERASE
        return self._delimiters.unescaped(leaf) or ABSENT

    def inner(self, number: int) -> "Components":
        """The subcomponents of a component, read as components (HD inside CX)."""
        return Components(self.component(number), _within(self._delimiters))

    def _leaf(self, number: int, subcomponent: int) -> str:
        if number > len(self._parts):
            return ""
        component = self._parts[number - 1]
        if self._delimiters.subcomponent not in component:
            return component if subcomponent == 1 else ""
        parts = component.split(self._delimiters.subcomponent)
        return parts[subcomponent - 1] if subcomponent <= len(parts) else ""


@lru_cache(maxsize=64)
def _within(marks: Delimiters) -> Delimiters:
    """Delimiters one level down: subcomponents in the place of components."""
    return Delimiters(marks.field, marks.subcomponent, marks.repetition, marks.escape, _NEVER)


class Message:
    """A message: immutable, lazy, lossless. `source` ends every segment with CR."""

    __slots__ = ("_found", "_segments", "delimiters", "source")

    def __init__(self, text: str) -> None:
        """Take a decoded message. Raises Unparsable, and nothing else."""
        text = normalized(text)
        if not text.startswith("MSH"):
            raise Unparsable("message.header")
        delimiters = delimiters_of(text)
        if "\x00" in text:
            raise Unparsable("message.nul")
        if text.count("\r") + text.count(delimiters.repetition) > MOST_PARTS:
            raise Unparsable("message.parts")
        self.source: Final = text
        self.delimiters: Final = delimiters
        self._segments: tuple[Segment, ...] | None = None
        self._found: Final[dict[str, Segment]] = {}

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Every segment in order, unknown ones included; blank lines are none."""
        if self._segments is None:
            counts: dict[str, int] = {}
            segments = []
            for raw in self.source.split("\r"):
                if raw:
                    segment = Segment(raw, counts.get(raw[:3], 0) + 1, self.delimiters)
                    if segment.name:
                        counts[segment.name] = segment.sequence
                    segments.append(segment)
            self._segments = tuple(segments)
        return self._segments

    def encode(self, charset: str = "utf-8") -> bytes:
        """The message as bytes: those received, once their terminators are normalised."""
        return self.source.encode(charset)

    def segment(self, name: str, occurrence: int = 1) -> Segment | None:
        """The segment of a name and number, or None; the rest of the message stays uncut."""
        if occurrence != 1:
            return next((one for one in self.every(name) if one.sequence == occurrence), None)
        found = self._found.get(name)
        if found is None:
            start = self._start(name)
            if start < 0:
                return None
            end = self.source.index("\r", start)
            found = self._found[name] = Segment(self.source[start:end], 1, self.delimiters)
        return found

    def every(self, name: str) -> tuple[Segment, ...]:
        """All segments of a name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def raw(self, path: str, *, occurrence: int = 1) -> str:
        """The whole field of a path as it was sent: `raw("PID-3")`, repetitions and escapes in."""
        name, field, _, _ = _path(path)
        segment = self.segment(name, occurrence)
        return segment.field(field) if segment else ""

    def text(self, path: str, *, repetition: int = 1, occurrence: int = 1) -> str:
        """The leaf at a path (`PID-3.1`, `PID-3.4.2`), "" when absent; a level left out is 1."""
        components, component, subcomponent = self._at(path, repetition, occurrence)
        return components.text(component, subcomponent) if components else ""

    def value(self, path: str, *, repetition: int = 1, occurrence: int = 1) -> State[str]:
        """The leaf at a path in its three states."""
        components, component, subcomponent = self._at(path, repetition, occurrence)
        return components.value(component, subcomponent) if components else ABSENT

    def offset(self, path: str) -> int | None:
        """Where a path's field begins in `source`, in characters; None when it is not there.

        Of the first segment of its name.
        """
        name, number, _, _ = _path(path)
        segment, start = self.segment(name), self._start(name)
        if segment is None or not 0 < number < len(segment.fields):
            return None
        if name not in _HEADERS:
            return start + sum(len(field) + 1 for field in segment.fields[:number])
        # MSH-1 is the separator itself, so it is not followed by one.
        before = segment.fields[2:number]
        return start + 3 + (number > 1) + sum(len(field) + 1 for field in before)

    def _start(self, name: str) -> int:
        """Where the first segment of a name begins, or -1."""
        if name == "MSH":
            return 0
        ends = (self.delimiters.field, "\r")
        starts = [self.source.find(f"\r{name}{after}") for after in ends]
        return min((start + 1 for start in starts if start >= 0), default=-1)

    def _at(
        self, path: str, repetition: int, occurrence: int
    ) -> tuple[Components | None, int, int]:
        name, field, component, subcomponent = _path(path)
        segment = self.segment(name, occurrence)
        if segment is None:
            return None, component, subcomponent
        if name in _HEADERS and field <= 2:
            # Delimiters do not delimit themselves.
            return Components(segment.field(field), _WHOLE), component, subcomponent
        if repetition == 1:
            return segment.first(field), component, subcomponent
        repetitions = segment.repetitions(field)
        chosen = repetitions[repetition - 1] if 0 < repetition <= len(repetitions) else ""
        return segment.components(chosen), component, subcomponent


_WHOLE: Final = Delimiters(_NEVER, _NEVER, _NEVER, _NEVER, _NEVER)
