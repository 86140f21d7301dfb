"""Rows of the organization's own roles; the built-in ones are code."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Text, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import any_

from auth.storage.tables import role
from core.database import Transaction, statement

MOST_ROLES = 500  # of one organization, shown and looked through at once

_ALL = statement(
    select(role.c.id, role.c.display_name, role.c.permissions).order_by(role.c.id).limit(MOST_ROLES)
)
_SOME = statement(
    select(role.c.id, role.c.permissions).where(
        role.c.id == any_(bindparam("ids", type_=ARRAY(Text)))
    )
)
# KEY SHARE: it may be changed meanwhile, and is not deleted while somebody is given it.
_HOLD = statement(
    select(role.c.id, role.c.permissions)
    .where(role.c.id == any_(bindparam("ids", type_=ARRAY(Text))))
    .order_by(role.c.id)
    .with_for_update(read=True, key_share=True)
)
_ADD = statement(insert(role))


class Roles:
    """The roles that the organization of the transaction has defined."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def all(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Id, display name and permissions of each, by id."""
        rows = await self._tx.all(_ALL)
        return [(row.id, row.display_name, tuple(row.permissions)) for row in rows]

    async def permissions(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """The permissions of those of the ids that the organization has defined."""
        rows = await self._tx.all(_SOME, ids=list(ids))
        return {row.id: frozenset(row.permissions) for row in rows}

    async def hold(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """As `permissions`; none of them is deleted before the transaction ends."""
        rows = await self._tx.all(_HOLD, ids=list(ids))
        return {row.id: frozenset(row.permissions) for row in rows}

    async def add(
        self, key: str, display_name: str, permissions: Iterable[str], at: datetime
    ) -> None:
        """Define one. Raises ConstraintViolated (pk_role) when the id is taken."""
        await self._tx.run(
            _ADD,
            id=key,
            display_name=display_name,
            permissions=list(permissions),
            created_at=at,
        )
