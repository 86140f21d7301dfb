"""What a service declares of the persons in its database, and the statements made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, MetaData, Table, Text, Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from core.contract.paths import KINDS
from core.database import Statement, Transaction, statement
from core.database.tables import TENANT_COLUMN
from core.ids import name_of
from core.subject.reach import check, tables_of
from core.subject.record import Shown, shown_of

COLLECTIONS: Mapping[str, str] = {kind: name for name, kind in KINDS.items()}
"""The collection that names a kind of person."""

KINDS_ASKED = frozenset({"patient", "user"})
"""The kinds of person that may be asked about, as the contract bounds it."""

_TYPES: Mapping[str, Any] = {"people": ARRAY(Uuid), "names": ARRAY(Text), TENANT_COLUMN: Uuid()}


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


class Opens(Protocol):
    """Opens what rows of a table hold sealed."""

    async def __call__(
        self, tx: Transaction, rows: Sequence[Mapping[str, Any]], person: Person, /
    ) -> Sequence[Mapping[str, object]]:
        """For each row, in its order, the values to show in place of what is stored."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One table in which a kind of person is found."""

    table: Table
    count: Statement
    rows: Statement
    shown: Shown
    opens: Opens | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything a service holds of persons.

    `registers` has, for the kinds of person that this service registers, the SQL that answers with
    every `id` of the person `:people`; nothing, when it knows nobody so. `opens` has, by table,
    how its sealed columns are opened. Raises Unreachable for a table that no person leads to, and
    ValueError for a sealed one that nothing opens.
    """

    service: str
    metadata: MetaData
    registers: Mapping[str, str] = field(default_factory=dict)
    opens: Mapping[str, Opens] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check(self.metadata, KINDS_ASKED)

    def of(self, kind: str) -> tuple[Holding, ...]:
        """The tables in which such a person is found, by name."""
        return tuple(
            self._holding(table, kind, found) for table, found in tables_of(self.metadata, kind)
        )

    def register(self, kind: str) -> Statement | None:
        """The statement that tells the identities of a person; None: another service does."""
        sql = self.registers.get(kind)
        return None if sql is None else statement(text(sql).bindparams(*_parameters(sql)))

    def _holding(self, table: Table, kind: str, found: str) -> Holding:
        shown = shown_of(table, kind, self.service)
        opens = self.opens.get(table.name)
        if shown.sealed and opens is None:
            raise ValueError(f"nothing opens what {self.service}.{table.name} holds sealed")
        row = table.alias("t0")
        where: ColumnElement[bool] = text(found).bindparams(*_parameters(found))  # type: ignore[assignment]  # a condition
        return Holding(
            table=table,
            count=statement(select(func.count().label("many")).select_from(row).where(where)),
            rows=statement(
                select(*[row.c[name] for name in shown.columns])
                .where(where)
                .order_by(*[row.c[column.name] for column in table.primary_key])
            ),
            shown=shown,
            opens=opens,
        )


def _parameters(sql: str) -> list[Any]:
    return [bindparam(name, type_=of) for name, of in _TYPES.items() if f":{name}" in sql]
