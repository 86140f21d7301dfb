"""Log-in: from an address and a password to a session, and nothing told to anybody else.

An unknown address, a wrong password and a locked account do the same work: one count, one
Argon2id, one record. The attempt is counted in a transaction of its own, committed before the
password is looked at, so no refusal can take the count back.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.domain.emails import email_key
from auth.domain.lockout import RECORDED_COUNTS, lane
from auth.domain.memberships import Choice, choose
from auth.domain.refusals import InvalidCredentials, NotAMember
from auth.domain.sessions import (
    PASSWORD_LEVEL,
    SESSION_LIFE,
    new_token,
    refresh_expiry,
    token_hash,
)
from auth.hashing import Hashing
from auth.signing import Principal, Signer
from auth.storage.sessions import Session
from auth.storage.store import Store, Tx
from core import clock, identity
from core.ids import name_of, new_id

ACT = "auth.login"
PASSWORD = "pwd"  # noqa: S105 - how the person authenticated, in the words of RFC 8176
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens of a session, and when they end."""

    access_token: str
    expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    session: UUID


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session."""

    tokens: Issued
    user: UUID
    organization: UUID | None
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class _Attempt:
    user: UUID | None
    password_hash: str | None
    lane: bytes


class LogIn:
    """Logs people in."""

    def __init__(self, store: Store, hashing: Hashing, signer: Signer) -> None:
        self._store = store
        self._hashing = hashing
        self._signer = signer

    async def __call__(self, email: str, password: str, organization: UUID | None) -> LoggedIn:
        """Open a session. Raises InvalidCredentials, or NotAMember after the password only."""
        attempt = await self._count(email)
        proven = await self._hashing.matches(attempt.password_hash, password)
        if not proven or attempt.user is None:
            await self._record_refusal(attempt.user, InvalidCredentials.reason)
            raise InvalidCredentials
        return await self._open(attempt.user, attempt.lane, organization)

    async def _count(self, email: str) -> _Attempt:
        """Count the attempt; without a hash when it is not to be looked at."""
        peer = identity.call().peer
        async with self._store.begin() as tx:
            key = await self._signer.derivation_key(tx)
            account = await tx.users.find(email)
            known = await tx.sessions.knows_peer(account.id if account else _NOBODY, peer)
            counted = lane(key, email_key(email), peer if known else "")
            admitted = await tx.attempts.count(counted, clock.now())
        if account is None or account.disabled_at is not None or not admitted:
            return _Attempt(account.id if account else None, None, counted)
        return _Attempt(account.id, account.password_hash, counted)

    async def _record_refusal(self, user: UUID | None, outcome: str) -> None:
        """Some of the refusals, with their count, so that a flood cannot fill the trail."""
        source = str(user) if user else identity.call().peer
        async with self._store.begin() as tx:
            refusals = await tx.attempts.refused(source, clock.now())
            if refusals in RECORDED_COUNTS:
                await tx.record_act(ACT, subject=user, outcome=outcome, count=refusals)

    async def _open(self, user: UUID, counted: bytes, wanted: UUID | None) -> LoggedIn:
        async with self._store.begin_for(user, None) as tx:
            choices = await tx.memberships.choices(user)
            await tx.attempts.clear(counted)
        try:
            organization = choose(choices, wanted)
            session = new_id()
            async with self._store.begin_for(user, organization, session) as tx:
                tokens = await self._session(tx, user, organization, session)
        except (NotAMember, InvalidCredentials) as refusal:
            await self._record_refusal(user, refusal.reason)
            raise
        return LoggedIn(tokens, user, organization, choices)

    async def _session(
        self, tx: Tx, user: UUID, organization: UUID | None, session: UUID
    ) -> Issued:
        now = clock.now()
        # Read again with the revision: what has changed since the choice counts.
        standing = await tx.principals.user(user, organization)
        if not standing.enabled:
            raise InvalidCredentials
        if organization is not None and not standing.member:
            raise NotAMember
        made = Session(
            session, user, organization, now, now + SESSION_LIFE, PASSWORD_LEVEL, (PASSWORD,), None
        )
        await tx.sessions.add(made, identity.call().peer)
        await tx.record_act(ACT, subject=user, resource=name_of("sessions", session), outcome="OK")
        return await issue(tx, self._signer, made, standing.revision, new_token())


async def issue(
    tx: Tx, signer: Signer, session: Session, revision: int, refresh_token: str
) -> Issued:
    """Issue an access token beside a refresh token, of which the hash is kept."""
    now = clock.now()
    refresh_expires_at = refresh_expiry(now, session.expires_at)
    await tx.sessions.add_token(session.id, token_hash(refresh_token), now, refresh_expires_at)
    principal = Principal(
        kind="user",
        subject=session.user,
        organization=session.organization,
        revision=revision,
        authenticated_at=session.created_at,
        methods=session.methods,
        session=session.id,
        level=session.level,
    )
    access_token, expires_at = await signer.access_token(tx, principal)
    return Issued(access_token, expires_at, refresh_token, refresh_expires_at, session.id)
