"""Identifiers: UUIDv7 (RFC 9562) for rows, and the AIP-122 names that carry them."""

import os
import re
import time
from uuid import UUID

from core.errors import InvalidName

_RANDOM_BITS = (1 << 62) - 1
_SPELLING = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, then 74 random bits.

    Rows made one after the other stand one after the other in an index; nothing else may be
    read from the order, and none of it is a secret.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFFFFFFFFFF) << 16 | 0x7000 | random >> 68
    return UUID(int=high << 64 | 0b10 << 62 | random & _RANDOM_BITS)


def name_of(collection: str, row: UUID) -> str:
    """`patients/0198…` from a collection and a row's id."""
    return f"{collection}/{row}"


def id_from(name: str, collection: str, *, field: str = "name") -> UUID:
    """The id inside a resource name.

    Raises InvalidName (INVALID_ARGUMENT, naming the field) for another collection, another
    spelling of the UUID, or anything else than exactly `collection/uuid`.
    """
    prefix, _, text = name.partition("/")
    if prefix != collection or not _SPELLING.fullmatch(text):
        raise InvalidName(field=field)
    return UUID(text)
