"""Answers to challenges: from a factor to the session that it was asked for.

A try is counted, per challenge and per account, kind of factor and kind of device, in transactions
that are committed before the answer is looked at. Whatever a factor has that can be used once is
used up by the condition of one statement, in one transaction with the challenge: of two calls with
one answer, one finds it used.
"""

from dataclasses import dataclass
from uuid import UUID

from auth.domain import totp
from auth.domain.codes import read_backup_code
from auth.domain.factors import Factor, Kind, asked, proven
from auth.domain.lockout import lane
from auth.domain.refusals import (
    ChallengeRefused,
    CodeRefused,
    FactorRequired,
    InvalidCredentials,
)
from auth.domain.sessions import token_hash
from auth.formats import passkeys
from auth.hashing import Hashing
from auth.opening import LoggedIn, Opening, password_mark
from auth.refusing import record_refusal
from auth.sealing import FACTORS, Sealing
from auth.sent_codes import Asked, SentCodes
from auth.signing import Signer
from auth.storage.challenges import Challenge, Purpose
from auth.storage.store import Store, Tx
from core import clock, identity

ACT = "auth.verify_challenge"
_OF_SOMEBODY = (Purpose.LOGIN, Purpose.STEP_UP)


@dataclass(frozen=True, slots=True)
class Answer:
    """A code as shown, or what a browser answered as JSON; the other is empty."""

    code: str = ""
    credential_json: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """What the answer needs: a code that is on its way, or options for a browser."""

    code_sent: bool = False
    options_json: str = ""


@dataclass(frozen=True, slots=True)
class _Try:
    challenge: Challenge
    user: UUID
    factor: Factor
    lane: bytes


