"""Rows of second factors. What decides about a code is a condition of the statement that uses it.

Two calls with one code take turns at the row, and the second finds the condition gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    SmallInteger,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or

from auth.domain.factors import MOST_FACTORS, Factor, Kind
from auth.storage.tables import app_user, backup_code, factor
from core.database import Transaction, statement
from core.database.statements import Row

_ADD = statement(
    insert_or(factor)
    .values(
        id=bindparam("id"),
        user_id=bindparam("user"),
        kind=bindparam("kind"),
        display_name=bindparam("display_name"),
        created_at=bindparam("at"),
        sealed=bindparam("sealed"),
        last_step=bindparam("last_step"),
        credential_id=bindparam("credential"),
        public_key=bindparam("public_key"),
        sign_count=bindparam("sign_count"),
    )
    .on_conflict_do_nothing(index_elements=[factor.c.credential_id])
)
_codes_left = (
    select(func.count())
    .select_from(backup_code)
    .where(backup_code.c.factor_id == factor.c.id, backup_code.c.used_at.is_(None))
    .scalar_subquery()
    .label("codes_left")
)
_OF = statement(
    select(
        factor.c.id,
        factor.c.user_id,
        factor.c.kind,
        factor.c.display_name,
        factor.c.created_at,
        factor.c.used_at,
        _codes_left,
    )
    .where(factor.c.user_id == bindparam("user"))
    .order_by(factor.c.id)
    .limit(MOST_FACTORS)
)
_DETAIL = select(
    factor.c.id,
    factor.c.user_id,
    factor.c.kind,
    factor.c.sealed,
    factor.c.credential_id,
    factor.c.public_key,
    factor.c.sign_count,
)
_SECRETS = statement(
    _DETAIL.where(factor.c.id == bindparam("id"), factor.c.user_id == bindparam("user"))
)
_BY_CREDENTIAL = statement(_DETAIL.where(factor.c.credential_id == bindparam("credential")))
_USE_STEP = statement(
    update(factor)
    .where(
        factor.c.id == bindparam("key"),
        factor.c.last_step < bindparam("step", type_=BigInteger),
    )
    .values(last_step=bindparam("step", type_=BigInteger), used_at=bindparam("at"))
)
# An authenticator that does not count says 0 each time; one that does never says less than before.
_USE_PASSKEY = statement(
    update(factor)
    .where(
        factor.c.id == bindparam("key"),
        or_(
            factor.c.sign_count < bindparam("count", type_=BigInteger),
            and_(factor.c.sign_count == 0, bindparam("count", type_=BigInteger) == 0),
        ),
    )
    .values(sign_count=bindparam("count", type_=BigInteger), used_at=bindparam("at"))
)
_USE = statement(
    update(factor).where(factor.c.id == bindparam("key")).values(used_at=bindparam("at"))
)
_RENAME = statement(
    update(factor)
    .where(factor.c.id == bindparam("key"), factor.c.user_id == bindparam("user"))
    .values(display_name=bindparam("display_name"))
)
_REMOVE = statement(
    delete(factor).where(factor.c.id == bindparam("key"), factor.c.user_id == bindparam("user"))
)
_ADD_CODE = statement(
    insert(backup_code).values(
        factor_id=bindparam("factor"), number=bindparam("number"), hash=bindparam("hash")
    )
)
_CODE = statement(
    select(backup_code.c.hash).where(
        backup_code.c.factor_id == bindparam("factor"),
        backup_code.c.number == bindparam("number", type_=SmallInteger),
        backup_code.c.used_at.is_(None),
    )
)
_USE_CODE = statement(
    update(backup_code)
    .where(
        backup_code.c.factor_id == bindparam("key"),
        backup_code.c.number == bindparam("place", type_=SmallInteger),
        backup_code.c.used_at.is_(None),
    )
    .values(used_at=bindparam("at"))
)
_OWNER = select(
    app_user.c.email, app_user.c.password_hash, app_user.c.disabled_at, app_user.c.language
).where(app_user.c.id == bindparam("id"))
_GET_OWNER = statement(_OWNER)
_LOCK_OWNER = statement(_OWNER.with_for_update(key_share=True))


@dataclass(frozen=True, slots=True)
class Secrets:
    """What decides about an answer. `sealed` is a seed or a telephone number."""

    id: UUID
    user: UUID
    kind: Kind
    sealed: bytes | None
    credential: bytes | None
    public_key: bytes | None
    sign_count: int | None


@dataclass(frozen=True, slots=True)
class NewFactor:
    """A factor that its owner has just confirmed; what its kind does not need is None."""

    id: UUID
    user: UUID
    kind: Kind
    display_name: str
    at: datetime
    sealed: bytes | None = None
    last_step: int | None = None
    credential: bytes | None = None
    public_key: bytes | None = None
    sign_count: int | None = None

    @property
    def factor(self) -> Factor:
        """As its owner sees it."""
        return Factor(self.id, self.user, self.kind, self.display_name, self.at)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose factors they are, as far as notices and challenges need it."""

    email: str
    password_hash: str
    disabled_at: datetime | None
    language: str


