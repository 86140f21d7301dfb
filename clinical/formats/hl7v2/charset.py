"""From bytes to text: the charset is read in MSH-18, then checked against the bytes.

ISO 8859 decodes anything, so that a message decoded proves nothing. Valid multi-byte UTF-8
inside declared ISO 8859, or bytes 0x80 to 0x9F (which are really windows-1252), are findings.
"""

from dataclasses import dataclass
from typing import Final

from clinical.domain.hl7_findings import Finding, Place
from clinical.formats.hl7v2.header import BOM, Header
from clinical.formats.hl7v2.rules import Checks, Policy, Profile

UTF8: Final = "utf-8"
ASCII: Final = "ascii"
WINDOWS_1252: Final = "windows-1252"

_ISO_8859: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "15")
# HL70211, then the spellings met in the field; compared in capitals.
_CODECS: Final = {
    "ASCII": ASCII,
    "US-ASCII": ASCII,
    "UNICODE UTF-8": UTF8,
    "UTF-8": UTF8,
    "UTF8": UTF8,
    "WINDOWS-1252": WINDOWS_1252,
    "CP1252": WINDOWS_1252,
    "LATIN1": "iso8859-1",
    "LATIN-1": "iso8859-1",
    **{f"8859/{part}": f"iso8859-{part}" for part in _ISO_8859},
    **{f"ISO-8859-{part}": f"iso8859-{part}" for part in _ISO_8859},
    **{f"ISO8859-{part}": f"iso8859-{part}" for part in _ISO_8859},
    **{f"ISO 8859-{part}": f"iso8859-{part}" for part in _ISO_8859},
}
_WIDE: Final = frozenset({"UNICODE", "UNICODE UTF-16", "UNICODE UTF-32", "UTF-16", "UTF-32"})
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"M\x00S", b"\x00M\x00S", b"\x00\x00\x00M")

_MSH_18: Final = Place("MSH", 1, 18)
# What windows-1252 puts where ISO 8859 has C1 controls; five of its places are empty.
_WINDOWS: Final = {
    byte: bytes([byte]).decode(WINDOWS_1252)
    for byte in range(0x80, 0xA0)
    if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def is_known(label: str) -> bool:
    """Whether messages can be read in the charset of this name, as MSH-18 spells it."""
    return label.upper() in _CODECS


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a message, or None when a finding rejects it; `charset` is what was used."""

    text: str | None
    charset: str
    findings: tuple[Finding, ...]


def decode(raw: bytes, header: Header, profile: Profile, *, fallback: str = "") -> Decoded:
    """Decode a message by its MSH-18, as the profile's charset rules allow.

    A message that declares none is UTF-8 if its bytes are valid UTF-8, else of the endpoint's
    `fallback` (spelt as MSH-18 spells it), else windows-1252.
    """
    checks = Checks(profile)
    codec = _declared(raw, header, checks)
    text = None
    if not checks.have_rejected():
        body = raw.removeprefix(BOM)
        codec, text = _decoded(body, codec, checks, codec_of(fallback))
    return Decoded(None if checks.have_rejected() else text, codec, checks.findings)


def legible(raw: bytes, *, fallback: str = "") -> str:
    """What can be read of bytes that are not taken as a message, whatever they declare.

    NUL is left out: it may not stand in a message, and is every other byte of one in UTF-16.
    """
    for mark in _WIDE_MARKS[:2]:
        raw = raw.removeprefix(mark)
    return _guessed(raw.replace(b"\x00", b"").removeprefix(BOM), codec_of(fallback))[1]


def codec_of(label: str) -> str:
    """The codec of a charset as MSH-18 spells it, or "" when it is not known."""
    return _CODECS.get(label.strip().upper(), "")


def _declared(raw: bytes, header: Header, checks: Checks) -> str:
    """The codec to try first, or "" when nothing says which."""
    if raw.startswith(_WIDE_MARKS):
        checks.broken("charset.utf16")
        return ""
    labels = [label for label in _labels(header) if label]
    if len(labels) > 1 or (labels and labels[0].startswith("ISO IR")):
        checks.broken("charset.switching", _MSH_18)
        return ""
    label = labels[0] if labels else ""
    if label in _WIDE:
        checks.broken("charset.utf16", _MSH_18)
        return ""
    if label and label not in _CODECS:
        checks.broken("charset.unknown", _MSH_18)
        return ""
    if not label and raw.startswith(BOM):
        return UTF8
    return codec_of(label)


def _labels(header: Header) -> list[str]:
    declared = header.field(18)
    if not declared:
        return []
    repetitions = declared.split(header.repetition_separator)
    firsts = (repetition.split(header.component_separator)[0] for repetition in repetitions)
    return [first.decode("ascii", "replace").strip().upper() for first in firsts]


def _decoded(body: bytes, codec: str, checks: Checks, fallback: str) -> tuple[str, str]:
    """The codec that was used in the end, and the text."""
    if not codec:
        return _guessed(body, fallback)
    if codec in {UTF8, ASCII}:
        try:
            return codec, body.decode(codec)
        except UnicodeDecodeError:
            checks.broken("charset.ascii" if codec is ASCII else "charset.undecodable", _MSH_18)
            return _guessed(body, fallback)
    return _single_byte(body, codec, checks)


def _guessed(body: bytes, fallback: str) -> tuple[str, str]:
    """UTF-8 if the bytes are, else the endpoint's fallback, else what never fails."""
    for codec in (UTF8, fallback):
        if codec and codec != WINDOWS_1252:
            try:
                return codec, body.decode(codec)
            except UnicodeDecodeError:
                continue
    return WINDOWS_1252, body.decode("latin-1").translate(_WINDOWS)


def _single_byte(body: bytes, codec: str, checks: Checks) -> tuple[str, str]:
    high = body.translate(None, bytes(range(0x80)))
    if not high:
        return codec, body.decode(ASCII)
    if _is_utf8(body) and checks.broken("charset.utf8-undeclared", _MSH_18) is not Policy.OFF:
        return UTF8, body.decode(UTF8)
    if codec == WINDOWS_1252:
        return codec, body.decode("latin-1").translate(_WINDOWS)
    has_controls = min(high) < 0xA0
    windows = has_controls and checks.broken("charset.windows-1252", _MSH_18) is not Policy.OFF
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        # Parts 3, 6, 7 and 8 have holes: such a byte shows that the declaration is wrong.
        checks.broken("charset.undecodable", _MSH_18)
        return WINDOWS_1252, body.decode("latin-1").translate(_WINDOWS)
    return codec, text.translate(_WINDOWS) if windows else text


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True
