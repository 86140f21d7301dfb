"""Messages mutated where their descriptors say that something can stand."""

import random
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from core.rpc.limits import READ_MESSAGE_BYTES
from tests.support.fuzz_values import BROKEN_UTF8, MANY, NO_UTF8, Words, scalar

# Deeper than any message of the contract, and than protobuf reads.
NESTED = 200
_DEPTH = 6


def mutated(chance: random.Random, message: Message, words: Words) -> str:
    """Change one thing in a message; tells what, without the value."""
    here, path = _somewhere(chance, message)
    fields = here.DESCRIPTOR.fields
    if not fields:
        return "nothing: it has no fields"
    described = chance.choice(fields)
    path = f"{path}{described.name}"
    if described.is_repeated:
        return f"{path} {_repeat(chance, here, described, words)}"
    if chance.random() < 0.2:
        here.ClearField(described.name)
        return f"{path} cleared"
    if described.message_type is not None:
        getattr(here, described.name).SetInParent()
        return f"{path} present"
    value = scalar(chance, described, words)
    if isinstance(here, FieldMask):
        value = _mask(chance, here, words)
    setattr(here, described.name, value)
    return f"{path} = {_short(value)}"


def _somewhere(chance: random.Random, message: Message) -> tuple[Any, str]:
    """A message in the message, made on the way where there is none."""
    here: Any = message
    path = ""
    for _ in range(_DEPTH):
        inner = [f for f in here.DESCRIPTOR.fields if _plain_message(f)]
        if not inner or chance.random() < 0.35:
            break
        # What is there already is more often worth a look than what is not.
        present = [f for f, _ in here.ListFields() if _plain_message(f)]
        described = chance.choice(present if present and chance.random() < 0.7 else inner)
        path += f"{described.name}."
        here = getattr(here, described.name)
        if described.is_repeated:
            here = chance.choice(here) if len(here) else here.add()
        else:
            here.SetInParent()
    return here, path


def _plain_message(described: FieldDescriptor) -> bool:
    kind = described.message_type
    return kind is not None and not kind.GetOptions().map_entry


def _repeat(chance: random.Random, here: Any, described: FieldDescriptor, words: Words) -> str:
    """Empty, one more, the same again, or far too many."""
    several = getattr(here, described.name)
    if chance.random() < 0.15:
        here.ClearField(described.name)
        return "cleared"
    if described.message_type is not None:
        if described.message_type.GetOptions().map_entry:
            return "left: a map"
        times = chance.choice((1, 2, MANY))
        element = several[0] if len(several) else several.add()
        content = element.SerializeToString()
        # Past what a server reads gRPC refuses in its own words, and no method is reached.
        times = max(1, min(times, READ_MESSAGE_BYTES // 4 // (len(content) + 1)))
        for _ in range(times):
            several.add().ParseFromString(content)
        return f"{times} more of the first"
    times = chance.choice((1, 1, 1, 2, MANY))
    if isinstance(here, FieldMask):
        values = [_mask(chance, here, words)] * times
    else:
        values = [scalar(chance, described, words)] * times
    # Half a megabyte says no more than a little less does.
    values = values[: max(1, 500_000 // (len(str(values[0])) + 1))]
    several.extend(values)
    return f"{len(values)} more: {_short(values[0])}"


def _mask(chance: random.Random, mask: Any, words: Words) -> str:
    """A path of a mask: of a field that nobody may set, of none, of all."""
    return chance.choice((
        "*", "", ".", "name", "etag", "create_time", "a.b.c.d", "name.name", "Name", "nameX",
        words.any(chance),
    ))  # fmt: skip


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:40]}… ({len(told)})"


def encoded(chance: random.Random, message: Message) -> bytes:
    """The bytes of a message; a word that stands for broken UTF-8 is broken in them."""
    raw: bytes = message.SerializeToString()
    return raw.replace(NO_UTF8.encode(), chance.choice(BROKEN_UTF8))


def _truncated(chance: random.Random, raw: bytes) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _flipped(chance: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw or b"\0")
    for _ in range(chance.choice((1, 1, 4))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _unknown_field(chance: random.Random, raw: bytes) -> bytes:
    # Field 5000, as a number, as bytes, as a group, and as one that says it is endless.
    return raw + chance.choice((
        b"\xc0\xb8\x02\x01", b"\xc2\xb8\x02\x03abc", b"\xc3\xb8\x02\xc4\xb8\x02",
        b"\xc2\xb8\x02\xff\xff\xff\xff\x0f", b"\xc7\xb8\x02\x00",
    ))  # fmt: skip


def _groups(_: random.Random, raw: bytes) -> bytes:
    return raw + b"\x0b" * NESTED * 50


def _nested(chance: random.Random, raw: bytes) -> bytes:
    field = chance.choice((0x0A, 0x12, 0x1A))
    for _ in range(NESTED):
        if len(raw) > 100_000:
            break
        raw = bytes((field,)) + _varint(len(raw)) + raw
    return raw


def _twice(_: random.Random, raw: bytes) -> bytes:
    return raw + raw


def _random(chance: random.Random, _: bytes) -> bytes:
    return chance.randbytes(chance.randrange(200))


def _varint(number: int) -> bytes:
    told = bytearray()
    while number > 0x7F:
        told.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*told, number))


_SPOILS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _truncated, _flipped, _unknown_field, _groups, _nested, _twice, _random,
)  # fmt: skip


def spoiled(chance: random.Random, raw: bytes) -> tuple[bytes, str]:
    """Bytes that are no longer quite a message, and what was done to them."""
    spoil = chance.choice(_SPOILS)
    return spoil(chance, raw), spoil.__name__.strip("_")
