"""What a service declares of the persons in its database, and the statements made from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ColumnElement, MetaData, Table, Text, Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from core.database import Statement, Transaction, statement
from core.database.tables import TENANT_COLUMN
from core.subject.decisions import retention_of
from core.subject.grounds import ACCOUNTABILITY, Term
from core.subject.person import KINDS_ASKED, KINDS_ERASED, Person
from core.subject.reach import check, tables_of
from core.subject.record import Shown, shown_of

_TYPES: Mapping[str, Any] = {"people": ARRAY(Uuid), "names": ARRAY(Text), TENANT_COLUMN: Uuid()}


class Opens(Protocol):
    """Opens what rows of a table hold sealed."""

    async def __call__(
        self, tx: Transaction, rows: Sequence[Mapping[str, Any]], person: Person, /
    ) -> Sequence[Mapping[str, object]]:
        """For each row, in its order, the values to show in place of what is stored."""


class Destroys(Protocol):
    """Destroys the keys that rows about a person are sealed under."""

    async def __call__(self, tx: Transaction, person: Person, /) -> Sequence[str]:
        """The names of the keys destroyed."""


class Tells(Protocol):
    """Tells whoever follows a service that what it held about a person is gone."""

    async def __call__(self, tx: Transaction, person: Person, /) -> None:
        """In the transaction in which the rows went, after them."""


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
    how its sealed columns are opened.

    `terms` tells, by class of retention, what the law keeps of a person. `destroys` has, by table,
    how rows that must stay are made unreadable; all others are deleted. `locks` has the SQL that
    holds still what a person's rows refer to while they are erased. `tells` is for copies of rows
    that others hold, and learn of from this service alone.

    Raises Unreachable for a table that no person leads to, Undecided for one of which the contract
    does not say what erasure does to it, and ValueError for a sealed one that nothing opens and for
    a class of retention without a term.
    """

    service: str
    metadata: MetaData
    registers: Mapping[str, str] = field(default_factory=dict)
    opens: Mapping[str, Opens] = field(default_factory=dict)
    terms: Mapping[str, Term] = field(default_factory=dict)
    destroys: Mapping[str, Destroys] = field(default_factory=dict)
    locks: Mapping[str, str] = field(default_factory=dict)
    tells: Tells | None = None

    def __post_init__(self) -> None:
        check(self.metadata, KINDS_ASKED)
        for kind in KINDS_ERASED:
            for table, _ in tables_of(self.metadata, kind):
                if retention_of(table) not in {"", ACCOUNTABILITY, *self.terms}:
                    raise ValueError(f"nothing tells how long {self.service}.{table.name} is kept")

    def of(self, kind: str) -> tuple[Holding, ...]:
        """The tables in which such a person is found, by name."""
        return tuple(
            self._holding(table, kind, found) for table, found in tables_of(self.metadata, kind)
        )

    def register(self, kind: str) -> Statement | None:
        """The statement that tells the identities of a person; None: another service does."""
        sql = self.registers.get(kind)
        return None if sql is None else about(sql)

    def lock(self, kind: str) -> Statement | None:
        """The statement that holds still what the rows of a person refer to."""
        sql = self.locks.get(kind)
        return None if sql is None else about(sql)

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


def about(sql: str) -> Statement:
    """A statement from SQL text that asks for a person."""
    return statement(text(sql).bindparams(*_parameters(sql)))


def _parameters(sql: str) -> list[Any]:
    return [bindparam(name, type_=of) for name, of in _TYPES.items() if f":{name}" in sql]
