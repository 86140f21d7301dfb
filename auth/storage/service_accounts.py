"""Rows of service accounts, and the ids of assertions that were used.

The table is the platform's, so what an organization may see says so in its WHERE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, any_, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from auth.domain.service_keys import MOST_KEYS, ServiceKey
from auth.storage.tables import (
    assertion,
    service_account,
    service_account_key,
    service_key_use,
)
from core.database import Transaction, after, statement
from core.ids import new_id

_COLUMNS = (
    service_account.c.id,
    service_account.c.organization_id,
    service_account.c.display_name,
    service_account.c.public_key,
    service_account.c.roles,
    service_account.c.disabled_at,
    service_account.c.created_at,
    service_account.c.updated_at,
    service_account.c.revision,
)
_HERE = service_account.c.organization_id == bindparam("organization_id")
_ONE = select(*_COLUMNS).where(_HERE, service_account.c.id == bindparam("id"))
_GET = statement(_ONE)
_LOCK = statement(_ONE.with_for_update())
_BY_KEY = statement(
    select(*_COLUMNS).where(service_account.c.public_key == bindparam("public_key"))
)
_PAGE = (
    select(*_COLUMNS)
    .where(_HERE)
    .order_by(service_account.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_FIRST = statement(_PAGE)
_NEXT = statement(_PAGE.where(after(service_account.c.id)))
_ADD = statement(
    insert(service_account).values(
        id=bindparam("id"),
        organization_id=bindparam("owner"),
        display_name=bindparam("display_name"),
        public_key=bindparam("public_key"),
        roles=bindparam("roles"),
        created_at=bindparam("created_at"),
        updated_at=bindparam("updated_at"),
        revision=bindparam("revision"),
    )
)
_DISABLE = statement(
    update(service_account)
    .where(_HERE, service_account.c.id == bindparam("key"))
    .values(
        disabled_at=bindparam("at"),
        updated_at=bindparam("at"),
        revision=service_account.c.revision + 1,
    )
)
# Only a server of the platform is registered anew.
_REGISTER = statement(
    update(service_account)
    .where(service_account.c.organization_id.is_(None), service_account.c.id == bindparam("key"))
    .values(
        display_name=bindparam("display_name"),
        roles=bindparam("roles"),
        updated_at=bindparam("at"),
        revision=service_account.c.revision + 1,
    )
)
_DISABLE_SERVER = statement(
    update(service_account)
    .where(
        service_account.c.organization_id.is_(None),
        service_account.c.id == bindparam("key"),
        service_account.c.disabled_at.is_(None),
    )
    .values(
        disabled_at=bindparam("at"),
        updated_at=bindparam("at"),
        revision=service_account.c.revision + 1,
    )
)
_SET_ROLES = statement(
    update(service_account)
    .where(_HERE, service_account.c.id == bindparam("key"))
    .values(
        roles=bindparam("roles"),
        updated_at=bindparam("at"),
        revision=service_account.c.revision + 1,
    )
)
_TOUCH = statement(
    update(service_account)
    .where(_HERE, service_account.c.id == bindparam("key"))
    .values(updated_at=bindparam("at"), revision=service_account.c.revision + 1)
)
_ADD_KEY = statement(insert(service_account_key))
_REMOVE_KEY = statement(
    delete(service_account_key).where(service_account_key.c.id == bindparam("key"))
)
_KEYS_OF = statement(
    select(
        service_account_key.c.id,
        service_account_key.c.account_id,
        service_account_key.c.public_key,
        service_account_key.c.created_at,
        service_account_key.c.expires_at,
        service_key_use.c.used_at,
    )
    .outerjoin(service_key_use, service_key_use.c.key_id == service_account_key.c.id)
    .where(service_account_key.c.account_id == any_(bindparam("accounts", type_=ARRAY(Uuid))))
    .order_by(service_account_key.c.created_at, service_account_key.c.id)
    .limit(bindparam("limit", type_=Integer))
)
# The key is looked at again where its use is noted: since it was verified it may have been removed.
_USE_KEY = statement(
    text(
        """INSERT INTO service_key_use AS held (key_id, used_at)
        SELECT k.id, :at FROM service_account_key k
        WHERE k.id = :key AND (k.expires_at IS NULL OR k.expires_at > :at)
        ON CONFLICT (key_id) DO UPDATE SET used_at = GREATEST(held.used_at, excluded.used_at)"""
    ).bindparams(
        bindparam("key", type_=Uuid), bindparam("at", type_=service_account.c.created_at.type)
    )
)
_USE = statement(insert(assertion).on_conflict_do_nothing())
_FORGET = statement(delete(assertion).where(assertion.c.expires_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A program. No organization: a server of the platform."""

    id: UUID
    organization: UUID | None
    display_name: str
    public_key: bytes
    roles: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int


