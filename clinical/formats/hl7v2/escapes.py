"""Escape sequences of HL7 v2 (chapter 2.7), undone and made at the leaves of a message."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_HEX: Final = re.compile(r"X(?:[0-9A-Fa-f]{2})+", re.ASCII)
LINE_BREAK: Final = ".br"


@lru_cache(maxsize=32)
def _pattern(escape: str) -> re.Pattern[str]:
    """An escape character, what it says in at most 64 characters, and the escape character."""
    sign = re.escape(escape)
    return re.compile(f"{sign}([^{sign}\r]{{1,64}}){sign}")


def unescaped(text: str, escape: str, signs: Mapping[str, str]) -> str:
    """Undo the escapes of a leaf.

    `signs` is what F, S, R, E and T stand for. Sequences that are not known (highlighting,
    local ones) stay as they are, and so does an escape character that nothing ends.
    """

    def undone(match: re.Match[str]) -> str:
        return _meaning(match.group(1), signs) or match.group()

    return _pattern(escape).sub(undone, text)


def _meaning(sequence: str, signs: Mapping[str, str]) -> str:
    """What a sequence stands for, or "" when it is not known."""
    if sequence in signs:
        return signs[sequence]
    if sequence == LINE_BREAK:
        return "\n"
    if _HEX.fullmatch(sequence):
        return _from_hex(sequence[1:])
    return ""


def _from_hex(digits: str) -> str:
    """Characters given as hexadecimal bytes, or "" when they are no text one can keep."""
    content = bytes.fromhex(digits)
    if 0 in content:
        return ""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
