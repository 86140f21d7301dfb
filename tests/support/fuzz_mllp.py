"""HL7 messages and MLLP streams mutated where senders get them wrong."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.support.fuzz_values import CANARY
from tests.support.hl7_messages import ANNE, FRENCH, GENERIC, Person, adt, ipp, merge, oru

START, END = b"\x0b", b"\x1c\r"
_FIELDS = (
    "", '""', "^", "^^^^", "~", "&", "\\", "\\F\\", "\\X0D\\", "\\X", "\\H\\", "\\.br\\", "|", " ",
    "19800230", "99999999999999", "20260301101500+9999", "2026", "00000000", "1e999", "-1", "NaN",
    CANARY, CANARY * 200, "é" * 300, "\u0301", "\u200b", "\u00a0", "\ufdfa" * 80, "A01", "P", "T",
    "1^^^X&&ISO^PI", "1^^^&1.2.250.1.213.1.4.8&ISO^INS", "^^^CHU-X&1.2.250.1.999.1&ISO^PI",
    "A" * 70_000,
)  # fmt: skip
_CHARSETS = (
    "UNICODE UTF-8", "UNICODE", "8859/1", "8859/15", "ASCII", "ISO IR87", "UTF-16", "KLINGON", "",
    "UNICODE UTF-8~8859/1", "~",
)  # fmt: skip
_CODECS = ("utf-8", "latin-1", "utf-16", "utf-16-le", "cp1252", "utf-7", "cp037")


@dataclass(frozen=True)
class Sending:
    """What one sender puts on the wire, and the messages in it that must be stored."""

    pieces: tuple[bytes, ...]
    beacons: tuple[str, ...]
    told: str


def message(chance: random.Random, control_id: str) -> str:
    """A right message."""
    form = chance.choice((FRENCH, GENERIC))
    person = ANNE if chance.random() < 0.5 else _somebody(chance)
    kind = chance.choice(("A01", "A03", "A04", "A08", "A28", "A31", "A40", "ORU"))
    if kind == "A40":
        return merge(person, ipp(str(chance.randrange(50))), control_id=control_id, form=form)
    if kind == "ORU":
        return oru(person=person, control_id=control_id, form=form)
    accept, application = chance.choice((("", ""), ("", ""), ("AL", "NE"), ("NE", "AL")))
    return adt(
        kind, person, control_id=control_id, form=form, accept=accept, application=application
    )


def _somebody(chance: random.Random) -> Person:
    """One of fifty people."""
    return replace(ANNE, identifiers=(ipp(str(chance.randrange(50))),))


def beacon(control_id: str) -> bytes:
    """A message whose sender must hear AA, whatever stands around it."""
    return adt("A28", control_id=control_id).encode()


def mutated(chance: random.Random, text: str) -> tuple[bytes, str]:
    """A message changed at one or more of its levels, and how it is written."""
    told = []
    for _ in range(chance.choice((1, 1, 2, 4))):
        change = chance.choice(_CHANGES)
        text = change(chance, text)
        told.append(change.__name__.strip("_"))
    raw = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.2:
        codec = chance.choice(_CODECS)
        raw = text.encode(codec, "replace")
        told.append(codec)
    if chance.random() < 0.2:
        spoil = chance.choice(_SPOILS)
        raw = spoil(chance, raw)
        told.append(spoil.__name__.strip("_"))
    return raw, "+".join(told)


def _lines(text: str) -> list[str]:
    return text.split("\r")


def _drop_segment(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    del lines[chance.randrange(len(lines))]
    return "\r".join(lines)


def _repeat_segment(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    at = chance.randrange(len(lines))
    lines[at:at] = [lines[at]] * chance.choice((1, 2, 300))
    return "\r".join(lines)


def _shuffle_segments(chance: random.Random, text: str) -> str:
    head, *rest = _lines(text)
    chance.shuffle(rest)
    return "\r".join([head, *rest])


def _odd_segment(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    odd = chance.choice(("", "P", "PID", "ZZZ|1", "|||", f"{CANARY}|x", "MSH|^~\\&|", "MSA|AA|1"))
    lines.insert(chance.randrange(len(lines)), odd)
    return "\r".join(lines)


def _field(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    at = chance.randrange(len(lines))
    fields = lines[at].split("|")
    fields[chance.randrange(len(fields))] = chance.choice(_FIELDS)
    lines[at] = "|".join(fields)
    return "\r".join(lines)


def _component(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    at = chance.randrange(len(lines))
    parts = lines[at].split("^")
    parts[chance.randrange(len(parts))] = chance.choice(_FIELDS)
    lines[at] = "^".join(parts)
    return "\r".join(lines)


def _identifier(chance: random.Random, text: str) -> str:
    """Another patient number, of those that numbers should not be."""
    value = chance.choice((
        " ", "\u00a0", "1" * 1025, "\ufdfa" * 90, "\u03b9\u0308\u0301", CANARY, "1\\T\\2",
    ))  # fmt: skip
    return text.replace("100001", value)


def _delimiters(chance: random.Random, text: str) -> str:
    return text.replace(
        "|^~\\&", chance.choice(("|^~\\&#", "|^", "|", "||||", "|^^~&", "^~\\&|")), 1
    )


def _other_delimiters(chance: random.Random, text: str) -> str:
    swaps = str.maketrans("|^~", chance.choice(("#@!", "$*+", "^|~", "ab~")))
    return text.translate(swaps)


def _terminators(chance: random.Random, text: str) -> str:
    return text.replace("\r", chance.choice(("\n", "\r\n", "\r\r", "\n\r", "", "\x85")))


def _charset(chance: random.Random, text: str) -> str:
    lines = _lines(text)
    fields = lines[0].split("|")
    fields += [""] * (18 - len(fields))
    fields[17] = chance.choice(_CHARSETS)
    return "\r".join(["|".join(fields), *lines[1:]])


_CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    _drop_segment, _repeat_segment, _shuffle_segments, _odd_segment, _field, _field, _field,
    _component, _component, _identifier, _delimiters, _other_delimiters, _terminators, _charset,
)  # fmt: skip


def _cut(chance: random.Random, raw: bytes) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _flip(chance: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw or b"\0")
    for _ in range(chance.choice((1, 3, 20))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(chance: random.Random, raw: bytes) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return (
        raw[:at] + chance.choice((b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x0b", b"\x1c")) + raw[at:]
    )


_SPOILS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_cut, _flip, _insert)
_BETWEEN = (
    b"",
    b"",
    b"",
    b"\r\n",
    b"\0\0\0",
    b"garbage",
    b"\x0b\x1c\r",
    b"\x1c\r",
    b"\x0bMSH|half",
)


def sending(chance: random.Random, name: str) -> Sending:
    """Some messages, right and wrong, with things between them, in pieces of any size."""
    stream, beacons, told = bytearray(), [], []
    for index in range(chance.randrange(2, 8)):
        between = chance.choice(_BETWEEN)
        stream += between
        if chance.random() < 0.3:
            beacons.append(f"{name}B{index}")
            stream += START + beacon(beacons[-1]) + END
            continue
        raw, how = mutated(chance, message(chance, f"{name}M{index}"))
        # An end block inside would make two frames of it.
        stream += START + raw.replace(END, b"") + chance.choice((END, END, END, b"\x1c\n", b"\x1c"))
        told.append(f"{between!r} {how}")
    beacons.append(f"{name}B")
    stream += START + beacon(beacons[-1]) + END
    return Sending(tuple(_split(chance, bytes(stream))), tuple(beacons), "; ".join(told))


def _split(chance: random.Random, stream: bytes) -> Sequence[bytes]:
    """The stream in pieces: whole, at a few places, or byte by byte at its end."""
    cuts = sorted({chance.randrange(len(stream)) for _ in range(chance.choice((0, 1, 3, 12)))})
    if chance.random() < 0.2:
        cuts = [*cuts, *range(max(len(stream) - 40, 0), len(stream))]
    ends = [*sorted(set(cuts)), len(stream)]
    return [stream[a:b] for a, b in zip([0, *ends], ends, strict=False)]
