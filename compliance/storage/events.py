"""Events: the leaves of a log, and how they are found again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    LargeBinary,
    Select,
    SmallInteger,
    Text,
    Uuid,
    any_,
    bindparam,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from compliance.domain.arrivals import Arrival, Held
from compliance.domain.completeness import FIRST_NUMBER
from compliance.storage.tables import audit_event
from core.database import Row, Transaction, statement

MOST_GAPS = 1_000
"""Ranges told for one source; a log with more has one fault, not a thousand."""

_MOMENT = TIMESTAMP(timezone=True)

_HELD = statement(
    select(audit_event.c.event_id, audit_event.c.leaf_index, audit_event.c.clear).where(
        audit_event.c.event_id == any_(bindparam("ids", type_=ARRAY(Uuid)))
    )
)
# One statement for a whole batch: 120,000 rows a second where single inserts make 3,000.
_APPEND = statement(
    text("""
        INSERT INTO audit_event (organization_id, leaf_index, event_id, source, source_seq,
            occurred_at, kind, method, subject_ref, actor_ref, clear, sealed, sealed_digest)
        SELECT CAST(:organization_id AS uuid), :first + place - 1, event_id, source, source_seq,
            occurred_at, kind, method, subject_ref, actor_ref, clear, sealed, sealed_digest
        FROM unnest(:event_ids, :sources, :source_seqs, :occurred, :kinds, :methods,
                    :subject_refs, :actor_refs, :clears, :sealeds, :digests)
        WITH ORDINALITY AS arrived (event_id, source, source_seq, occurred_at, kind, method,
            subject_ref, actor_ref, clear, sealed, sealed_digest, place)
    """).bindparams(
        bindparam("first", type_=BigInteger),
        bindparam("event_ids", type_=ARRAY(Uuid)),
        bindparam("sources", type_=ARRAY(Text)),
        bindparam("source_seqs", type_=ARRAY(BigInteger)),
        bindparam("occurred", type_=ARRAY(_MOMENT)),
        bindparam("kinds", type_=ARRAY(SmallInteger)),
        bindparam("methods", type_=ARRAY(Text)),
        bindparam("subject_refs", type_=ARRAY(Uuid)),
        bindparam("actor_refs", type_=ARRAY(Uuid)),
        bindparam("clears", type_=ARRAY(LargeBinary)),
        bindparam("sealeds", type_=ARRAY(LargeBinary)),
        bindparam("digests", type_=ARRAY(LargeBinary)),
    )
)

_SHOWN = (
    audit_event.c.leaf_index,
    audit_event.c.event_id,
    audit_event.c.occurred_at,
    audit_event.c.recorded_at,
    audit_event.c.clear,
    audit_event.c.sealed,
    audit_event.c.sealed_digest,
)
_SOURCE = bindparam("source", type_=Text)
_METHOD = bindparam("method", type_=Text)
_KIND = bindparam("kind", type_=SmallInteger)
_PERSON = bindparam("person", type_=Uuid)
_BEFORE = tuple_(bindparam("before", type_=_MOMENT), bindparam("before_leaf", type_=BigInteger))
_LIMIT = bindparam("limit", type_=BigInteger)


def _newest_first(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The events behind `before`, in the order of the index: latest first."""
    place = (audit_event.c.occurred_at, audit_event.c.leaf_index)
    return (
        select(*_SHOWN)
        .where(
            *conditions,
            or_(bindparam("any_source", type_=Boolean), audit_event.c.source == _SOURCE),
            or_(bindparam("any_method", type_=Boolean), audit_event.c.method == _METHOD),
            or_(bindparam("any_kind", type_=Boolean), audit_event.c.kind == _KIND),
            audit_event.c.occurred_at >= bindparam("start", type_=_MOMENT),
            audit_event.c.occurred_at < bindparam("end", type_=_MOMENT),
            tuple_(*place) < _BEFORE,
        )
        .order_by(*[column.desc() for column in place])
        .limit(_LIMIT)
    )


