"""Rows of accounts. An organization acts on a membership, never on these."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.domain import accounts
from auth.domain.emails import email_key
from auth.storage.tables import app_user
from core.database import Row, Transaction, sql, statement

_ADD = statement(
    insert(app_user)
    .values(
        id=bindparam("id"),
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        password_hash=bindparam("password_hash"),
        created_at=bindparam("created_at"),
        email_verified_at=bindparam("verified_at"),
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
_GET_TEXT = """SELECT id, email, password_hash, disabled_at, deactivated, email_verified_at,
    display_name, language, time_zone, preferences, created_at, revision
    FROM app_user WHERE """
_GET = sql(f"{_GET_TEXT} id = :key", key=Uuid)
_LOCK = sql(f"{_GET_TEXT} id = :key FOR NO KEY UPDATE", key=Uuid)
_OF_ADDRESS = sql(f"{_GET_TEXT} email_key = :email_key", email_key=Text)
_SAVE = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(
        display_name=bindparam("display_name"),
        language=bindparam("language"),
        time_zone=bindparam("time_zone"),
        preferences=bindparam("preferences"),
        revision=app_user.c.revision + 1,
    )
)
_INTRODUCE = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(display_name=bindparam("display_name"), language=bindparam("language"))
)
_SET_PASSWORD = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(password_hash=bindparam("password_hash"))
)
_SET_EMAIL = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        email_verified_at=bindparam("at"),
        revision=app_user.c.revision + 1,
    )
)
_VERIFY = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(email_verified_at=bindparam("at"), revision=app_user.c.revision + 1)
)
_SHUT = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(
        disabled_at=bindparam("at", type_=app_user.c.disabled_at.type),
        deactivated=bindparam("deactivated"),
        revision=app_user.c.revision + 1,
    )
)
_ERASE = statement(
    update(app_user)
    .where(app_user.c.id == bindparam("key"))
    .values(
        email=bindparam("email"),
        email_key=bindparam("email_key"),
        password_hash="",
        disabled_at=bindparam("at"),
        deactivated=False,
        email_verified_at=None,
        display_name="",
        language="",
        time_zone="",
        preferences={},
        revision=app_user.c.revision + 1,
    )
)
_UNTIE = sql("DELETE FROM external_identity WHERE user_id = :key", key=Uuid)
_ALONE = sql("SELECT medhub.administered_alone(:key) AS place", key=Uuid)
_LEAVE = sql("SELECT medhub.leave_everywhere(:key) AS place", key=Uuid)
_FOLLOW = sql(
    "SELECT medhub.follow_address(:key, :email, :email_key, :at)",
    key=Uuid,
    email=Text,
    email_key=Text,
    at=app_user.c.created_at.type,
)
# What an account is called whose address was freed; no address ends so (RFC 2606).
RELEASED = "released.invalid"
DELETED = "deleted.invalid"


@dataclass(frozen=True, slots=True)
class Account:
    """What log-in needs to know."""

    id: UUID
    password_hash: str
    disabled_at: datetime | None


def _account(row: Row | None) -> accounts.Account | None:
    return accounts.Account(*row) if row else None


class Users:
    """People's accounts."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, email: str) -> Account | None:
        """The account of an address, however it is spelled."""
        row = await self._tx.one(_FIND, email_key=email_key(email))
        return Account(*row) if row else None

    async def add(
        self, key: UUID, email: str, at: datetime, password_hash: str, *, verified: bool = False
    ) -> bool:
        """Add an account; `verified`: its address is proven. False: the address has one already."""
        return bool(
            await self._tx.run(
                _ADD,
                id=key,
                email=email,
                email_key=email_key(email),
                password_hash=password_hash,
                created_at=at,
                verified_at=at if verified else None,
            )
        )

    async def add_federated(self, key: UUID, email: str, handle: str, at: datetime) -> None:
        """Add an account that a provider alone opens: no password, and it takes no address.

        `handle` stands where others have their address: nobody finds the account by one.
        """
        await self._tx.run(
            _ADD,
            id=key,
            email=email,
            email_key=handle,
            password_hash=_NONE,
            created_at=at,
            verified_at=None,
        )

    async def disable(self, key: UUID, at: datetime) -> None:
        """Shut an account out of the platform."""
        await self._tx.run(_DISABLE, key=key, at=at)

    async def get(self, key: UUID) -> accounts.Account | None:
        """The whole account."""
        return _account(await self._tx.one(_GET, key=key))

    async def lock(self, key: UUID) -> accounts.Account | None:
        """The whole account, held until the transaction ends."""
        return _account(await self._tx.one(_LOCK, key=key))

    async def of_address(self, email: str) -> accounts.Account | None:
        """The whole account of an address, however it is spelled."""
        return _account(await self._tx.one(_OF_ADDRESS, email_key=email_key(email)))

    async def save(self, account: accounts.Account) -> None:
        """Write what people change of an account that this transaction holds."""
        await self._tx.run(
            _SAVE,
            key=account.id,
            display_name=account.display_name,
            language=account.language,
            time_zone=account.time_zone,
            preferences=dict(account.preferences),
        )

    async def introduce(self, key: UUID, display_name: str, language: str) -> None:
        """Note how a person has called themselves who has just got the account."""
        await self._tx.run(_INTRODUCE, key=key, display_name=display_name, language=language)

    async def set_password(self, key: UUID, password_hash: str) -> None:
        """Give an account another password."""
        await self._tx.run(_SET_PASSWORD, key=key, password_hash=password_hash)

    async def set_email(self, key: UUID, email: str, at: datetime) -> None:
        """Give the acting person's account another address, proven now; memberships show it.

        An invitation to it, of an organization where the person is a member already, is void.
        Raises ConstraintViolated when it has an account.
        """
        given = {"key": key, "email": email, "email_key": email_key(email), "at": at}
        await self._tx.run(_SET_EMAIL, **given)
        await self._tx.one(_FOLLOW, **given)

    async def verify(self, key: UUID, at: datetime) -> None:
        """Note that the account's own address is proven."""
        await self._tx.run(_VERIFY, key=key, at=at)

    async def shut(self, key: UUID, at: datetime | None, *, deactivated: bool) -> None:
        """Shut an account in its owner's name, or (None) open it again."""
        await self._tx.run(_SHUT, key=key, at=at, deactivated=deactivated)

    async def erase(self, key: UUID, at: datetime) -> None:
        """Leave nothing of an account but its id."""
        await self._tx.run(_UNTIE, key=key)
        email = f"{key}@{DELETED}"
        await self._tx.run(_ERASE, key=key, email=email, email_key=email_key(email), at=at)

    async def administered_alone(self, key: UUID) -> list[UUID]:
        """The organizations that would be left without an administrator by the acting person.

        They are held until the transaction ends, so that two who leave at once take turns.
        """
        return [row.place for row in await self._tx.all(_ALONE, key=key)]

    async def leave_everywhere(self, key: UUID) -> list[UUID]:
        """Remove all memberships of the acting person; the organizations they were of."""
        return [row.place for row in await self._tx.all(_LEAVE, key=key)]

    async def release(self, key: UUID) -> None:
        """Take the address from an account, so that another can have it."""
        email = f"{key}@{RELEASED}"
        await self._tx.run(_RELEASE, key=key, email=email, email_key=email_key(email))
