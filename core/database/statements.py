"""SQL text, made once.

SQLAlchemy writes the text of a statement when a module is imported; at run time only the
values travel. The text has PostgreSQL's own `$n` parameters with explicit casts, so the same
one serves a pooled transaction and the shared pipeline.
"""

import copy
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from psycopg import AsyncCursor, pq
from psycopg.pq.abc import PGresult
from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, Dialect, bindparam, text, tuple_, types
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.sql import Insert
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.schema import Column

Row: TypeAlias = Any  # a named tuple with the statement's columns
_MakeRow: TypeAlias = Callable[[Sequence[Any]], Row]

_DIALECT: Dialect = psycopg_dialect.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_TENANT = "organization_id"


class Statement:
    """One compiled statement: its text, the names of its parameters in order, its row type."""

    __slots__ = (
        "_given",
        "_order",
        "_rows",
        "_tenant",
        "_wrap",
        "binary",
        "formats",
        "names",
        "sql",
    )

    def __init__(self, construct: ClauseElement) -> None:
        compiled = construct.compile(dialect=_DIALECT, column_keys=_insert_keys(construct))
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        binds = [getattr(compiled, "binds", {})[name] for name in self.names]
        if any(bind.expanding for bind in binds):
            raise TypeError("in_() has no fixed text; write column == any_(bindparam(...))")
        self.sql: bytes = compiled.string.encode()
        # What the statement's author wrote as a literal is a parameter with a fixed value.
        fixed = {n: b.value for n, b in zip(self.names, binds, strict=True) if not b.required}
        self._order = tuple((name, fixed.get(name), name in fixed) for name in self.names)
        self._given = frozenset(self.names) - frozenset(fixed)
        self._tenant = _TENANT in self._given
        self._wrap = tuple(isinstance(bind.type, types.JSON) for bind in binds)
        self.binary = tuple(isinstance(b.type, types.Uuid | types.LargeBinary) for b in binds)
        self.formats = [pq.Format.BINARY if raw else pq.Format.TEXT for raw in self.binary]
        self._rows: dict[tuple[bytes, ...], _MakeRow] = {}

    def __repr__(self) -> str:
        """The text only: parameters may be about a person."""
        return f"<Statement {' '.join(self.sql.decode().split())}>"

    def explained(self) -> "Statement":
        """The statement that shows how PostgreSQL means to run this one."""
        explaining = copy.copy(self)
        explaining.sql = b"EXPLAIN " + self.sql
        explaining._rows = {}
        return explaining

    def arguments(self, params: Mapping[str, Any], organization: UUID | None) -> list[Any]:
        """The values in the order of the text; the tenant is filled in where it is asked for.

        Raises TypeError for a missing or an unknown parameter, and LookupError when a tenant is
        needed and the call has none.
        """
        if self._tenant and _TENANT not in params:
            if organization is None:
                raise LookupError("this statement needs a tenant and the call has none")
            params = {**params, _TENANT: organization}
        if params.keys() != self._given:
            raise TypeError(f"parameters differ: {sorted(params.keys() ^ self._given)}")
        values = [value if fixed else params[name] for name, value, fixed in self._order]
        for position, wrap in enumerate(self._wrap):
            if wrap and values[position] is not None:
                values[position] = Jsonb(values[position])
        return values

    def row_factory(self, cursor: AsyncCursor[Any]) -> _MakeRow:
        """psycopg's hook: how to make the rows of the result that has just arrived."""
        result = cursor.pgresult
        return tuple if result is None else self.row_maker(result)

    def row_maker(self, result: PGresult) -> _MakeRow:
        """The maker of rows for one result of this statement."""
        return self.row_type(tuple([result.fname(i) or b"" for i in range(result.nfields)]))

    def row_type(self, columns: tuple[bytes, ...]) -> _MakeRow:
        """The named tuple for these columns; it is made at the first result that has them."""
        make = self._rows.get(columns)
        if make is None:
            names = [column.decode() for column in columns]
            row = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024 - known only now
            make = self._rows[columns] = row._make
        return make


def _insert_keys(construct: ClauseElement) -> list[str] | None:
    """A bare `insert(table)` takes every column that PostgreSQL does not fill by itself."""
    if not isinstance(construct, Insert) or construct._values or construct.select is not None:
        return None
    columns: Sequence[Column[Any]] = list(construct.table.columns)  # type: ignore[arg-type]
    return [c.key for c in columns if c.server_default is None and c.identity is None]


def statement(construct: ClauseElement) -> Statement:
    """Compile a SQLAlchemy construct. Call it at import, once per statement."""
    return Statement(construct)


def sql(body: str, **of: types.TypeEngine[Any] | type[types.TypeEngine[Any]]) -> Statement:
    """A statement from its text and the types of its `:parameters`.

    Every parameter has a type: PostgreSQL then plans the statement once, for all values.
    """
    return statement(text(body).bindparams(*(bindparam(n, type_=t) for n, t in of.items())))


def after(*columns: Column[Any]) -> ColumnElement[bool]:
    """The rows behind the last one of a page, in the order of `columns` (keyset paging).

    The values are the parameters `after_<column>`.
    """
    last = [bindparam(f"after_{column.name}", type_=column.type) for column in columns]
    return tuple_(*columns) > tuple_(*last)
