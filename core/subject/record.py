"""From a row to the record that a person is shown, and what each of its columns holds."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from google.protobuf.descriptor_pool import Default
from sqlalchemy import Column, LargeBinary, Table

from core.contract.fields import data_of
from core.database.tables import Reach
from core.subject.reach import class_of_column, is_tenant, persons_of
from medhub.options.v1 import data_pb2 as options
from medhub.subject.v1.subject_pb2 import HeldField

OPENS_SOMETHING = "It is or opens a secret."
DIGEST = "It is a key or a digest, and says nothing."
ANOTHER = "It names another person."


@dataclass(frozen=True, slots=True)
class Shown:
    """The columns of a table, for one kind of person or for the organization."""

    # Those that are read, in their order; some are needed to open others.
    columns: tuple[str, ...]
    # Those of them that are shown.
    told: frozenset[str]
    # Those of them that are shown and stored sealed.
    sealed: frozenset[str]
    # Rows may be large: a column holds bytes.
    large: bool
    fields: tuple[HeldField, ...]


def shown_of(table: Table, kind: str, service: str) -> Shown:
    """What a person of this kind is shown of a table."""
    return _shown(table, service, lambda column: _withheld(column, kind))


def shown_whole(table: Table, service: str, withheld: Mapping[str, str]) -> Shown:
    """What the organization itself is shown of a table: all but secrets, and these columns."""
    return _shown(table, service, lambda column: withheld.get(column.name) or _secret(column))


def _shown(table: Table, service: str, why: Callable[[Column[Any]], str]) -> Shown:
    columns = [column for column in table.columns if not is_tenant(column)]
    withheld = {column.name: why(column) for column in columns}
    told = frozenset(name for name, reason in withheld.items() if not reason)
    return Shown(
        columns=tuple(column.name for column in columns),
        told=told,
        sealed=frozenset(c.name for c in columns if c.name in told and c.info["sealed"]),
        large=any(isinstance(column.type, LargeBinary) for column in columns),
        fields=tuple(_field(column, service, withheld[column.name]) for column in columns),
    )


def text_of(values: Mapping[str, object]) -> str:
    """A record as JSON, in its order."""
    return json.dumps(values, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _withheld(column: Column[Any], kind: str) -> str:
    """Why a column is not shown to a person of this kind; empty when it is."""
    reach: Reach = column.table.info["reach"]
    persons = persons_of(column.table)
    if column.name in reach.withheld:
        return reach.withheld[column.name]
    if secret := _secret(column):
        return secret
    if persons.get(column.name, kind) != kind:
        return ANOTHER
    return ""


def _secret(column: Column[Any]) -> str:
    """Why a column is shown to nobody; empty when it may be."""
    if class_of_column(column) == options.DATA_CLASS_SECRET:
        return OPENS_SOMETHING
    if column.info.get("internal") and column.info["secret"]:
        return DIGEST
    return ""


def _field(column: Column[Any], service: str, withheld: str) -> HeldField:
    named = column.info.get("field") or ""
    if not named:
        return HeldField(
            column=column.name, meaning=column.info["internal"], withheld=withheld,
            retention=service,
        )  # fmt: skip
    message, _, name = named.rpartition(".")
    data = data_of(Default().FindMessageTypeByName(message).fields_by_name[name])
    told = HeldField(
        column=column.name,
        field=named,
        category=data.category,
        retention=data.retention or service,
        portable=data.portable,
        withheld=withheld,
    )
    setattr(told, "class", getattr(data, "class"))
    return told


def _plain(value: object) -> object:
    """A value that JSON does not know."""
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return _bytes(value)
    raise TypeError(f"{type(value).__name__} cannot be shown")


def _bytes(value: bytes) -> object:
    """Bytes as the text that they are, or as base64."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
