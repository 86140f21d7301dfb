"""What keys the trail is sealed under, and how they are named.

A data key is made of two: the key of a person (or of the organization itself) for one class of
retention, and the key of a month. Destroying the first forgets the person, destroying the second
lets a month expire; either makes what was sealed under both unreadable for ever.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from core.errors import Refusal

AUDIT = "audit"
"""The class of retention of the trail."""

ACCESS_PACKAGE = "access_package"
"""The class of retention of packages made for a person who asked for access."""

ORGANIZATION = ""
"""The subject of what concerns no person: the organization itself."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class KeyDestroyed(Refusal):
    """The person, or the month, has been forgotten; no new key is made in their place."""

    reason = "KEY_DESTROYED"


@dataclass(frozen=True, slots=True, order=True)
class KeyWanted:
    """Whose key, of which class, for which month (`2026-11`)."""

    subject: str
    retention_class: str
    month: str


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """A key to seal under. `reference` stands for the person in clear; None: no person."""

    name: str
    reference: UUID | None
    secret: bytes


class KeyName(NamedTuple):
    """A data key's name: the key of the subject, and the month."""

    subject_key: UUID
    month: str

    def text(self) -> str:
        """`<uuid>.<month>`, as it is kept beside what the key sealed."""
        return f"{self.subject_key}.{self.month}"

    @classmethod
    def parse(cls, text: str) -> "KeyName | None":
        """The name in a text, or None: a key that cannot exist is one that is gone."""
        row, _, month = text.partition(".")
        try:
            return cls(UUID(row), month) if _MONTH.fullmatch(month) else None
        except ValueError:
            return None
