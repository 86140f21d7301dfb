"""Rows of challenges and begun enrolments: what was proven so far, and what is to be answered.

A try is counted before the answer is looked at, in a transaction of its own; a challenge is
answered by the one statement that finds it unanswered.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, insert, update

from auth.domain.factors import Kind
from auth.domain.sessions import NOTHING, Proof
from auth.storage.tables import challenge
from core.database import Transaction, statement
from core.database.statements import Row

_ADD = statement(insert(challenge))
_open = (
    challenge.c.hash == bindparam("key"),
    challenge.c.used_at.is_(None),
    challenge.c.expires_at > bindparam("at"),
    challenge.c.tries_left > 0,
)
_TRY = statement(
    update(challenge)
    .where(*_open)
    .values(tries_left=challenge.c.tries_left - 1)
    .returning(*challenge.c)
)
_SEND = statement(
    update(challenge)
    .where(*_open, challenge.c.codes_left > 0)
    .values(
        codes_left=challenge.c.codes_left - 1,
        code_hash=bindparam("code_hash"),
        code_factor=bindparam("factor", type_=Uuid),
    )
)
_FIND = statement(challenge.select().where(*_open).with_for_update())
_USE = statement(
    update(challenge)
    .where(challenge.c.hash == bindparam("key"), challenge.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
)
_FORGET = statement(delete(challenge).where(challenge.c.expires_at < bindparam("before")))


class Purpose(StrEnum):
    """What an answered challenge leads to."""

    LOGIN = "login"
    STEP_UP = "step_up"
    PASSKEY = "passkey"
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One of them. What its purpose does not need is None or empty.

    `password` is a digest of the hash that was proven: with another one the challenge is void.
    """

    hash: bytes
    purpose: Purpose
    expires_at: datetime
    user: UUID | None = None
    session: UUID | None = None
    organization: UUID | None = None
    proof: Proof = NOTHING
    password: bytes | None = None
    kind: Kind | None = None
    display_name: str = ""
    sealed: bytes | None = None
    nonce: bytes | None = None
    code_hash: bytes | None = None
    code_factor: UUID | None = None


class Challenges:
    """What has been asked and not answered."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Challenge, tries: int, codes: int, at: datetime) -> None:
        """Keep one that was asked."""
        await self._tx.run(
            _ADD,
            hash=made.hash,
            purpose=made.purpose.value,
            user_id=made.user,
            session_id=made.session,
            wanted_id=made.organization,
            level=made.proof.level,
            methods=list(made.proof.methods),
            password=made.password,
            kind=made.kind.value if made.kind else None,
            display_name=made.display_name,
            sealed=made.sealed,
            nonce=made.nonce,
            code_hash=made.code_hash,
            code_factor=made.code_factor,
            tries_left=tries,
            codes_left=codes,
            created_at=at,
            expires_at=made.expires_at,
            used_at=None,
        )

    async def find(self, key: bytes, at: datetime) -> Challenge | None:
        """An open one, held until the transaction ends."""
        row = await self._tx.one(_FIND, key=key, at=at)
        return _challenge(row) if row else None

    async def attempt(self, key: bytes, at: datetime) -> Challenge | None:
        """Count a try at an open one, before its answer is looked at. None: there is no such."""
        row = await self._tx.one(_TRY, key=key, at=at)
        return _challenge(row) if row else None

    async def sent(self, key: bytes, code_hash: bytes, factor: UUID | None, at: datetime) -> bool:
        """Expect a code that is being sent. False: no more may be."""
        return bool(await self._tx.run(_SEND, key=key, at=at, code_hash=code_hash, factor=factor))

    async def use(self, key: bytes, at: datetime) -> bool:
        """Take it as answered. False: it was before."""
        return bool(await self._tx.run(_USE, key=key, at=at))

    async def forget(self, before: datetime) -> None:
        """Delete those that have been too old since before then."""
        await self._tx.run(_FORGET, before=before)


def _challenge(row: Row) -> Challenge:
    return Challenge(
        hash=row.hash,
        purpose=Purpose(row.purpose),
        expires_at=row.expires_at,
        user=row.user_id,
        session=row.session_id,
        organization=row.wanted_id,
        proof=Proof(row.level, tuple(row.methods)),
        password=row.password,
        kind=Kind(row.kind) if row.kind else None,
        display_name=row.display_name,
        sealed=row.sealed,
        nonce=row.nonce,
        code_hash=row.code_hash,
        code_factor=row.code_factor,
    )
