"""Proof by password: attempts are counted, delayed and looked at, the same for every address.

An attempt is counted in a transaction of its own, committed before the password is looked at, so no
refusal can take the count back. An unknown address, a wrong password and a locked account do the
same work: one count, one Argon2id.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from auth.domain.emails import email_key
from auth.domain.lockout import MOST_FROM_ADDRESS, lane
from auth.domain.refusals import Overloaded
from auth.hashing import Hashing
from auth.signing import Signer
from auth.storage.attempts import Counted
from auth.storage.store import Store, Tx
from core import clock, identity

WAIT_SECONDS = 8.0
"""How long an attempt waits for others of its lane that are under way: less than the deadline of a
log-in, and longer than as many passwords take to be looked at as are looked at without a delay."""

FIRST_STEP_SECONDS = 0.1
LONGEST_STEP_SECONDS = 1.0
"""How often it looks: soon at first, then less often, so that waiting costs the database little."""

MOST_WAITING = 64
"""Attempts of one process that wait at once; further ones are refused like those of a locked lane,
so that a flood holds no calls."""

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of an attempt. `user` is whose address it is, proven or not."""

    user: UUID | None
    proven: bool
    lane: bytes


@dataclass(frozen=True, slots=True)
class _Account:
    user: UUID | None
    password_hash: str | None


class PasswordProof:
    """Looks at passwords. One per process."""

    def __init__(self, store: Store, hashing: Hashing, signer: Signer) -> None:
        self._store = store
        self._hashing = hashing
        self._signer = signer
        self._waiting = 0

    async def attempt(self, email: str, password: str) -> Attempted:
        """Whether the password is the account's; a success opens the lane again by `clear`.

        Raises Overloaded for an address that too many wrong ones came from.
        """
        account, counted, lane_key = await self._count_in_turn(email)
        kept = account.password_hash if counted.admitted else None
        proven = await self._hashing.matches(kept, password)
        proven = proven and account.user is not None
        if not proven:
            async with self._store.begin() as tx:
                await tx.attempts.refused(_source(), clock.now())
        return Attempted(account.user, proven, lane_key)

    async def _count_in_turn(self, email: str) -> tuple[_Account, Counted, bytes]:
        """Count the attempt, after those under way where they have used up what goes undelayed.

        An honest client that logs in many times at once is let in as soon as one of them has
        succeeded, whichever worker that was at. A guesser waits for what has no success in it.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + WAIT_SECONDS
        account, counted, lane_key = await self._count(email)
        if counted.admitted or self._waiting >= MOST_WAITING:
            return account, counted, lane_key
        self._waiting += 1
        step = FIRST_STEP_SECONDS
        try:
            while counted.under_way and loop.time() < until:
                await asyncio.sleep(step)
                step = min(step * 2, LONGEST_STEP_SECONDS)
                account, counted, lane_key = await self._count(email)
        finally:
            self._waiting -= 1
        return account, counted, lane_key

    async def _count(self, email: str) -> tuple[_Account, Counted, bytes]:
        peer, now = identity.call().peer, clock.now()
        async with self._store.begin() as tx:
            # Before the account's own count, which a flood from there is not to touch.
            if await tx.attempts.refusals(_source(), now) >= MOST_FROM_ADDRESS:
                raise Overloaded(retry_after=60.0 - now.second)
            key = await self._signer.derivation_key(tx)
            account = await tx.users.find(email)
            known = await tx.sessions.knows_peer(account.id if account else _NOBODY, peer)
            lane_key = lane(key, email_key(email), peer if known else "")
            counted = await tx.attempts.count_in_turn(lane_key, now)
        if account is None or account.disabled_at is not None:
            return _Account(account.id if account else None, None), counted, lane_key
        return _Account(account.id, account.password_hash), counted, lane_key

    async def reopen(self, tx: Tx, email: str) -> None:
        """Open the lane of unknown devices: whoever has proven the account otherwise may log in."""
        await reopen(tx, self._signer, email)


async def reopen(tx: Tx, signer: Signer, email: str) -> None:
    """Open the lane of unknown devices of an address."""
    key = await signer.derivation_key(tx)
    await tx.attempts.clear(lane(key, email_key(email), ""))


def _source() -> str:
    """Under what wrong passwords of the caller's network address are counted."""
    return f"passwords from {identity.call().peer}"


async def clear(tx: Tx, attempted: Attempted) -> None:
    """Start the lane anew after a success."""
    await tx.attempts.clear(attempted.lane)