class Factors:
    """What people prove themselves with besides the password."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of(self, user: UUID) -> list[Factor]:
        """A person's factors, the oldest first."""
        rows = await self._tx.all(_OF, user=user)
        return [
            Factor(
                id=row.id,
                user=row.user_id,
                kind=Kind(row.kind),
                display_name=row.display_name,
                created_at=row.created_at,
                used_at=row.used_at,
                codes_left=row.codes_left,
            )
            for row in rows
        ]

    async def owner(self, user: UUID) -> Owner | None:
        """The account."""
        row = await self._tx.one(_GET_OWNER, id=user)
        return Owner(*row) if row else None

    async def lock_owner(self, user: UUID) -> Owner | None:
        """The account, held: whoever changes its factors takes turns."""
        row = await self._tx.one(_LOCK_OWNER, id=user)
        return Owner(*row) if row else None

    async def secrets(self, key: UUID, user: UUID) -> Secrets | None:
        """What decides about an answer with this factor of the person."""
        row = await self._tx.one(_SECRETS, id=key, user=user)
        return _secrets(row) if row else None

    async def by_credential(self, credential: bytes) -> Secrets | None:
        """The passkey of a credential."""
        row = await self._tx.one(_BY_CREDENTIAL, credential=credential)
        return _secrets(row) if row else None

    async def add(self, made: NewFactor) -> bool:
        """Add one. False: the credential is known already."""
        return bool(
            await self._tx.run(
                _ADD,
                id=made.id,
                user=made.user,
                kind=made.kind.value,
                display_name=made.display_name,
                at=made.at,
                sealed=made.sealed,
                last_step=made.last_step,
                credential=made.credential,
                public_key=made.public_key,
                sign_count=made.sign_count,
            )
        )

    async def use_step(self, key: UUID, step: int, at: datetime) -> bool:
        """Use the code of a step up. False: it, or a later one, was used before."""
        return bool(await self._tx.run(_USE_STEP, key=key, step=step, at=at))

    async def use_passkey(self, key: UUID, count: int, at: datetime) -> bool:
        """Note what the authenticator has counted. False: it has counted that far before."""
        return bool(await self._tx.run(_USE_PASSKEY, key=key, count=count, at=at))

    async def use(self, key: UUID, at: datetime) -> None:
        """Note that a factor has proven its owner."""
        await self._tx.run(_USE, key=key, at=at)

    async def rename(self, key: UUID, user: UUID, display_name: str) -> bool:
        """Give it another name. False: it is not the person's."""
        return bool(await self._tx.run(_RENAME, key=key, user=user, display_name=display_name))

    async def remove(self, key: UUID, user: UUID) -> bool:
        """Delete it, with its codes. False: it is not the person's."""
        return bool(await self._tx.run(_REMOVE, key=key, user=user))

    async def add_codes(self, key: UUID, hashes: Sequence[str]) -> None:
        """Keep a set of backup codes."""
        for number, kept in enumerate(hashes):
            await self._tx.run(_ADD_CODE, factor=key, number=number, hash=kept)

    async def code(self, key: UUID, number: int) -> str | None:
        """The hash of an unused backup code."""
        row = await self._tx.one(_CODE, factor=key, number=number)
        return str(row.hash) if row else None

    async def use_code(self, key: UUID, number: int, at: datetime) -> bool:
        """Use a backup code up. False: it was before."""
        return bool(await self._tx.run(_USE_CODE, key=key, place=number, at=at))


def _secrets(row: Row) -> Secrets:
    return Secrets(
        id=row.id,
        user=row.user_id,
        kind=Kind(row.kind),
        sealed=row.sealed,
        credential=row.credential_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
    )
