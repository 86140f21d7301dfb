"""What the law keeps when a person asks for erasure, and on which articles that rests.

A field of the contract names its class of retention; here stands what the class rests on. When its
term ends for a person is asked of the service that holds the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.database import Transaction
from core.subject.person import Person

ACCOUNTABILITY = "eu.gdpr.5-2"
"""The record of requests and of what was done about them. It holds nothing else up."""

GROUNDS: Mapping[str, str] = {
    "fr.csp.r1112-7": "CSP article R.1112-7; GDPR article 17(3)(b)",
    "fr.com.l123-22": "Code de commerce article L.123-22; GDPR article 17(3)(b)",
    "fr.csp.l1142-28": "CSP article L.1142-28; GDPR article 17(3)(e)",
    ACCOUNTABILITY: "GDPR articles 5(2), 17(3)(e)",
}
"""Classes of retention that stand against erasure, with their articles."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The law keeps rows: until a moment, or (None) as long as the ground holds."""

    until: datetime | None = None


class Term(Protocol):
    """Tells whether a class of retention keeps rows about a person now."""

    async def __call__(
        self, tx: Transaction, person: Person, elsewhere: Kept | None, /
    ) -> Kept | None:
        """None: it keeps nothing (any more). `elsewhere` is what other services keep."""
