"""Log-in by a passkey alone: the device has verified its owner, and says who that is."""

import os
from datetime import datetime
from uuid import UUID

from auth.answering import ACT, Answer, use_passkey
from auth.domain.factors import CHALLENGE_LIFE, Kind, proven
from auth.domain.refusals import ChallengeRefused, CodeRefused, InvalidCredentials, NotAMember
from auth.domain.sessions import NOTHING, new_token, token_hash
from auth.formats import passkeys
from auth.opening import NONCE_BYTES, LoggedIn, Opening
from auth.refusing import record_refusal
from auth.storage.challenges import Challenge, Purpose
from auth.storage.store import Store
from core import clock


class PasskeyLogIn:
    """Logs people in whom a passkey names."""

    def __init__(self, store: Store, opening: Opening, party: passkeys.Party) -> None:
        self._store = store
        self._opening = opening
        self._party = party

    async def begin(self) -> tuple[str, datetime, str]:
        """The token of a new challenge, when it is too old, and options that name no account."""
        token, nonce, now = new_token(), os.urandom(NONCE_BYTES), clock.now()
        ends = now + CHALLENGE_LIFE
        made = Challenge(token_hash(token), Purpose.PASSKEY, ends, nonce=nonce)
        async with self._store.begin() as tx:
            # One answer: who fails begins again.
            await tx.challenges.add(made, tries=1, codes=0, at=now)
        return token, ends, passkeys.authentication_options(self._party, nonce)

    async def finish(self, token: str, credential_json: str, wanted: UUID | None) -> LoggedIn:
        """The session. Raises ChallengeRefused, CodeRefused and NotAMember."""
        async with self._store.begin() as tx:
            found = await tx.challenges.attempt(token_hash(token), clock.now())
        if found is None or found.purpose is not Purpose.PASSKEY:
            await record_refusal(self._store, ACT, None, ChallengeRefused.reason)
            raise ChallengeRefused
        user = await self._named(credential_json)
        answer = Answer(credential_json=credential_json)
        right = user is not None and await self._use(found, user, answer)
        if user is None or not right:
            await record_refusal(self._store, ACT, user[0] if user else None, CodeRefused.reason)
            raise CodeRefused
        proof = proven(NOTHING, Kind.PASSKEY)
        try:
            return await self._opening.enter(user[0], wanted, proof)
        except InvalidCredentials:
            await record_refusal(self._store, ACT, user[0], CodeRefused.reason)
            raise CodeRefused from None
        except NotAMember as refusal:
            await record_refusal(self._store, ACT, user[0], refusal.reason)
            raise

    async def _named(self, credential_json: str) -> tuple[UUID, UUID] | None:
        """Whose passkey it says it is, and which: the device names its owner, too."""
        try:
            credential, handle = passkeys.credential_of(credential_json)
        except passkeys.NoProof:
            return None
        async with self._store.begin() as tx:
            kept = await tx.factors.by_credential(credential)
        if kept is None or handle != kept.user.bytes:
            return None
        return kept.user, kept.id

    async def _use(self, found: Challenge, named: tuple[UUID, UUID], answer: Answer) -> bool:
        user, factor = named
        async with self._store.begin_for(user, None) as tx:
            chosen = next((f for f in await tx.factors.of(user) if f.id == factor), None)
            if chosen is None or not await use_passkey(tx, self._party, found, chosen, answer):
                return False
            if not await tx.challenges.use(found.hash, clock.now()):
                raise ChallengeRefused
        return True
