"""Rows of sessions and of their refresh tokens, of which only hashes are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Integer,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or

from auth.domain.sessions import RefreshState
from auth.storage.tables import app_user, auth_revision, organization, refresh_token, session
from core.database import Transaction, sql, statement

_REVISION = select(auth_revision.c.value).scalar_subquery()
# Read with the session, so what ends sessions later has a higher one.
_GIVEN: dict[str, BindParameter[Any]] = {
    each.name: bindparam(each.name) for each in session.columns
}
_ADD = statement(insert(session).values({**_GIVEN, "revision": _REVISION}))
# The sessions of an organization, and of everybody, are ended by one number and not row by row.
_EPOCH = func.greatest(
    select(auth_revision.c.session_epoch).scalar_subquery(),
    func.coalesce(
        select(organization.c.session_epoch)
        .where(organization.c.id == session.c.organization_id)
        .scalar_subquery(),
        0,
    ),
)
_ADD_TOKEN = statement(
    insert_or(refresh_token)
    .values(
        hash=bindparam("hash"),
        session_id=bindparam("session"),
        created_at=bindparam("at"),
        expires_at=bindparam("expires_at"),
    )
    .on_conflict_do_nothing()
)
_BY_TOKEN = statement(
    select(session.c.id, session.c.user_id, session.c.organization_id)
    .join(refresh_token, refresh_token.c.session_id == session.c.id)
    .where(refresh_token.c.hash == bindparam("hash"))
)
_LOCK = statement(
    select(
        session.c.id,
        session.c.user_id,
        session.c.organization_id,
        session.c.created_at,
        session.c.expires_at,
        session.c.level,
        session.c.methods,
        session.c.revoked_at,
        func.coalesce(session.c.authenticated_at, session.c.created_at).label("authenticated_at"),
        (session.c.revision < _EPOCH).label("ended"),
    )
    .where(session.c.id == bindparam("id"))
    .with_for_update(key_share=True, of=session)
)
_successor = refresh_token.alias("next_token")
_TOKEN = statement(
    select(
        refresh_token.c.expires_at,
        refresh_token.c.spent_at,
        refresh_token.c.spent_by,
        _successor.c.spent_at.label("successor_spent_at"),
    )
    .outerjoin(_successor, _successor.c.hash == refresh_token.c.successor)
    .where(refresh_token.c.hash == bindparam("hash"))
)
_SPEND = statement(
    update(refresh_token)
    .where(refresh_token.c.hash == bindparam("key"), refresh_token.c.spent_at.is_(None))
    .values(
        spent_at=bindparam("spent_at"),
        spent_by=bindparam("spent_by"),
        successor=bindparam("successor"),
    )
)
_SPEND_ALL = statement(
    update(refresh_token)
    .where(
        refresh_token.c.session_id == bindparam("session"),
        refresh_token.c.spent_at.is_(None),
    )
    .values(spent_at=bindparam("spent_at"))
)
_MOVE = statement(
    update(session)
    .where(session.c.id == bindparam("key"))
    .values(
        organization_id=bindparam("organization"),
        expires_at=bindparam("ends"),
        revision=_REVISION,
    )
)
_REVOKE = statement(
    update(session)
    .where(
        session.c.id == bindparam("key"),
        session.c.user_id == bindparam("user"),
        session.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("at"))
)
_REVOKE_IN_ORGANIZATION = statement(
    update(session)
    .where(
        session.c.user_id == bindparam("user"),
        session.c.organization_id == bindparam("organization"),
        session.c.revoked_at.is_(None),
        session.c.expires_at > bindparam("at"),
    )
    .values(revoked_at=bindparam("at"))
    .returning(session.c.id)
)
# Whoever opens a session refers to the account's row, so none is opened meanwhile and missed.
_HOLD_USER = statement(
    select(app_user.c.id).where(app_user.c.id == bindparam("id")).with_for_update()
)
_REVOKE_ALL = statement(
    update(session)
    .where(
        session.c.user_id == bindparam("user"),
        session.c.revoked_at.is_(None),
        session.c.expires_at > bindparam("at"),
        session.c.id != bindparam("kept", type_=Uuid),
    )
    .values(revoked_at=bindparam("at"))
    .returning(session.c.id)
)
# Of a session whose last tokens are older than that, no access token is alive.
_LATELY_USED = statement(
    select(refresh_token.c.session_id)
    .where(
        refresh_token.c.session_id == any_(bindparam("sessions", type_=ARRAY(Uuid))),
        refresh_token.c.created_at > bindparam("since"),
    )
    .distinct()
)
_FORGET_PEERS = sql("UPDATE session SET peer = '' WHERE user_id = :owner", owner=Uuid)
_COUNT_OTHERS = statement(
    select(func.count().label("found"))
    .select_from(session)
    .where(
        session.c.user_id == bindparam("user"),
        session.c.id != bindparam("but"),
        session.c.revoked_at.is_(None),
        session.c.expires_at > bindparam("at"),
    )
)
_WITHIN = bindparam("within", type_=Uuid)
_OWNED = statement(
    select(session.c.id).where(
        session.c.id == bindparam("id"),
        session.c.user_id == bindparam("user_id"),
        or_(_WITHIN.is_(None), session.c.organization_id == _WITHIN),
    )
)
_LIVE = (
    select(
        session.c.id,
        session.c.user_id,
        session.c.organization_id,
        session.c.created_at,
        session.c.expires_at,
        session.c.peer,
        session.c.device,
        select(func.max(refresh_token.c.created_at))
        .where(refresh_token.c.session_id == session.c.id)
        .scalar_subquery()
        .label("refreshed_at"),
    )
    .where(
        session.c.user_id == bindparam("user_id"),
        session.c.revoked_at.is_(None),
        session.c.expires_at > bindparam("at"),
        session.c.revision >= _EPOCH,
        or_(_WITHIN.is_(None), session.c.organization_id == _WITHIN),
    )
    .order_by(session.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_FIRST = statement(_LIVE)
_NEXT = statement(_LIVE.where(session.c.id < bindparam("before_id", type_=Uuid)))
_KNOWN_PEER = statement(
    select(session.c.id)
    .where(session.c.user_id == bindparam("user_id"), session.c.peer == bindparam("peer"))
    .limit(1)
)
_FORGET = statement(delete(refresh_token).where(refresh_token.c.expires_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose token it is, as far as is needed to begin a transaction of theirs."""

    session: UUID
    user: UUID
    organization: UUID | None


