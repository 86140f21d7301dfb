"""How tables are declared: each says whose rows it holds, each column says which field it is.

A tenant's table gets `organization_id` first in its primary key, its unique constraints, its
indexes and its foreign keys, so that no reference can cross tenants and data can be moved by
whole tenants. What is not a tenant's says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    Constraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import TypeEngine

TENANT_COLUMN = "organization_id"
RESTRICTED = "restricted_person"
ERASED = "erased_person"
"""The table of a service that says whose rows are kept and not processed (GDPR article 18)."""

_NAMES = {
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Scope(StrEnum):
    """Whose rows a table holds."""

    TENANT = "tenant"
    PLATFORM = "platform"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Reach:
    """How the persons are found whom a table's rows are about, beside the table's subject.

    Conditions are SQL text over a row called `{t}`; they may ask for `:people` (ids), `:names`
    (resource names) and `:organization_id`.
    """

    # Further columns that name a person, and which kind of person each names.
    also: Mapping[str, str] = field(default_factory=dict)
    # The column whose reference leads to a row that names the person.
    through: str = ""
    # Conditions of their own, by the kind of person.
    where: Mapping[str, str] = field(default_factory=dict)
    # What keeps to one organization in a table of the platform.
    within: str = ""
    # Columns that an export leaves out, and why.
    withheld: Mapping[str, str] = field(default_factory=dict)
    # Which rows the class of retention keeps, where it does not keep all of them.
    kept: str = ""
    # Why nobody is found though the rows hold what is about persons.
    nobody: str = ""


@dataclass(frozen=True, slots=True)
class _Unique:
    columns: tuple[str, ...]
    nulls_not_distinct: bool


@dataclass(frozen=True, slots=True)
class _Index:
    columns: tuple[str, ...]
    unique: bool
    where: str | None


@dataclass(frozen=True, slots=True)
class _Reference:
    columns: tuple[str, ...]
    to: str
    target: tuple[str, ...]
    on_delete: str | None


Item: TypeAlias = Column[Any] | Constraint | _Unique | _Index | _Reference


def new_metadata(service: str) -> MetaData:
    """The tables of one service; its name is also in the names of its database roles."""
    return MetaData(naming_convention=_NAMES, info={"service": service})


def column(
    name: str,
    type_: TypeEngine[Any] | type[TypeEngine[Any]],
    *,
    field: str | None = None,
    internal: str | None = None,
    secret: bool = False,
    sealed: bool = False,
    blind_index: str | None = None,
    primary_key: bool = False,
    nullable: bool = False,
    server_default: str | None = None,
) -> Column[Any]:
    """A column that says which contract field it holds, or why it is the service's own affair.

    `secret` and `sealed` values never enter an audit record. `blind_index` names the column
    that tells whether a sealed value changed. `server_default` is SQL text.
    """
    if (field is None) == (internal is None):
        raise ValueError(f"column {name} names either its field or a reason to be internal")
    described = {"field": field} if field else {"internal": internal}
    return Column(
        name,
        type_,
        primary_key=primary_key,
        nullable=nullable,
        server_default=None if server_default is None else text(server_default),
        info={**described, "secret": secret, "sealed": sealed, "blind_index": blind_index},
    )


def unique(*columns: str, nulls_not_distinct: bool = False) -> _Unique:
    """A unique constraint: within the tenant, for a tenant's table."""
    return _Unique(columns, nulls_not_distinct)


def index(*columns: str, unique: bool = False, where: str | None = None) -> _Index:
    """An index; the tenant comes first in a tenant's table. `where` is SQL text."""
    return _Index(columns, unique, where)


def reference(
    *columns: str, to: str, columns_there: Sequence[str] = ("id",), on_delete: str | None = None
) -> _Reference:
    """A foreign key to table `to`: within the tenant, for a tenant's table."""
    return _Reference(columns, to, tuple(columns_there), on_delete)


