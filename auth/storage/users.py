"""Rows of accounts. An organization acts on a membership, never on these."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.domain.emails import email_key
from auth.storage.tables import app_user
from core.database import Transaction, statement

_ADD = statement(
    insert(app_user)
    .values(
        id=bindparam("id"),
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        password_hash=bindparam("password_hash"),
        created_at=bindparam("created_at"),
    )
    .on_conflict_do_nothing(index_elements=[app_user.c.email_key])
)
_FIND = statement(
    select(app_user.c.id, app_user.c.password_hash, app_user.c.disabled_at).where(
        app_user.c.email_key == bindparam("email_key")
    )
)
_DISABLE = statement(
    update(app_user).where(app_user.c.id == bindparam("key")).values(disabled_at=bindparam("at"))
)
_RELEASE = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(email=bindparam("email"), email_key=bindparam("email_key"))
)
# No password has this hash.
_NONE = ""
# What an account is called whose address was freed; no address ends so (RFC 2606).
RELEASED = "released.invalid"


@dataclass(frozen=True, slots=True)
class Account:
    """What log-in needs to know."""

    id: UUID
    password_hash: str
    disabled_at: datetime | None


class Users:
    """People's accounts."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, email: str) -> Account | None:
        """The account of an address, however it is spelled."""
        row = await self._tx.one(_FIND, email_key=email_key(email))
        return Account(*row) if row else None

    async def add(self, key: UUID, email: str, at: datetime, password_hash: str) -> bool:
        """Add an account. False: the address has one already."""
        return bool(
            await self._tx.run(
                _ADD,
                id=key,
                email=email,
                email_key=email_key(email),
                password_hash=password_hash,
                created_at=at,
            )
        )

    async def add_federated(self, key: UUID, email: str, handle: str, at: datetime) -> None:
        """Add an account that a provider alone opens: no password, and it takes no address.

        `handle` stands where others have their address: nobody finds the account by one.
        """
        await self._tx.run(
            _ADD, id=key, email=email, email_key=handle, password_hash=_NONE, created_at=at
        )

    async def disable(self, key: UUID, at: datetime) -> None:
        """Shut an account out of the platform."""
        await self._tx.run(_DISABLE, key=key, at=at)

    async def release(self, key: UUID) -> None:
        """Take the address from an account, so that another can have it."""
        email = f"{key}@{RELEASED}"
        await self._tx.run(_RELEASE, key=key, email=email, email_key=email_key(email))
