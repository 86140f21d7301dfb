"""Log-in: from an address and a password to a session, and nothing told to anybody else.

An unknown address, a wrong password and a locked account do the same work: one count, one
Argon2id, one record. The attempt is counted in a transaction of its own, committed before the
password is looked at, so no refusal can take the count back.
"""

from dataclasses import dataclass
from uuid import UUID

from auth.domain.emails import email_key
from auth.domain.lockout import RECORDED_COUNTS, lane
from auth.domain.refusals import InvalidCredentials, NotAMember
from auth.domain.sessions import BY_PASSWORD
from auth.hashing import Hashing
from auth.opening import ACT, Opened, Opening
from auth.signing import Signer
from auth.storage.store import Store
from core import clock, identity

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Attempt:
    user: UUID | None
    password_hash: str | None
    lane: bytes


class LogIn:
    """Logs people in."""

    def __init__(self, store: Store, hashing: Hashing, signer: Signer, opening: Opening) -> None:
        self._store = store
        self._hashing = hashing
        self._signer = signer
        self._opening = opening

    async def __call__(self, email: str, password: str, organization: UUID | None) -> Opened:
        """Open a session, or ask for a factor.

        Raises InvalidCredentials, or NotAMember after the password only.
        """
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

    async def _open(self, user: UUID, counted: bytes, wanted: UUID | None) -> Opened:
        async with self._store.begin_for(user, None) as tx:
            await tx.attempts.clear(counted)
        try:
            return await self._opening.open(user, wanted, BY_PASSWORD)
        except (NotAMember, InvalidCredentials) as refusal:
            await self._record_refusal(user, refusal.reason)
            raise
