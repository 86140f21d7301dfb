"""What ties a sealed part to its event, so that no part can be moved to another one.

Both sides use it: the relay that seals, and compliance that opens.
"""

from enum import StrEnum


class Part(StrEnum):
    """The two sealed parts of an event."""

    SUBJECT = "subject"
    ACTOR = "actor"


def associated(part: Part, *, event_id: str, organization: str, key: str) -> bytes:
    """The associated data of one part: which event, whose, and under which key."""
    return f"medhub/audit/{part}/{event_id}/{organization}/{key}".encode()
