"""Log-in: from an address and a password to a session, and nothing told to anybody else.

An unknown address, a wrong password and a locked account do the same work: one count, one
Argon2id, one record. The attempt is counted in a transaction of its own, committed before the
password is looked at, so no refusal can take the count back.
"""

from uuid import UUID

from auth.domain.lockout import RECORDED_COUNTS
from auth.domain.refusals import InvalidCredentials, NotAMember
from auth.domain.sessions import BY_PASSWORD
from auth.opening import ACT, Opened, Opening
from auth.password_proof import Attempted, PasswordProof, clear
from auth.storage.store import Store
from core import clock, identity


class LogIn:
    """Logs people in."""

    def __init__(self, store: Store, proof: PasswordProof, opening: Opening) -> None:
        self._store = store
        self._proof = proof
        self._opening = opening

    async def __call__(self, email: str, password: str, organization: UUID | None) -> Opened:
        """Open a session, or ask for a factor.

        Raises InvalidCredentials, or NotAMember after the password only.
        """
        attempted = await self._proof.attempt(email, password)
        if not attempted.proven or attempted.user is None:
            await self._record_refusal(attempted.user, InvalidCredentials.reason)
            raise InvalidCredentials
        return await self._open(attempted.user, attempted, organization)

    async def _record_refusal(self, user: UUID | None, outcome: str) -> None:
        """Some of the refusals, with their count, so that a flood cannot fill the trail."""
        source = str(user) if user else identity.call().peer
        async with self._store.begin() as tx:
            refusals = await tx.attempts.refused(source, clock.now())
            if refusals in RECORDED_COUNTS:
                await tx.record_act(ACT, subject=user, outcome=outcome, count=refusals)

    async def _open(self, user: UUID, attempted: Attempted, wanted: UUID | None) -> Opened:
        async with self._store.begin_for(user, None) as tx:
            await clear(tx, attempted)
        try:
            return await self._opening.open(user, wanted, BY_PASSWORD)
        except (NotAMember, InvalidCredentials) as refusal:
            await self._record_refusal(user, refusal.reason)
            raise
