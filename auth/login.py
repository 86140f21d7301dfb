"""Log-in: from an address and a password to a session, and nothing told to anybody else.

An unknown address, a wrong password and a locked account do the same work: one count, one
Argon2id, one record. The attempt is counted in a transaction of its own, committed before the
password is looked at, so no refusal can take the count back.
"""

from uuid import UUID

from auth.domain.refusals import InvalidCredentials, NotAMember
from auth.domain.sessions import BY_PASSWORD
from auth.opening import ACT, Opened, Opening
from auth.password_proof import PasswordProof, clear
from auth.refusing import record_refusal
from auth.storage.store import Store


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
        user = await self.prove(email, password)
        try:
            return await self._opening.open(user, organization, BY_PASSWORD)
        except (NotAMember, InvalidCredentials) as refusal:
            await record_refusal(self._store, ACT, user, refusal.reason)
            raise

    async def prove(self, email: str, password: str) -> UUID:
        """Whose address and password it is. Raises InvalidCredentials."""
        attempted = await self._proof.attempt(email, password)
        if not attempted.proven or attempted.user is None:
            await record_refusal(self._store, ACT, attempted.user, InvalidCredentials.reason)
            raise InvalidCredentials
        async with self._store.begin_for(attempted.user, None) as tx:
            await clear(tx, attempted)
        return attempted.user