def _account(row: Sequence[object]) -> ServiceAccount:
    values = list(row)
    values[4] = tuple(values[4])  # type: ignore[arg-type]  # text[] comes as a list
    return ServiceAccount(*values)  # type: ignore[arg-type]


class ServiceAccounts:
    """Programs that act."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, key: UUID) -> ServiceAccount | None:
        """One of the organization's."""
        row = await self._tx.one(_GET, id=key)
        return _account(row) if row else None

    async def lock(self, key: UUID) -> ServiceAccount | None:
        """One of the organization's, held until the transaction ends."""
        row = await self._tx.one(_LOCK, id=key)
        return _account(row) if row else None

    async def with_key(self, public_key: bytes) -> ServiceAccount | None:
        """The one account of a key, of whatever organization."""
        row = await self._tx.one(_BY_KEY, public_key=public_key)
        return _account(row) if row else None

    async def page(self, key: tuple[object, ...], limit: int) -> list[ServiceAccount]:
        """The organization's, oldest first, after the key of the page before."""
        if key:
            rows = await self._tx.all(_NEXT, limit=limit, after_id=key[0])
        else:
            rows = await self._tx.all(_FIRST, limit=limit)
        return [_account(row) for row in rows]

    async def add(self, made: ServiceAccount) -> None:
        """Add one, with its first key. Raises ConstraintViolated for a key that is known."""
        await self._tx.run(
            _ADD,
            id=made.id,
            owner=made.organization,
            display_name=made.display_name,
            public_key=made.public_key,
            roles=list(made.roles),
            created_at=made.created_at,
            updated_at=made.updated_at,
            revision=made.revision,
        )
        await self.add_key(ServiceKey(new_id(), made.id, made.public_key, made.created_at))

    async def add_key(self, made: ServiceKey) -> None:
        """Add a key. Raises ConstraintViolated for one that proves an account already."""
        await self._tx.run(
            _ADD_KEY,
            id=made.id,
            account_id=made.account,
            public_key=made.public_key,
            created_at=made.created_at,
            expires_at=made.expires_at,
        )

    async def remove_key(self, key: UUID) -> None:
        """Remove a key."""
        await self._tx.run(_REMOVE_KEY, key=key)

    async def keys_of(self, accounts: Sequence[UUID]) -> list[ServiceKey]:
        """The keys of each account, oldest first, expired ones too."""
        limit = MOST_KEYS * max(len(accounts), 1)
        rows = await self._tx.all(_KEYS_OF, accounts=list(accounts), limit=limit)
        return [ServiceKey(*row) for row in rows]

    async def use_key(self, key: UUID, at: datetime) -> bool:
        """Note that a token is got with a key. False: it is not good any more."""
        return bool(await self._tx.run(_USE_KEY, key=key, at=at))

    async def set_roles(self, key: UUID, roles: Sequence[str], at: datetime) -> None:
        """Give one of the organization's other roles."""
        await self._tx.run(_SET_ROLES, key=key, roles=list(roles), at=at)

    async def touch(self, key: UUID, at: datetime) -> None:
        """Note that one of the organization's has changed: its keys have."""
        await self._tx.run(_TOUCH, key=key, at=at)

    async def disable(self, key: UUID, at: datetime) -> None:
        """Shut one of the organization's out."""
        await self._tx.run(_DISABLE, key=key, at=at)

    async def register(
        self, key: UUID, display_name: str, roles: Sequence[str], at: datetime
    ) -> None:
        """Give a server of the platform another name and other roles."""
        await self._tx.run(_REGISTER, key=key, display_name=display_name, roles=list(roles), at=at)

    async def disable_server(self, key: UUID, at: datetime) -> bool:
        """Shut a server of the platform out. False: there is none of this id that is not out."""
        return bool(await self._tx.run(_DISABLE_SERVER, key=key, at=at))

    async def use_assertion(self, account: UUID, jti: str, expires_at: datetime) -> bool:
        """Use up an assertion's id. False: it was used before."""
        return bool(await self._tx.run(_USE, account_id=account, jti=jti, expires_at=expires_at))

    async def forget_assertions(self, before: datetime) -> None:
        """Delete ids of assertions that are refused for their age."""
        await self._tx.run(_FORGET, before=before)
