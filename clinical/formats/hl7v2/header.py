"""MSH read from raw bytes: what must be known before a message is decoded, or if it never is.

Reading cannot fail. Whatever is not there is empty, so an ACK can be built for three bytes.
"""

from dataclasses import dataclass
from typing import Final

BOM: Final = b"\xef\xbb\xbf"
# Longer header fields are cut before they are echoed; the rule msh.field-length refuses them.
ECHOED: Final = 250
# No MSH comes near this; a body without terminators must not be taken for a header.
_LONGEST: Final = 16 * 1024

DEFAULT_SEPARATOR: Final = b"|"
DEFAULT_ENCODING: Final = b"^~\\&"
_WORDS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
# Bytes that would break the frame or the lines of an answer.
_UNSAFE: Final = bytes(range(0x20)) + b"\x7f"


def are_delimiters(separator: bytes, encoding: bytes) -> bool:
    """Whether MSH-1 and MSH-2 can delimit: 1 to 5 distinct printable signs of ASCII."""
    signs = separator + encoding
    return (
        1 <= len(encoding) <= 5
        and len(set(signs)) == len(signs)
        and all(0x20 < sign < 0x7F and sign not in _WORDS for sign in signs)
    )


def text_of(field: bytes) -> str:
    """A field as text, whatever the message declares: the same bytes always give the same text."""
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")


def begin(raw: bytes) -> int:
    """Where the message begins: after a byte order mark and blank lines."""
    start = len(BOM) if raw.startswith(BOM) else 0
    while start < len(raw) and raw[start] in b"\r\n":
        start += 1
    return start


@dataclass(frozen=True)
class Header:
    """The fields of MSH as bytes. `fields[0]` is MSH-3; MSH-1 and MSH-2 have their own names."""

    separator: bytes
    encoding: bytes
    fields: tuple[bytes, ...]
    usable: bool

    @classmethod
    def of(cls, raw: bytes) -> "Header":
        """Read the header of a message, whatever its bytes are."""
        line = _first_line(raw)
        separator = line[3:4]
        encoding, *fields = line[4:].split(separator) if separator else [b""]
        if line[:3] == b"MSH" and are_delimiters(separator, encoding):
            return cls(separator, encoding, tuple(fields), usable=True)
        # A header without usable delimiters still often has readable fields.
        readable = tuple(fields) if line[:4] == b"MSH|" else ()
        return cls(DEFAULT_SEPARATOR, DEFAULT_ENCODING, readable, usable=False)

    def field(self, number: int) -> bytes:
        """MSH-`number` (from 3), or b"" when the header ends before it."""
        index = number - 3
        return self.fields[index] if index < len(self.fields) else b""

    def echo(self, number: int) -> bytes:
        """MSH-`number` as it may be sent back: verbatim, but bounded and on one line."""
        field = self.field(number)
        return field[:ECHOED].translate(None, _UNSAFE) if field else b""

    def text(self, number: int) -> str:
        """MSH-`number` as text that can be kept, of any message: bounded, on one line."""
        return text_of(self.echo(number))

    def part(self, number: int, component: int = 1) -> str:
        """A component of the first repetition of MSH-`number`, as ASCII; "" if it is not there."""
        field = self.echo(number)
        if not field:
            return ""
        parts = field.partition(self.repetition_separator)[0].split(self.component_separator)
        chosen = parts[component - 1] if component <= len(parts) else b""
        return chosen.decode("ascii", "replace").strip()

    @property
    def component_separator(self) -> bytes:
        """The first sign of MSH-2."""
        return self.encoding[:1]

    @property
    def repetition_separator(self) -> bytes:
        """The second sign of MSH-2; `~` when it was left out."""
        return self.encoding[1:2] or b"~"

    @property
    def type(self) -> str:
        """MSH-9.1: ADT, ORU, ACK…"""
        return self.part(9)

    @property
    def event(self) -> str:
        """MSH-9.2: A01, R01…"""
        return self.part(9, 2)

    @property
    def control_id(self) -> str:
        """MSH-10 as text (the ACK echoes its bytes)."""
        return self.text(10)

    @property
    def is_ack(self) -> bool:
        """Whether the message is itself an acknowledgement, which is not acknowledged again."""
        return self.type in {"ACK", "MCF"}

    @property
    def is_enhanced(self) -> bool:
        """Whether the sender asks for enhanced mode: MSH-15 or MSH-16 is valued."""
        return bool(self.part(15) or self.part(16))


def _first_line(raw: bytes) -> bytes:
    start = begin(raw)
    line = raw[start : start + _LONGEST]
    return line.partition(b"\r")[0].partition(b"\n")[0]
