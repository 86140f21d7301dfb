"""Step-up: a person in a session proves themselves again, and gets a session in its place.

All of it is proven again, the password and a factor, or a passkey that stands for both: what asks
for it changes how one logs in (OWASP ASVS 7.5.1), and a stolen session holds neither.
"""

from uuid import UUID

from auth.domain.factors import asked
from auth.domain.refusals import FactorRequired, InvalidCredentials
from auth.domain.sessions import BY_PASSWORD, NOTHING, Proof
from auth.login import LogIn
from auth.opening import Opened, Opening, challenge
from auth.storage.challenges import Challenge, Purpose
from auth.storage.store import Store
from core import clock


class Reauthentication:
    """Proves people again."""

    def __init__(self, store: Store, log_in: LogIn, opening: Opening) -> None:
        self._store = store
        self._log_in = log_in
        self._opening = opening

    async def __call__(
        self, user: UUID, session: UUID, organization: UUID | None, password: str
    ) -> Opened:
        """The new session, or a challenge for the person's factors.

        Raises InvalidCredentials, and FactorRequired without a password and without a passkey.
        """
        proof = await self._proven(user, password) if password else NOTHING
        async with self._store.begin() as tx:
            factors = asked(await tx.factors.of(user), proof)
            if factors:
                made = Challenge(
                    b"", Purpose.STEP_UP, clock.now(), user, session, organization, proof
                )
                return await challenge(tx, made, factors)
        if proof is NOTHING:
            raise FactorRequired
        return await self._opening.enter(user, organization, proof, instead_of=session)

    async def _proven(self, user: UUID, password: str) -> Proof:
        async with self._store.begin(read_only=True) as tx:
            owner = await tx.factors.owner(user)
        if owner is None or await self._log_in.prove(owner.email, password) != user:
            raise InvalidCredentials
        return BY_PASSWORD
