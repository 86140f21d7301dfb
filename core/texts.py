"""What a text that people read may hold, and what they read of it."""

import re
from typing import Final

# Controls (Unicode's category Cc), and what turns the order in which the rest is shown: a name or a
# number reads as another one then. And spaces without a width, by which two texts differ that look
# alike; joiners stay, since some scripts write names with them.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def has_controls(text: str) -> bool:
    """Whether a text holds what nobody's name does: controls, turns of direction, unseen spaces."""
    return _CONTROLS.search(text) is not None


def said(text: str) -> str:
    """What somebody reads of a text: without what is not seen, and no white space around it."""
    return _CONTROLS.sub("", text).strip()
