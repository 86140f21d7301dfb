"""Canaries in every personal column about a patient, whichever tables and columns there are.

They are written past the services, since no call reaches every column; so a column that is new is
sown too, and an export that leaves it out is found out.
"""

from dataclasses import dataclass, field
from importlib import import_module
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.subject.reach import class_of_column, tables_of
from medhub.options.v1 import data_pb2 as options
from tests.support.postgres import ServiceDatabase

_OF_PERSONS = (options.DATA_CLASS_PERSONAL, options.DATA_CLASS_HEALTH)


@dataclass
class Sown:
    """The canaries that stand somewhere, and the columns that take no text of one's own."""

    canaries: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)


def sow(database: ServiceDatabase, word: str, organization: UUID, patient: UUID) -> Sown:
    """Write a canary into each personal column of text that a patient is found in."""
    sown = Sown()
    metadata = import_module(f"{database.service}.storage.tables").metadata
    for table, found in tables_of(metadata, "patient"):
        for column in table.columns:
            personal = class_of_column(column) in _OF_PERSONS and not column.info["sealed"]
            # What the person is found by stays as it is.
            if personal and f"t0.{column.name} " not in found:
                _sow(database, sown, (table, found, column), word, (organization, patient))
    return sown


def _sow(
    database: ServiceDatabase,
    sown: Sown,
    place: tuple[Table, str, Column[object]],
    word: str,
    whose: tuple[UUID, UUID],
) -> None:
    table, found, column = place
    organization, patient = whose
    where = f"{database.service}.{table.name}.{column.name}"
    canary = f"{word}-{where}"
    value = _value(column, canary)
    if value is None:
        return
    condition = found.replace(":people", "%(people)s").replace(":names", "%(names)s")
    statement = (
        f'UPDATE {table.name} t0 SET "{column.name}" = %(value)s '
        f"WHERE t0.organization_id = %(organization)s AND {condition} RETURNING 1 AS done"
    )
    parameters = {
        "value": value, "organization": organization, "people": [patient],
        "names": [f"patients/{patient}"],
    }  # fmt: skip
    with psycopg.connect(database.admin_url) as connection:
        try:
            # Past the triggers too: some keep what is in the books as it is.
            connection.execute("SET LOCAL session_replication_role = replica")
            changed = connection.execute(statement, parameters).fetchall()
        except psycopg.errors.IntegrityError:
            sown.refused.add(where)
            return
    (sown.canaries if changed else sown.empty).add(canary if changed else where)


def _value(column: Column[object], canary: str) -> object:
    """The canary in the type of the column; None for a type that holds no words."""
    if isinstance(column.type, Text):
        return canary
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Text):
        return [canary]
    return Jsonb([canary]) if isinstance(column.type, JSONB) else None