_PAGE = statement(_newest_first())
# Two short scans of two indexes; an OR of both columns would read and sort everything.
_PAGE_OF_PERSON = statement(
    union_all(
        _newest_first(audit_event.c.subject_ref == _PERSON),
        _newest_first(
            audit_event.c.actor_ref == _PERSON,
            audit_event.c.subject_ref.is_distinct_from(_PERSON),
        ),
    )
    .order_by(text("occurred_at DESC"), text("leaf_index DESC"))
    .limit(_LIMIT)
)
_GET = statement(select(*_SHOWN).where(audit_event.c.event_id == bindparam("id")))
_BUNDLE = statement(
    text("""
        SELECT clear || sealed_digest AS leaf FROM audit_event
        WHERE leaf_index >= :start AND leaf_index < :end ORDER BY leaf_index
    """).bindparams(bindparam("start", type_=BigInteger), bindparam("end", type_=BigInteger))
)
_SOURCES = statement(
    text("""
        SELECT source, min(source_seq) AS first, max(source_seq) AS last, count(*) AS held
        FROM audit_event GROUP BY source ORDER BY source
    """)
)
_GAPS = statement(
    text("""
        SELECT before + 1 AS first, source_seq - 1 AS last
        FROM (SELECT source_seq,
                     lag(source_seq, 1, CAST(:nothing AS bigint))
                         OVER (ORDER BY source_seq) AS before
              FROM audit_event WHERE source = :source) AS numbered
        WHERE source_seq > before + 1 ORDER BY source_seq LIMIT :limit
    """).bindparams(
        bindparam("source", type_=Text),
        bindparam("nothing", type_=BigInteger),
        bindparam("limit", type_=BigInteger),
    )
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A stored event."""

    leaf_index: int
    event_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    clear: bytes
    sealed: bytes
    sealed_digest: bytes

    @property
    def stored(self) -> bytes:
        """The leaf's bytes, as they were hashed."""
        return self.clear + self.sealed_digest


def leaf_of(row: Mapping[str, Any]) -> Leaf:
    """The event of a row, by the names of its columns."""
    return Leaf(*(row[column.name] for column in _SHOWN))


@dataclass(frozen=True, slots=True)
class Search:
    """Which events; `start` included, `end` excluded. `before` is the last one of a page."""

    source: str
    method: str
    kind: int
    start: datetime
    end: datetime
    before: tuple[datetime, int]
    limit: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the log holds of one source, and the ranges it lacks."""

    source: str
    first: int
    last: int
    held: int
    missing: list[tuple[int, int]]


class Events:
    """The leaves of the organization's log."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def held(self, ids: Sequence[UUID]) -> dict[UUID, Held]:
        """Those of these events that the log has."""
        rows = await self._tx.all(_HELD, ids=list(ids))
        return {row.event_id: Held(row.leaf_index, row.clear) for row in rows}

    async def append(self, arrivals: Sequence[Arrival], first: int) -> None:
        """Store new events from leaf `first` on. Raises ConstraintViolated for a used number."""
        await self._tx.run(_APPEND, first=first, **_columns(arrivals))

    async def get(self, event_id: UUID) -> Leaf | None:
        """One event."""
        row = await self._tx.one(_GET, id=event_id)
        return None if row is None else Leaf(*row)

    async def page(self, search: Search, person: UUID | None) -> list[Leaf]:
        """Events, newest first; with `person`, those in which this reference stands."""
        values = _values(search)
        if person is None:
            return _leaves(await self._tx.all(_PAGE, **values))
        return _leaves(await self._tx.all(_PAGE_OF_PERSON, person=person, **values))

    async def bundle(self, start: int, end: int) -> list[bytes]:
        """The stored bytes of the leaves from `start` to `end`, the latter excluded."""
        return [row.leaf for row in await self._tx.all(_BUNDLE, start=start, end=end)]

    async def numbers(self) -> list[Numbers]:
        """For each source what is held; at most MOST_GAPS missing ranges of each."""
        return [
            Numbers(row.source, row.first, row.last, row.held, await self._missing(row))
            for row in await self._tx.all(_SOURCES)
        ]

    async def _missing(self, row: Row) -> list[tuple[int, int]]:
        if row.held == row.last - FIRST_NUMBER + 1:
            return []
        nothing = FIRST_NUMBER - 1
        rows = await self._tx.all(_GAPS, source=row.source, nothing=nothing, limit=MOST_GAPS)
        return [(gap.first, gap.last) for gap in rows]


def _leaves(rows: Sequence[Row]) -> list[Leaf]:
    return [Leaf(*row) for row in rows]


def _values(search: Search) -> dict[str, Any]:
    before, before_leaf = search.before
    return {
        "any_source": not search.source,
        "source": search.source,
        "any_method": not search.method,
        "method": search.method,
        "any_kind": not search.kind,
        "kind": search.kind,
        "start": search.start,
        "end": search.end,
        "before": before,
        "before_leaf": before_leaf,
        "limit": search.limit,
    }


def _columns(arrivals: Sequence[Arrival]) -> dict[str, list[Any]]:
    """The batch turned on its side: one array a column."""
    return {
        "event_ids": [a.event_id for a in arrivals],
        "sources": [a.source for a in arrivals],
        "source_seqs": [a.source_seq for a in arrivals],
        "occurred": [a.occurred_at for a in arrivals],
        "kinds": [a.kind for a in arrivals],
        "methods": [a.method for a in arrivals],
        "subject_refs": [a.subject_ref for a in arrivals],
        "actor_refs": [a.actor_ref for a in arrivals],
        "clears": [a.clear for a in arrivals],
        "sealeds": [a.sealed for a in arrivals],
        "digests": [hashlib.sha256(a.sealed).digest() for a in arrivals],
    }
