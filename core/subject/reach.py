"""Which tables a person is found in, and by which condition, from what the tables declare."""

from collections.abc import Iterator

from google.protobuf.descriptor_pool import Default
from sqlalchemy import Column, ForeignKeyConstraint, MetaData, Table

from core.contract.fields import class_of
from core.database.tables import TENANT_COLUMN, Reach, Scope
from medhub.options.v1 import data_pb2 as options

_OF_PERSONS = frozenset({options.DATA_CLASS_PERSONAL, options.DATA_CLASS_HEALTH})
# A chain of references that is longer leads in a circle.
_LONGEST_CHAIN = 5


class Unreachable(Exception):
    """A table holds what is about persons, and nothing leads from a person to its rows."""


def persons_of(table: Table) -> dict[str, str]:
    """The columns of a table that name a person, and which kind of person each names."""
    reach: Reach = table.info["reach"]
    own = {table.info["subject"]: table.info["subject_kind"]} if table.info.get("subject") else {}
    return {**own, **reach.also}


def condition(table: Table, kind: str, row: str = "t0", depth: int = 0) -> str | None:
    """The SQL that is true of rows about the persons `:people` (or `:names`) of this kind.

    None when such a person is not found in the table. `row` is the alias of the row.
    """
    reach: Reach = table.info["reach"]
    if depth > _LONGEST_CHAIN:
        raise Unreachable(f"the references of {table.name} lead in a circle")
    ways = [f"{row}.{name} = ANY (:people)" for name, of in persons_of(table).items() if of == kind]
    if kind in reach.where:
        ways.append(f"({reach.where[kind].format(t=row)})")
    if reach.through:
        ways += _through(table, kind, row, depth)
    if not ways:
        return None
    found = f"({' OR '.join(ways)})"
    return f"{found} AND ({reach.within.format(t=row)})" if reach.within else found


def tables_of(metadata: MetaData, kind: str) -> Iterator[tuple[Table, str]]:
    """Every table that a person of this kind is found in, with the condition, by name."""
    for name in sorted(metadata.tables):
        table = metadata.tables[name]
        found = condition(table, kind)
        if found is not None:
            yield table, found


def check(metadata: MetaData, kinds: frozenset[str]) -> None:
    """Refuse tables that hold what is about persons and that no person of any kind leads to.

    Raises Unreachable: the server does not start, and the build fails.
    """
    for table in metadata.sorted_tables:
        reach: Reach = table.info["reach"]
        reached = any(condition(table, kind) for kind in kinds)
        if holds_persons(table) and not reached and not reach.nobody:
            raise Unreachable(f"nothing leads from a person to the rows of {table.name}")
        if reached and reach.nobody:
            raise Unreachable(f"{table.name} says that it is about nobody, and a person is found")
        if reached and table.info["scope"] is not Scope.TENANT and not _is_bounded(table):
            raise Unreachable(f"nothing keeps {table.name} to one organization")


def holds_persons(table: Table) -> bool:
    """Whether a column holds what the contract calls personal or health data, or is sealed."""
    return any(column.info.get("sealed") or class_of_column(column) in _OF_PERSONS
               for column in table.columns)  # fmt: skip


def class_of_column(column: Column[object]) -> int:
    """The class of the field that a column holds; unspecified for what is the service's own."""
    named = column.info.get("field")
    if not named or is_tenant(column):
        return int(options.DATA_CLASS_UNSPECIFIED)
    message, _, name = named.rpartition(".")
    return class_of(Default().FindMessageTypeByName(message).fields_by_name[name])


def is_tenant(column: Column[object]) -> bool:
    """Whether it is the column that every tenant's table begins with."""
    return column.name == TENANT_COLUMN and column.table.info["scope"] is Scope.TENANT


def referred(table: Table, column: str) -> Table | None:
    """The table that a column's reference leads to."""
    for constraint in table.foreign_key_constraints:
        if column in constraint.column_keys:
            return constraint.referred_table
    return None


def _is_bounded(table: Table) -> bool:
    """A table of the platform is kept to one organization by itself, or by what leads to it."""
    reach: Reach = table.info["reach"]
    if reach.within or not reach.through:
        return bool(reach.within)
    led = _reference(table).referred_table
    return led.info["scope"] is Scope.TENANT or _is_bounded(led)


def _through(table: Table, kind: str, row: str, depth: int) -> list[str]:
    """The condition that the row's reference leads to one about the person."""
    reference, there = _reference(table), f"t{depth + 1}"
    led = reference.referred_table
    found = condition(led, kind, there, depth + 1)
    if found is None:
        return []
    pairs = [f"{there}.{e.column.name} = {row}.{e.parent.name}" for e in reference.elements]
    joined = " AND ".join((*pairs, found))
    return [f"EXISTS (SELECT 1 FROM {led.name} {there} WHERE {joined})"]  # noqa: S608 - declared


def _reference(table: Table) -> ForeignKeyConstraint:
    through = table.info["reach"].through
    for constraint in table.foreign_key_constraints:
        if through in constraint.column_keys:
            return constraint
    raise Unreachable(f"column {through} of {table.name} refers to nothing")
