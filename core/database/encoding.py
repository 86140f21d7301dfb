"""Values as PostgreSQL's protocol takes them.

psycopg chooses a type by each value; a prepared statement that many calls share needs one type
for good. The statement's casts give it, so values travel as text, and UUIDs and bytes as they
are.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import DataError
from psycopg.types.json import Jsonb


def encode(values: Sequence[Any], binary: Sequence[bool]) -> list[bytes | None]:
    """Each value as bytes; `binary` says which parameters are UUIDs or bytes."""
    return [
        None if value is None else _binary(value) if raw else _without_nul(_text(value)).encode()
        for value, raw in zip(values, binary, strict=True)
    ]


def _without_nul(text: str) -> str:
    """PostgreSQL has no such character, and libpq would end the text there."""
    if "\0" in text:
        raise DataError("a text cannot hold NUL")
    return text


def _binary(value: Any) -> bytes:
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, bytes):
        return value
    raise TypeError(f"a parameter takes a UUID or bytes, not {type(value).__name__}")


def _text(value: Any) -> str:
    match value:
        case str():
            return str(value)
        case bool():
            return "t" if value else "f"
        case int() | float() | UUID() | Decimal():
            return str(value)
        case date():  # a datetime too
            return value.isoformat()
        case timedelta():
            return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
        case bytes():
            return f"\\x{value.hex()}"
        case list() | tuple():
            return "{" + ",".join(_element(item) for item in value) + "}"
        case Jsonb():
            return json.dumps(value.obj, ensure_ascii=False)
        case _:
            raise TypeError(f"no parameter takes a {type(value).__name__}")


def _element(value: Any) -> str:
    """One element of an array literal (PostgreSQL, 8.15.6)."""
    if value is None:
        return "NULL"
    escaped = _text(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
