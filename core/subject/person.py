"""Who is asked about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.contract.paths import KINDS
from core.database import Statement
from core.ids import name_of

COLLECTIONS: Mapping[str, str] = {kind: name for name, kind in KINDS.items()}
"""The collection that names a kind of person."""

KINDS_ASKED = frozenset({"patient", "user"})
"""The kinds of person that may be asked about, as the contract bounds it."""

KINDS_ERASED = frozenset({"patient"})
"""The kinds of person that can be erased. Who works here has acted, and others need to know it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, under every identity that is known."""

    kind: str
    ids: tuple[UUID, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The resource names of all identities, sorted."""
        return tuple(sorted(name_of(COLLECTIONS[self.kind], one) for one in self.ids))

    def parameters(self, stmt: Statement) -> dict[str, Any]:
        """What a statement asks of the person."""
        values = {"people": list(self.ids), "names": list(self.names)}
        return {name: value for name, value in values.items() if name in stmt.names}
