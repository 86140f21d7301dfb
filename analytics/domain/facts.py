"""Facts that arrive: what each counts for, and when."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from core.errors import Refusal

QUARTER = timedelta(minutes=15)
"""Every zone has been a whole number of quarters from UTC since 2020, so quarters of an hour add up
exactly to the hours, days, weeks and months of any of them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FactConflict(Refusal):
    """Another fact is held under this id, or under this source and number."""

    reason = "FACT_CONFLICT"


class FactSourceNotYours(Refusal):
    """The caller is not the server of this name."""

    reason = "FACT_SOURCE_NOT_YOURS"


class Kind(StrEnum):
    """What sort of event a fact is of."""

    CHANGE = "change"
    ACCESS = "access"
    REFUSAL = "refusal"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event, without anybody in it. `dimensions` is what it can be grouped by."""

    organization: UUID
    event_id: UUID
    source: str
    source_seq: int
    occurred_at: datetime
    series: str
    dimensions: tuple[tuple[str, str], ...]
    count: int
    amount: Decimal | None


class Place(NamedTuple):
    """Where a fact is counted."""

    series: str
    quarter: datetime
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Total:
    """What is counted there: events, and what their amounts make together."""

    count: int
    amount: Decimal


def refuse_stranger(source: str, server: str) -> None:
    """A server tells facts under its own name, and nobody else does. Raises FactSourceNotYours."""
    if not server or server != source:
        raise FactSourceNotYours


def series_of(kind: Kind, source: str, entity: str, operation: str) -> str:
    """What facts are added up with: all accesses, all refusals, an act, a change of one entity.

    >>> series_of(Kind.CHANGE, "clinical", "patient", "insert")
    'clinical.patient.insert'
    """
    match kind:
        case Kind.CHANGE:
            return f"{source}.{entity}.{operation}"
        case Kind.ACT:
            return operation
        case _:
            return kind.value


def quarter_of(moment: datetime) -> datetime:
    """The quarter of an hour in which something happened, whenever it becomes known."""
    return moment - (moment - _EPOCH) % QUARTER


def totals(facts: Iterable[Fact]) -> Mapping[Place, Total]:
    """What these facts add, by place."""
    counts: Counter[Place] = Counter()
    amounts: dict[Place, Decimal] = defaultdict(Decimal)
    for fact in facts:
        place = Place(fact.series, quarter_of(fact.occurred_at), fact.dimensions)
        counts[place] += fact.count
        amounts[place] += fact.amount or 0
    return {place: Total(count, amounts[place]) for place, count in sorted(counts.items())}
