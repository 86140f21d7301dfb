"""What erasing a person would do to each table of a service, and the digest that stands for it.

The digest binds what has an effect: which rows go, which keys, and by what right the rest stays.
How many rows the law keeps is told and not bound, since a record and its trail go on growing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Table

from core.database import Statement, Transaction
from core.subject.decisions import retention_of
from core.subject.grounds import ACCOUNTABILITY, GROUNDS, Kept
from core.subject.holdings import Holdings, about
from core.subject.person import Person
from core.subject.reach import tables_of
from medhub.subject.v1 import erasure_pb2 as wire

_DELETE, _DESTROY_KEY = wire.ERASURE_ACTION_DELETE, wire.ERASURE_ACTION_DESTROY_KEY
_KEEP = wire.ERASURE_ACTION_KEEP

_Action: TypeAlias = wire.ErasureAction
KeptClasses: TypeAlias = Mapping[str, Kept | None]
"""By class of retention, what it keeps of a person."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table that a condition finds: counted, digested, deleted."""

    digest: Statement
    delete: Statement


@dataclass(frozen=True, slots=True)
class Erasable:
    """A table in which a person is found, and what erasure can do to it."""

    table: Table
    retention: str
    unreadable: bool
    all: Rows
    # What the class of retention keeps, and what it does not, where it does not keep all.
    kept: Rows | None
    free: Rows

    @property
    def collection(self) -> str:
        """The collection that its rows are shown as."""
        return str(self.table.info["collection"])


def erasables_of(holdings: Holdings, kind: str) -> tuple[Erasable, ...]:
    """The tables in which such a person is found, by name."""
    return tuple(
        _erasable(holdings, table, found) for table, found in tables_of(holdings.metadata, kind)
    )


async def kept_of(
    holdings: Holdings, tx: Transaction, person: Person, elsewhere: Kept | None
) -> dict[str, Kept | None]:
    """What each class of retention keeps of the person."""
    kept = {name: await term(tx, person, elsewhere) for name, term in holdings.terms.items()}
    return {"": None, ACCOUNTABILITY: Kept(), **kept}


async def planned(
    service: str, tx: Transaction, tables: Sequence[Erasable], person: Person, kept: KeptClasses
) -> list[wire.ErasedTable]:
    """What would become of each table, in their order."""
    plan: list[wire.ErasedTable] = []
    for one in tables:
        name, stays = f"{service}.{one.table.name}", kept[one.retention]
        if stays is None:
            action = _DESTROY_KEY if one.unreadable else _DELETE
            plan.append(await _gone(tx, name, one, one.all, person, action))
            continue
        plan.append(await _stays(tx, name, one, person, stays))
        if one.kept is not None:
            plan.append(await _gone(tx, name, one, one.free, person, _DELETE))
    return plan


def digest_of(service: str, person: Person, plan: Sequence[wire.ErasedTable]) -> bytes:
    """SHA-256 over what the plan does to whom."""
    said = json.dumps(
        [service, person.names, [_bound(table) for table in plan]], separators=(",", ":")
    )
    return hashlib.sha256(b"medhub erasure plan v1\n" + said.encode()).digest()


def _bound(table: wire.ErasedTable) -> list[object]:
    until = table.keep_until.ToJsonString() if table.HasField("keep_until") else ""
    deleted = [table.count, table.rows.hex()] if table.action == _DELETE else []
    return [table.table, table.action, deleted, table.retention, until]


async def _gone(
    tx: Transaction, name: str, one: Erasable, rows: Rows, person: Person, action: _Action
) -> wire.ErasedTable:
    count, digest = await _counted(tx, rows, person)
    return wire.ErasedTable(
        table=name,
        collection=one.collection,
        action=action,
        count=count,
        rows=digest if action == _DELETE else b"",
    )


async def _stays(
    tx: Transaction, name: str, one: Erasable, person: Person, kept: Kept
) -> wire.ErasedTable:
    count, _ = await _counted(tx, one.kept or one.all, person)
    return wire.ErasedTable(
        table=name,
        collection=one.collection,
        action=_KEEP,
        count=count,
        retention=one.retention,
        ground=GROUNDS[one.retention],
        keep_until=kept.until,
    )


async def _counted(tx: Transaction, rows: Rows, person: Person) -> tuple[int, bytes]:
    """How many rows, and the digest of their keys."""
    found = await tx.one(rows.digest, **person.parameters(rows.digest))
    if found is None:
        raise LookupError("a count has one row")
    return int(found.many), bytes(found.digest)


def _erasable(holdings: Holdings, table: Table, found: str) -> Erasable:
    keeps = str(table.info["reach"].kept).format(t="t0")
    everything = _rows(table, found)
    return Erasable(
        table=table,
        retention=retention_of(table),
        unreadable=table.name in holdings.destroys,
        all=everything,
        kept=_rows(table, f"({found}) AND ({keeps})") if keeps else None,
        free=_rows(table, f"({found}) AND NOT ({keeps})") if keeps else everything,
    )


def _rows(table: Table, where: str) -> Rows:
    key = ", ".join(f"t0.{column.name}::text" for column in table.primary_key)
    return Rows(
        digest=about(f"""
            SELECT count(*) AS many,
                sha256(convert_to(coalesce(
                    string_agg(k.key, ',' ORDER BY k.key COLLATE "C"), ''), 'UTF8')) AS digest
            FROM (SELECT concat_ws('|', {key}) AS key FROM {table.name} t0 WHERE {where}) AS k
        """),  # noqa: S608 - declared
        delete=about(f"DELETE FROM {table.name} t0 WHERE {where}"),  # noqa: S608 - declared
    )
