"""What a text that names somebody may hold."""

import unicodedata
from typing import Final

# They turn the order in which what follows is shown: a name or a number reads as another one.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def has_controls(text: str) -> bool:
    """Whether a text holds what nobody's name does: controls, line breaks, turns of direction."""
    return any(sign in _TURNING or unicodedata.category(sign) == "Cc" for sign in text)
