"""The parts of packages, sealed under the key of the person they are about."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, delete, insert, select

from compliance.domain.keys import KeyDestroyed
from compliance.storage.keys import Keys
from compliance.storage.tables import access_package_part
from core.crypto.seal import open_sealed, seal
from core.database import Transaction, statement

_PART = access_package_part.c
_ADD = statement(insert(access_package_part))
_AFTER = statement(
    select(_PART.position, _PART.content)
    .where(
        _PART.request_id == bindparam("of_request", type_=Uuid),
        _PART.position > bindparam("after", type_=BigInteger),
    )
    .order_by(_PART.position)
    .limit(1)
)
_CLEAR = statement(
    delete(access_package_part).where(
        _PART.request_id == bindparam("of_request", type_=Uuid),
        _PART.position >= bindparam("first", type_=BigInteger),
        _PART.position < bindparam("end", type_=BigInteger),
    )
)


class Part(NamedTuple):
    """A part of the document in clear, and its place."""

    position: int
    content: bytes


class AccessPackages:
    """The packages of the organization."""

    def __init__(self, tx: Transaction, keys: Keys) -> None:
        self._tx = tx
        self._keys = keys

    async def add(self, request: UUID, key_name: str, part: Part) -> None:
        """Store a part. Raises KeyDestroyed when the person has been forgotten meanwhile."""
        key = await self._key(key_name)
        content = seal(key, part.content, _bound_to(request, part.position))
        await self._tx.run(_ADD, request_id=request, position=part.position, content=content)

    async def after(self, request: UUID, key_name: str, position: int) -> Part | None:
        """The part behind a position; None when there is none. Raises KeyDestroyed."""
        row = await self._tx.one(_AFTER, of_request=request, after=position)
        if row is None:
            return None
        key = await self._key(key_name)
        return Part(row.position, open_sealed(key, row.content, _bound_to(request, row.position)))

    async def clear(self, request: UUID, first: int, end: int) -> None:
        """Forget the parts from `first` on, up to `end`: their service is asked anew."""
        await self._tx.run(_CLEAR, of_request=request, first=first, end=end)

    async def _key(self, name: str) -> bytes:
        opened = await self._keys.open([name])
        if name not in opened:
            raise KeyDestroyed
        return opened[name]


def _bound_to(request: UUID, position: int) -> bytes:
    """No part can be moved within its package, nor into another's."""
    return b"compliance.access_package_part/" + request.bytes + position.to_bytes(8)