class Answering:
    """Takes answers."""

    def __init__(
        self,
        store: Store,
        hashing: Hashing,
        signer: Signer,
        opening: Opening,
        codes: SentCodes,
        party: passkeys.Party,
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._signer = signer
        self._opening = opening
        self._codes = codes
        self._party = party
        self._sealing = Sealing(signer, FACTORS)

    async def begin(self, token: str, factor: UUID) -> Begun:
        """Prepare an answer with one of the challenge's factors.

        Raises ChallengeRefused, FactorRequired and TooManyCodes.
        """
        async with self._store.begin() as tx:
            found = await tx.challenges.find(token_hash(token), clock.now())
        user = _whose(found)
        if found is None or user is None:
            raise ChallengeRefused
        async with self._store.begin_for(user, None) as tx:
            chosen = await _chosen(tx, found, user, factor)
            await tx.record_act(identity.call().action, subject=user, kind=chosen.kind.value)
            return await self._begin(tx, found, chosen)

    async def _begin(self, tx: Tx, found: Challenge, chosen: Factor) -> Begun:
        if chosen.kind is Kind.PASSKEY:
            kept = await tx.factors.secrets(chosen.id, chosen.user)
            if kept is None or kept.credential is None or found.nonce is None:
                raise ChallengeRefused
            options = passkeys.authentication_options(self._party, found.nonce, [kept.credential])
            return Begun(options_json=options)
        if chosen.kind not in (Kind.SMS, Kind.EMAIL_CODE):
            return Begun()
        owner = await tx.factors.owner(chosen.user)
        if owner is None:
            raise ChallengeRefused
        to = await self._number(tx, chosen) if chosen.kind is Kind.SMS else owner.email
        asked = Asked(chosen.user, owner.language, chosen.kind, to)
        await self._codes.send(tx, found.hash, chosen.id, asked)
        return Begun(code_sent=True)

    async def _number(self, tx: Tx, chosen: Factor) -> str:
        """The number that was proven. Raises ChallengeRefused."""
        kept = await tx.factors.secrets(chosen.id, chosen.user)
        if kept is None or kept.sealed is None:
            raise ChallengeRefused
        return (await self._sealing.open(tx, kept.sealed, chosen.user)).decode()

    async def verify(self, token: str, factor: UUID, answer: Answer) -> LoggedIn:
        """The session that the challenge was for.

        Raises ChallengeRefused, CodeRefused, FactorRequired and NotAMember.
        """
        tried = await self._try(token_hash(token), factor)
        found, user = tried.challenge, tried.user
        number = await self._on_paper(tried.factor, answer.code)
        async with self._store.begin_for(user, None) as tx:
            right = await self._use(tx, tried, answer, number)
            if right and not await tx.challenges.use(found.hash, clock.now()):
                raise ChallengeRefused
            if right:
                await tx.attempts.clear(tried.lane)
        if not right:
            await record_refusal(self._store, ACT, user, CodeRefused.reason)
            raise CodeRefused
        proof = proven(found.proof, tried.factor.kind)
        try:
            return await self._opening.enter(user, found.organization, proof, found.session)
        except InvalidCredentials:
            # Shut out since, or the session that is proven again has ended.
            raise ChallengeRefused from None

    async def _try(self, key: bytes, factor: UUID) -> _Try:
        """Count the try before anything is looked at."""
        async with self._store.begin() as tx:
            found = await tx.challenges.attempt(key, clock.now())
        user = _whose(found)
        if found is None or user is None:
            await record_refusal(self._store, ACT, None, ChallengeRefused.reason)
            raise ChallengeRefused
        async with self._store.begin_for(user, None) as tx:
            chosen = await _chosen(tx, found, user, factor)
            counted = await self._lane(tx, user, chosen.kind)
            admitted = await tx.attempts.count(counted, clock.now())
        if not admitted:
            await record_refusal(self._store, ACT, user, CodeRefused.reason)
            raise CodeRefused
        return _Try(found, user, chosen, counted)

    async def _lane(self, tx: Tx, user: UUID, kind: Kind) -> bytes:
        """Counted apart from passwords and from other kinds; strangers apart from known devices."""
        peer = identity.call().peer
        known = await tx.sessions.knows_peer(user, peer)
        key = await self._signer.derivation_key(tx)
        return lane(key, f"{user}\0{kind.value}", peer if known else "")

    async def _on_paper(self, chosen: Factor, code: str) -> int | None:
        """The place of a backup code that is right; hashed outside of any transaction."""
        if chosen.kind is not Kind.BACKUP_CODE:
            return None
        read = read_backup_code(code)
        kept = None
        if read is not None:
            async with self._store.begin_for(chosen.user, None) as tx:
                kept = await tx.factors.code(chosen.id, read[0])
        right = await self._hashing.matches(kept, read[1] if read else code)
        return read[0] if read and right else None

    async def _use(self, tx: Tx, tried: _Try, answer: Answer, number: int | None) -> bool:
        """Use the answer up; whether it was right, and was not used before."""
        chosen, now = tried.factor, clock.now()
        if chosen.kind is Kind.TOTP:
            return await self._use_app(tx, chosen, answer.code)
        if chosen.kind is Kind.PASSKEY:
            return await use_passkey(tx, self._party, tried.challenge, chosen, answer)
        if chosen.kind is Kind.BACKUP_CODE:
            right = number is not None and await tx.factors.use_code(chosen.id, number, now)
        else:
            right = await self._codes.is_sent(tx, tried.challenge, chosen.id, answer.code)
        if right:
            await tx.factors.use(chosen.id, now)
        return right

    async def _use_app(self, tx: Tx, chosen: Factor, code: str) -> bool:
        kept = await tx.factors.secrets(chosen.id, chosen.user)
        if kept is None or kept.sealed is None:
            return False
        seed = await self._sealing.open(tx, kept.sealed, chosen.user)
        step = totp.step_of(seed, code, clock.now())
        return step is not None and await tx.factors.use_step(chosen.id, step, clock.now())


async def use_passkey(
    tx: Tx, party: passkeys.Party, found: Challenge, chosen: Factor, answer: Answer
) -> bool:
    """Whether the passkey has signed the challenge, and its counter was not seen before."""
    kept = await tx.factors.secrets(chosen.id, chosen.user)
    if kept is None or found.nonce is None or kept.credential is None or kept.public_key is None:
        return False
    known = passkeys.Credential(kept.credential, kept.public_key, kept.sign_count or 0)
    try:
        said, _ = passkeys.credential_of(answer.credential_json)
        if said != kept.credential:
            return False
        count = passkeys.authenticated(party, found.nonce, answer.credential_json, known)
    except passkeys.NoProof:
        return False
    return await tx.factors.use_passkey(chosen.id, count, clock.now())


def _whose(found: Challenge | None) -> UUID | None:
    """Whom a challenge asks; None for what is no challenge of a known person."""
    return found.user if found is not None and found.purpose in _OF_SOMEBODY else None


async def _chosen(tx: Tx, found: Challenge, user: UUID, factor: UUID) -> Factor:
    """The factor that is to answer, if it may.

    Raises ChallengeRefused when the account or its password is not what it was, and FactorRequired.
    """
    owner = await tx.factors.owner(user)
    if owner is None or owner.disabled_at is not None:
        raise ChallengeRefused
    if found.password != password_mark(owner.password_hash):
        raise ChallengeRefused
    for each in asked(await tx.factors.of(user), found.proof):
        if each.id == factor:
            return each
    raise FactorRequired