@dataclass(frozen=True, slots=True)
class Session:
    """A session under its row lock. Renewals and moves of it take turns."""

    id: UUID
    user: UUID
    organization: UUID | None
    created_at: datetime
    expires_at: datetime
    level: int
    methods: tuple[str, ...]
    revoked_at: datetime | None
    authenticated_at: datetime
    # Ended with all others of its organization, or of everybody.
    ended: bool = False


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as its owner sees it."""

    id: UUID
    user: UUID
    organization: UUID | None
    created_at: datetime
    expires_at: datetime
    peer: str
    device: str
    refreshed_at: datetime | None


class Sessions:
    """Log-ins and how they are renewed."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Session, peer: str, device: str = "") -> None:
        """Open one, from a network address, with a device as people call it."""
        await self._tx.run(
            _ADD,
            id=made.id,
            user_id=made.user,
            organization_id=made.organization,
            created_at=made.created_at,
            expires_at=made.expires_at,
            peer=peer,
            device=device,
            level=made.level,
            methods=list(made.methods),
            revoked_at=None,
            authenticated_at=made.authenticated_at,
        )

    async def add_token(
        self, session: UUID, token: bytes, at: datetime, expires_at: datetime
    ) -> None:
        """Keep the hash of a refresh token; one that is repeated is there already."""
        await self._tx.run(_ADD_TOKEN, hash=token, session=session, at=at, expires_at=expires_at)

    async def owner_of(self, token: bytes) -> Owner | None:
        """Whose refresh token it is, spent or not."""
        row = await self._tx.one(_BY_TOKEN, hash=token)
        return Owner(*row) if row else None

    async def lock(self, key: UUID) -> Session | None:
        """A session, held until the transaction ends."""
        row = await self._tx.one(_LOCK, id=key)
        if row is None:
            return None
        return Session(
            id=row.id,
            user=row.user_id,
            organization=row.organization_id,
            created_at=row.created_at,
            expires_at=row.expires_at,
            level=row.level,
            methods=tuple(row.methods),
            revoked_at=row.revoked_at,
            authenticated_at=row.authenticated_at,
            ended=row.ended,
        )

    async def refresh_state(self, held: Session, token: bytes) -> RefreshState | None:
        """What decides about a token of a session that this transaction holds."""
        row = await self._tx.one(_TOKEN, hash=token)
        if row is None:
            return None
        return RefreshState(
            expires_at=row.expires_at,
            spent_at=row.spent_at,
            spent_by=row.spent_by,
            successor_spent=row.successor_spent_at is not None,
            session_expires_at=held.expires_at,
            session_revoked=held.revoked_at is not None or held.ended,
        )

    async def spend(self, token: bytes, successor: bytes, request_id: str, at: datetime) -> bool:
        """Spend a token for its successor. False: it was spent before."""
        spent = await self._tx.run(
            _SPEND, key=token, successor=successor, spent_by=request_id or None, spent_at=at
        )
        return bool(spent)

    async def spend_all(self, session: UUID, at: datetime) -> None:
        """Spend every unspent token of a session."""
        await self._tx.run(_SPEND_ALL, session=session, spent_at=at)

    async def move(self, key: UUID, organization: UUID, expires_at: datetime) -> None:
        """Let a session work in another organization, for as long as that one lets it."""
        await self._tx.run(_MOVE, key=key, organization=organization, ends=expires_at)

    async def revoke(self, key: UUID, user: UUID, at: datetime) -> bool:
        """End a session of the user. False: it had ended before, or is not theirs."""
        return bool(await self._tx.run(_REVOKE, key=key, user=user, at=at))

    async def revoke_in(self, organization: UUID, user: UUID, at: datetime) -> list[UUID]:
        """End what the user has open in the organization; the sessions that were."""
        rows = await self._tx.all(
            _REVOKE_IN_ORGANIZATION, organization=organization, user=user, at=at
        )
        return [row.id for row in rows]

    async def revoke_all(self, user: UUID, at: datetime, kept: UUID | None = None) -> list[UUID]:
        """End the user's sessions but one; those that were. None is opened before this commits."""
        await self._tx.one(_HOLD_USER, id=user)
        # No session has the id that stands for none.
        rows = await self._tx.all(_REVOKE_ALL, user=user, at=at, kept=kept or UUID(int=0))
        return [row.id for row in rows]

    async def used_since(self, sessions: Sequence[UUID], since: datetime) -> list[UUID]:
        """Those of the sessions for which tokens were issued since then."""
        rows = await self._tx.all(_LATELY_USED, sessions=list(sessions), since=since)
        return [row.session_id for row in rows]

    async def forget_peers(self, user: UUID) -> None:
        """Remove where a user has logged in from."""
        await self._tx.run(_FORGET_PEERS, owner=user)

    async def count_others(self, user: UUID, but: UUID, at: datetime) -> int:
        """How many the user has open besides one."""
        row = await self._tx.one(_COUNT_OTHERS, user=user, but=but, at=at)
        return int(row.found) if row else 0

    async def is_owned(self, key: UUID, user: UUID, within: UUID | None = None) -> bool:
        """Whether the user has, or had, this session; with `within`, in that organization."""
        return await self._tx.one(_OWNED, id=key, user_id=user, within=within) is not None

    async def page(
        self,
        user: UUID,
        key: tuple[object, ...],
        limit: int,
        at: datetime,
        within: UUID | None = None,
    ) -> list[LiveSession]:
        """The user's live sessions, newest first, after the key of the page before.

        With `within`, those that work in that organization.
        """
        given = {"user_id": user, "limit": limit, "at": at, "within": within}
        if key:
            rows = await self._tx.all(_NEXT, before_id=key[0], **given)
        else:
            rows = await self._tx.all(_FIRST, **given)
        return [LiveSession(*row) for row in rows]

    async def knows_peer(self, user: UUID, peer: str) -> bool:
        """Whether the user has logged in from this network address before."""
        return await self._tx.one(_KNOWN_PEER, user_id=user, peer=peer) is not None

    async def forget(self, before: datetime) -> None:
        """Delete refresh tokens that have been too old since before then."""
        await self._tx.run(_FORGET, before=before)
