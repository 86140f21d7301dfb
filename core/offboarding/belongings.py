"""What a service declares of the organizations in its database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import MetaData, Table, Uuid, bindparam, select, text

from core.database import Scope, Statement, Transaction, statement
from core.database.tables import TENANT_COLUMN
from core.subject.record import Shown, shown_whole

_TENANTS = f"{{t}}.{TENANT_COLUMN} = :{TENANT_COLUMN}"
_ROW = "t0"


class OpensWhole(Protocol):
    """Opens what rows of a table hold sealed, for the organization that they belong to."""

    async def __call__(
        self, tx: Transaction, rows: Sequence[Mapping[str, Any]], /
    ) -> Sequence[Mapping[str, object]]:
        """For each row, in its order, the values to show in place of what is stored."""


class Undeclared(Exception):
    """Nothing says whether rows of a table go with an organization."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """One table with rows of organizations: which they are, and how they are shown."""

    table: Table
    # SQL over a row called `t0`, which asks for `:organization_id`.
    where: str
    rows: Statement
    shown: Shown
    opens: OpensWhole | None


@dataclass(frozen=True, slots=True)
class Belongings:
    """Everything that a service holds of organizations.

    All rows of a tenant's table are the tenant's. Of each other table either `belongs` has the SQL
    over a row `{t}` that is true of the rows of `:organization_id`, or `apart` says why none goes
    with an organization. `keys` are the tables that go first: without them the rest is unreadable.
    `opens` has, by table, how its sealed columns are opened, and `withheld`, by `table.column`, why
    one is not handed over.

    Raises Undeclared, and ValueError for a sealed column that nothing opens or withholds.
    """

    service: str
    metadata: MetaData
    belongs: Mapping[str, str] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    opens: Mapping[str, OpensWhole] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.metadata.sorted_tables:
            own = table.info["scope"] is Scope.TENANT
            said = (table.name in self.belongs) + (table.name in self.apart)
            if said != (not own):
                raise Undeclared(f"{self.service}.{table.name} goes with an organization, or not")

    def tables(self) -> list[Belonging]:
        """The tables with rows of organizations; what a row refers to comes before it."""
        return [
            self._belonging(table)
            for table in self.metadata.sorted_tables
            if table.name not in self.apart
        ]

    def _belonging(self, table: Table) -> Belonging:
        where = self.belongs.get(table.name, _TENANTS).format(t=_ROW)
        shown = shown_whole(table, self.service, self._withheld(table))
        opens = self.opens.get(table.name)
        if shown.sealed and opens is None:
            raise ValueError(f"nothing opens what {self.service}.{table.name} holds sealed")
        row = table.alias(_ROW)
        condition: Any = text(where).bindparams(bindparam(TENANT_COLUMN, type_=Uuid()))
        return Belonging(
            table=table,
            where=where,
            rows=statement(
                select(*[row.c[name] for name in shown.columns])
                .where(condition)
                .order_by(*[row.c[column.name] for column in table.primary_key])
            ),
            shown=shown,
            opens=opens,
        )

    def _withheld(self, table: Table) -> dict[str, str]:
        prefix = f"{table.name}."
        return {
            name.removeprefix(prefix): why
            for name, why in self.withheld.items()
            if name.startswith(prefix)
        }
