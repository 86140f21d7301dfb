"""Facts: taken in once, added to their sums in the same transaction, and accounted for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Numeric, Text, Uuid, any_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from analytics.domain.facts import Fact, FactConflict, Place, Total
from analytics.storage.tables import fact
from core.database import ConstraintViolated, Transaction, statement

MOST_GAPS = 1_000
"""Ranges told for one source; one that lacks more has one fault, not a thousand."""

_MOMENT = TIMESTAMP(timezone=True)
_USED_ONCE = "uq_fact_source_source_seq"

# Of a fact that comes twice at once the second waits here for the first, and then adds nothing.
_ADD = statement(
    text("""
        INSERT INTO fact (organization_id, event_id, source, source_seq, occurred_at, series,
            dimensions, count, amount)
        SELECT CAST(:organization_id AS uuid), event_id, source, source_seq, occurred_at, series,
            CAST(dimensions AS jsonb), count, amount
        FROM unnest(:event_ids, :sources, :source_seqs, :occurred, :series, :dimensions, :counts,
                    :amounts)
            AS told (event_id, source, source_seq, occurred_at, series, dimensions, count, amount)
        ON CONFLICT (organization_id, event_id) DO NOTHING
        RETURNING event_id
    """).bindparams(
        bindparam("event_ids", type_=ARRAY(Uuid)),
        bindparam("sources", type_=ARRAY(Text)),
        bindparam("source_seqs", type_=ARRAY(BigInteger)),
        bindparam("occurred", type_=ARRAY(_MOMENT)),
        bindparam("series", type_=ARRAY(Text)),
        bindparam("dimensions", type_=ARRAY(Text)),
        bindparam("counts", type_=ARRAY(BigInteger)),
        bindparam("amounts", type_=ARRAY(Numeric)),
    )
)
_HELD = statement(
    select(
        fact.c.event_id, fact.c.source, fact.c.source_seq, fact.c.occurred_at, fact.c.series,
        fact.c.dimensions, fact.c.count, fact.c.amount,
    ).where(fact.c.event_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
)  # fmt: skip
# In the order of the key, so that two sources that add to the same sums never wait crosswise.
_COUNT = statement(
    text("""
        INSERT INTO figure AS held (organization_id, series, quarter, dimensions, count, amount)
        SELECT CAST(:organization_id AS uuid), series, quarter, CAST(dimensions AS jsonb), count,
            amount
        FROM unnest(:series, :quarters, :dimensions, :counts, :amounts)
            AS more (series, quarter, dimensions, count, amount)
        ORDER BY series, quarter, CAST(dimensions AS jsonb)
        ON CONFLICT (organization_id, series, quarter, dimensions)
        DO UPDATE SET count = held.count + EXCLUDED.count, amount = held.amount + EXCLUDED.amount
    """).bindparams(
        bindparam("series", type_=ARRAY(Text)),
        bindparam("quarters", type_=ARRAY(_MOMENT)),
        bindparam("dimensions", type_=ARRAY(Text)),
        bindparam("counts", type_=ARRAY(BigInteger)),
        bindparam("amounts", type_=ARRAY(Numeric)),
    )
)
_SOURCES = statement(
    select(
        fact.c.source,
        func.max(fact.c.source_seq).label("last"),
        func.count().label("held"),
    )
    .group_by(fact.c.source)
    .order_by(fact.c.source)
)
_MISSING = statement(
    text("""
        SELECT before + 1 AS first, source_seq - 1 AS last
        FROM (SELECT source_seq,
                     lag(source_seq, 1, CAST(0 AS bigint)) OVER (ORDER BY source_seq) AS before
              FROM fact WHERE source = :source) AS numbered
        WHERE source_seq > before + 1 ORDER BY source_seq LIMIT :limit
    """).bindparams(bindparam("source", type_=Text), bindparam("limit", type_=BigInteger))
)


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is held of one source: the highest number, and the ranges below it that are not."""

    source: str
    last: int
    missing: list[tuple[int, int]]


class Facts:
    """The facts of the organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, facts: Sequence[Fact]) -> list[Fact]:
        """Keep those that are new, and answer with them. Raises FactConflict."""
        try:
            rows = await self._tx.all(_ADD, **_columns(facts))
        except ConstraintViolated as broken:
            if broken.name == _USED_ONCE:
                raise FactConflict from broken
            raise
        added = {row.event_id for row in rows}
        fresh: dict[UUID, Fact] = {}
        for one in facts:
            if one.event_id in added:
                fresh.setdefault(one.event_id, one)
        said_before = [one for one in facts if fresh.get(one.event_id) != one]
        if said_before:
            await self._compare(said_before)
        return list(fresh.values())

    async def count(self, totals: Mapping[Place, Total]) -> None:
        """Add to the sums."""
        if totals:
            await self._tx.run(_COUNT, **_sums(totals))

    async def completeness(self) -> list[Completeness]:
        """For each source up to where facts are held, and at most MOST_GAPS ranges missing."""
        return [
            Completeness(row.source, row.last, await self._missing(row.source))
            if row.held < row.last
            else Completeness(row.source, row.last, [])
            for row in await self._tx.all(_SOURCES)
        ]

    async def _missing(self, source: str) -> list[tuple[int, int]]:
        rows = await self._tx.all(_MISSING, source=source, limit=MOST_GAPS)
        return [(row.first, row.last) for row in rows]

    async def _compare(self, repeated: Sequence[Fact]) -> None:
        rows = await self._tx.all(_HELD, ids=[one.event_id for one in repeated])
        held = {row.event_id: tuple(row) for row in rows}
        for one in repeated:
            if held.get(one.event_id) != _row(one):
                raise FactConflict


def _text(dimensions: Iterable[tuple[str, str]]) -> str:
    return json.dumps(dict(dimensions), ensure_ascii=False)


def _row(one: Fact) -> tuple[object, ...]:
    """A fact as its row is read."""
    return (
        one.event_id,
        one.source,
        one.source_seq,
        one.occurred_at,
        one.series,
        dict(one.dimensions),
        one.count,
        one.amount,
    )


def _columns(facts: Sequence[Fact]) -> dict[str, list[Any]]:
    """The batch turned on its side: one array a column."""
    return {
        "event_ids": [one.event_id for one in facts],
        "sources": [one.source for one in facts],
        "source_seqs": [one.source_seq for one in facts],
        "occurred": [one.occurred_at for one in facts],
        "series": [one.series for one in facts],
        "dimensions": [_text(one.dimensions) for one in facts],
        "counts": [one.count for one in facts],
        "amounts": [one.amount for one in facts],
    }


def _sums(totals: Mapping[Place, Total]) -> dict[str, list[Any]]:
    return {
        "series": [place.series for place in totals],
        "quarters": [place.quarter for place in totals],
        "dimensions": [_text(place.dimensions) for place in totals],
        "counts": [total.count for total in totals.values()],
        "amounts": [total.amount for total in totals.values()],
    }
