"""Values that nobody should send: numbers at their bounds, words that break what handles words."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from core.ids import new_id

# Stands in every made-up word, so that whoever repeats one is found out.
CANARY = "Canaryq7x"
# Replaced, in the bytes of a message, by as many bytes that are no UTF-8.
NO_UTF8 = "Nq7xUTF8"
BROKEN_UTF8 = (b"\xed\xa0\x80\xed\xb0\x80\xff\xfe", b"\xc0\xaf\xc0\xae\xf5\x80\x80\x80")
# More than any field takes, less than a message may hold.
LONG = 60_000
MANY = 3_000
_WORDS = (
    "",
    " ",
    CANARY,
    f"{CANARY}\0",
    "\0",
    f"\x01\x1b[31m{CANARY}\r\n\x7f",
    # The same letter twice: composed, and as a letter with an accent.
    f"{CANARY}\u00e9e\u0301\u212b",
    f"\u202e{CANARY}\u200b\ufeff\u2028",
    f"{CANARY}\U0001f9d1\U0010ffff\ufffe",
    # Grows when it is folded, and is no letter when it is stripped.
    f"{CANARY}\u0130\ufdfa\u1e9e\u0345",
    f"'; DROP TABLE patient; -- {CANARY}",
    f"%s%n{{0}}${{{CANARY}}}\\",
    f"%{CANARY}_%",
    f"../../{CANARY}",
    f"{CANARY}/-/{CANARY}",
    "patients/-",
    "patients/*",
    "patients/00000000-0000-0000-0000-000000000000",
    "patients/FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF",
    "*",
    "-",
    "null",
    "0",
    "-1",
    "1e999",
    "NaN",
    "9" * 40,
    "2026-13-45",
    "-infinity",
    f"{CANARY}@{CANARY}.example",
    CANARY * (LONG // len(CANARY)),
    "\u0301" * 500,
    NO_UTF8,
)
_T = FieldDescriptor
_BITS = {
    _T.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    _T.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    _T.CPPTYPE_UINT32: (0, 2**32 - 1),
    _T.CPPTYPE_UINT64: (0, 2**64 - 1),
}
# Seconds and days at which calendars end, and years that have no name.
_EDGES = (
    0, 1, -1, 2, 13, 31, 32, 99, 100, 9999, 10_000, 1_000_000_000, -62_135_596_800,
    -62_135_596_801, 253_402_300_799, 253_402_300_800, 2**53 + 1,
)  # fmt: skip
_FLOATS = (0.0, -0.0, 1e308, -1e308, 5e-324, 0.1 + 0.2, math.nan, math.inf, -math.inf)


@dataclass
class Words:
    """Words that mean something here: names of objects, ours and others', and tokens."""

    names: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def any(self, chance: random.Random) -> str:
        """One of them, or something very like one."""
        known = self.names + self.tokens
        if not known or chance.random() < 0.5:
            return chance.choice(_WORDS)
        word = chance.choice(known)
        kind = word.partition("/")[0]
        return chance.choice((
            word, word, word, f"{kind}/{new_id()}", word.upper(), f"{word}/", f"{word}\u0301",
            f"//{word}", word[:-1], word.replace("/", "%2F"), f"{word}@1",
        ))  # fmt: skip


def scalar(chance: random.Random, described: FieldDescriptor, words: Words) -> Any:
    """A value of a field's type."""
    kind = described.cpp_type
    if kind == _T.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if kind == _T.CPPTYPE_ENUM:
        return chance.choice((0, 1, 2, 99, -1, 2**31 - 1, -(2**31)))
    if kind in (_T.CPPTYPE_FLOAT, _T.CPPTYPE_DOUBLE):
        return chance.choice(_FLOATS)
    if kind in _BITS:
        low, high = _BITS[kind]
        return min(max(chance.choice((*_EDGES, low, high)), low), high)
    if described.type == _T.TYPE_BYTES:
        return _bytes(chance, words)
    return words.any(chance)


def _bytes(chance: random.Random, words: Words) -> bytes:
    return chance.choice((
        b"", b"\0", b"\x0b\x1c\r", CANARY.encode() * (LONG // 9), b"\xff" * 33,
        chance.randbytes(chance.randrange(1, 70)), words.any(chance).encode(),
    ))  # fmt: skip