def _resolve(item: Item, table: str, first: tuple[str, ...]) -> Column[Any] | Constraint | Index:
    """The SQLAlchemy object for an item, with the tenant's column in front and a stable name."""
    match item:
        case _Unique(columns, nulls_not_distinct):
            return UniqueConstraint(
                *first,
                *columns,
                name="_".join(("uq", table, *columns)),
                postgresql_nulls_not_distinct=nulls_not_distinct,
            )
        case _Index(columns, is_unique, where):
            return Index(
                "_".join(("ix", table, *columns)),
                *first,
                *columns,
                unique=is_unique,
                postgresql_where=None if where is None else text(where),
            )
        case _Reference(columns, to, target, on_delete):
            return ForeignKeyConstraint(
                (*first, *columns),
                [f"{to}.{name}" for name in (*first, *target)],
                name="_".join(("fk", table, *columns, to)),
                ondelete=on_delete,
            )
        case _:
            return item


def _table(
    name: str,
    metadata: MetaData,
    items: Sequence[Item],
    first: tuple[str, ...],
    **described: object,
) -> Table:
    own = [_resolve(item, name, first) for item in items]
    if not any(isinstance(item, Column) and item.primary_key for item in own):
        raise ValueError(f"table {name} has no primary key")
    named = {item.name for item in own if isinstance(item, Column)} | set(first)
    subject = described.get("subject")
    if subject is not None and subject not in named:
        raise ValueError(f"table {name} has no column {subject} for its subject")
    return Table(name, metadata, *own, info=described)


def tenant_table(
    name: str,
    metadata: MetaData,
    *items: Item,
    subject: str | None,
    subject_kind: str = "patient",
    collection: str | None = None,
    also_visible: str | None = None,
    capture: bool = True,
    reason: str | None = None,
    reach: Reach | None = None,
    writable: bool = True,
    restrictable: bool = True,
    guards: Sequence[str] = (),
) -> Table:
    """A table whose rows each belong to one organization, behind forced row-level security.

    `subject` is the column that names the person a row is about; `reach` says how further persons
    are found, or how they are where no column names them. `also_visible` is an SQL
    condition for rows that may be read besides the tenant's own. A table that is not captured
    says why, for it holds nothing that could be lost or misused. One that is not writable is read
    by the app role and written by functions of the owner alone; one that is not restrictable shows
    its rows about a person whose data are restricted; `guards` names the triggers that its
    migration adds to those of every table.
    """
    if not capture and not reason:
        raise ValueError(f"table {name} says why its changes are not recorded")
    tenant = column(TENANT_COLUMN, Uuid, internal="The tenant.", primary_key=True)
    return _table(
        name,
        metadata,
        (tenant, *items),
        (TENANT_COLUMN,),
        scope=Scope.TENANT,
        subject=subject,
        subject_kind=subject_kind if subject else "",
        collection=collection or name,
        also_visible=also_visible,
        capture=capture,
        reason=reason,
        reach=reach or Reach(),
        writable=writable,
        restrictable=restrictable,
        guards=tuple(guards),
    )


def platform_table(
    name: str,
    metadata: MetaData,
    *items: Item,
    reason: str,
    subject: str | None = None,
    subject_kind: str = "patient",
    collection: str | None = None,
    reach: Reach | None = None,
) -> Table:
    """A table that serves all organizations, and says why. Its changes are recorded when any
    column holds a field of the contract.
    """
    holds_fields = any(isinstance(i, Column) and i.info.get("field") for i in items)
    return _table(
        name,
        metadata,
        items,
        (),
        scope=Scope.PLATFORM,
        reason=reason,
        subject=subject,
        subject_kind=subject_kind if subject else "",
        collection=collection or name,
        capture=holds_fields,
        reach=reach or Reach(),
    )


def queue_table(name: str, metadata: MetaData, *items: Item, reason: str) -> Table:
    """A table of work to pass on, written beside the change that asks for it, and emptied."""
    return _table(
        name, metadata, items, (), scope=Scope.QUEUE, reason=reason, capture=False, reach=Reach()
    )
