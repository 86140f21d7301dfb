"""Rows of the organization's own roles; the built-in ones are code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import any_

from auth.storage.tables import role
from core.database import Transaction, statement
from core.database.statements import Row

MOST_ROLES = 500  # of one organization, shown and looked through at once

_COLUMNS = (
    role.c.id,
    role.c.display_name,
    role.c.permissions,
    role.c.created_at,
    role.c.updated_at,
    role.c.revision,
)
_ALL = statement(select(*_COLUMNS).order_by(role.c.id).limit(MOST_ROLES))
_ONE = select(*_COLUMNS).where(role.c.id == bindparam("id"))
_GET = statement(_ONE)
_LOCK = statement(_ONE.with_for_update())
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
_ADD = statement(insert(role).values({each.name: bindparam(each.name) for each in role.columns}))
_SAVE = statement(
    update(role)
    .where(role.c.id == bindparam("key"))
    .values(
        display_name=bindparam("display_name"),
        permissions=bindparam("permissions"),
        updated_at=bindparam("updated_at"),
        revision=role.c.revision + 1,
    )
)
_REMOVE = statement(delete(role).where(role.c.id == bindparam("key")))
# A suspended member holds it too: they have it again once they are let in.
_HELD = statement(
    text(
        """SELECT EXISTS (
            SELECT 1 FROM membership m WHERE m.organization_id = :organization_id
            AND (:role = ANY (m.roles)
                OR m.timed_roles @> jsonb_build_array(jsonb_build_object('role', :role)))
        ) OR EXISTS (
            SELECT 1 FROM service_account a
            WHERE a.organization_id = :organization_id AND :role = ANY (a.roles)
        ) OR EXISTS (
            SELECT 1 FROM organization o
            WHERE o.id = :organization_id AND :role = ANY (o.registration_roles)
        ) OR EXISTS (
            SELECT 1 FROM identity_provider p WHERE p.organization_id = :organization_id
            AND (:role = ANY (p.group_roles) OR :role = ANY (p.default_roles))
        ) AS held"""
    ).bindparams(
        bindparam("organization_id", type_=role.c.organization_id.type),
        bindparam("role", type_=Text),
    )
)


@dataclass(frozen=True, slots=True)
class OwnRole:
    """A role that an organization has defined. `permissions` are sorted."""

    id: str
    display_name: str
    permissions: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    revision: int


class Roles:
    """The roles that the organization of the transaction has defined."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def all(self) -> list[OwnRole]:
        """Each, by id."""
        return [_role(row) for row in await self._tx.all(_ALL)]

    async def get(self, key: str) -> OwnRole | None:
        """One of the organization's own."""
        row = await self._tx.one(_GET, id=key)
        return _role(row) if row else None

    async def lock(self, key: str) -> OwnRole | None:
        """One of the organization's own. Nobody changes it, or is given it, before the
        transaction ends.
        """
        row = await self._tx.one(_LOCK, id=key)
        return _role(row) if row else None

    async def permissions(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """The permissions of those of the ids that the organization has defined."""
        rows = await self._tx.all(_SOME, ids=list(ids))
        return {row.id: frozenset(row.permissions) for row in rows}

    async def hold(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """As `permissions`; none of them is deleted before the transaction ends."""
        rows = await self._tx.all(_HOLD, ids=list(ids))
        return {row.id: frozenset(row.permissions) for row in rows}

    async def is_held(self, key: str) -> bool:
        """Whether somebody holds it, now or at another time, is invited to it, or gets it by
        joining. Members of the organization are looked through, and nobody else's.
        """
        row = await self._tx.one(_HELD, role=key)
        return bool(row and row.held)

    async def add(self, made: OwnRole) -> None:
        """Define one. Raises ConstraintViolated (pk_role) when the id is taken."""
        await self._tx.run(
            _ADD,
            id=made.id,
            display_name=made.display_name,
            permissions=list(made.permissions),
            created_at=made.created_at,
            updated_at=made.updated_at,
            revision=made.revision,
        )

    async def save(
        self, key: str, display_name: str, permissions: Sequence[str], at: datetime
    ) -> None:
        """Write what can change of one that this transaction holds."""
        await self._tx.run(
            _SAVE,
            key=key,
            display_name=display_name,
            permissions=list(permissions),
            updated_at=at,
        )

    async def remove(self, key: str) -> None:
        """Delete one that this transaction holds."""
        await self._tx.run(_REMOVE, key=key)


def _role(row: Row) -> OwnRole:
    return OwnRole(
        id=row.id,
        display_name=row.display_name,
        permissions=tuple(sorted(row.permissions)),
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
    )
