"""Factors of one's own: how they are added, named and removed.

A factor is added once it has proven that it works. Every change asks for a fresh authentication, at
AAL2 of whoever can reach it, is told by mail, and offers to end the other sessions: whoever has
stolen a password or a session cannot make themselves at home with it (OWASP ASVS 6.3.7, 7.4.3).
"""

import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.domain import totp
from auth.domain.codes import new_backup_codes, read_backup_code
from auth.domain.factors import (
    CHALLENGE_LIFE,
    ENROLLED,
    FRESH,
    MOST_TRIES,
    RAISED,
    Factor,
    Kind,
    check_allowed,
    check_room,
    has_raising,
    keep_a_factor,
    left_without,
    name_in,
)
from auth.domain.messages import Channel, Message, Template
from auth.domain.names import check_name
from auth.domain.organizations import OrganizationSettings
from auth.domain.refusals import (
    ChallengeRefused,
    CodeRefused,
    FactorNotAllowed,
    FactorRequired,
    PasskeyRefused,
)
from auth.domain.sessions import new_token, token_hash
from auth.ending import end_all_of
from auth.formats import passkeys
from auth.hashing import Hashing
from auth.opening import NONCE_BYTES
from auth.posting import Post
from auth.sealing import FACTORS, Sealing
from auth.sent_codes import Asked, SentCodes
from auth.signing import Signer
from auth.storage.challenges import Challenge, Purpose
from auth.storage.factors import NewFactor, Owner
from auth.storage.store import Store, Tx
from core import clock, identity
from core.errors import NotFound
from core.identity import Caller
from core.identity import Kind as Principal
from core.ids import new_id
from core.rpc.authorize import StepUpRequired

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Begun:
    """An enrolment that waits for its confirmation: the seed of an app, or a browser's options."""

    token: str
    expires_at: datetime
    account: str
    shared: bytes = b""
    options_json: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """A new factor, and how many other sessions its owner has."""

    factor: Factor
    other_sessions: int


class Enrolment:
    """Changes the factors of the person who calls."""

    def __init__(
        self,
        store: Store,
        hashing: Hashing,
        signer: Signer,
        post: Post,
        codes: SentCodes,
        party: passkeys.Party,
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._post = post
        self._codes = codes
        self._party = party
        self._sealing = Sealing(signer, FACTORS)

    async def begin(self, kind: Kind, display_name: str, phone_number: str = "") -> Begun:
        """Begin to add a factor; of what is sent, the code is on its way.

        Raises StepUpRequired, FactorNotAllowed, TooManyFactors and TooManyCodes.
        """
        user = _person(FactorNotAllowed)
        check_name(display_name, field="display_name")
        token, now = new_token(), clock.now()
        key, ends = token_hash(token), now + CHALLENGE_LIFE
        seed = totp.new_seed() if kind is Kind.TOTP else b""
        nonce = os.urandom(NONCE_BYTES)
        async with self._store.begin() as tx:
            owner, held = await self._may_add(tx, user, kind)
            shared = seed or phone_number.encode()
            sealed = await self._sealing.seal(tx, shared, user) if shared else None
            made = Challenge(
                hash=key,
                purpose=Purpose.ENROL,
                expires_at=ends,
                user=user,
                kind=kind,
                display_name=display_name,
                sealed=sealed,
                nonce=nonce,
            )
            await tx.challenges.add(made, MOST_TRIES, codes=1, at=now)
            await tx.record_act(identity.call().action, subject=user, kind=kind.value)
            if kind in (Kind.SMS, Kind.EMAIL_CODE):
                asked = Asked(user, owner.language, kind, phone_number or owner.email)
                await self._codes.send(tx, key, None, asked)
            known = await _credentials(tx, user, held) if kind is Kind.PASSKEY else []
        options = ""
        if kind is Kind.PASSKEY:
            options = passkeys.registration_options(self._party, nonce, user, owner.email, known)
        return Begun(token, ends, owner.email, seed, options)

    async def confirm(
        self, kind: Kind, token: str, answer: str, *, end_other_sessions: bool
    ) -> Added:
        """Add the factor that has proven itself: by a code, or by a browser's answer.

        Raises ChallengeRefused, CodeRefused, PasskeyRefused and what `begin` raises.
        """
        user = _person(ChallengeRefused)
        key = token_hash(token)
        async with self._store.begin() as tx:
            found = await tx.challenges.attempt(key, clock.now())
        if found is None or found.purpose is not Purpose.ENROL:
            raise ChallengeRefused
        if (found.user, found.kind) != (user, kind):
            raise ChallengeRefused
        async with self._store.begin() as tx:
            owner, _ = await self._may_add(tx, user, kind)
            made = await self._proven(tx, found, user, kind, answer)
            if not await tx.challenges.use(key, clock.now()):
                raise ChallengeRefused
            if not await tx.factors.add(made):
                raise PasskeyRefused
            await self._tell(tx, owner, Template.FACTOR_ADDED, [kind])
            others = await _others(tx, user, end=end_other_sessions)
        return Added(made.factor, others)

    async def backup_codes(self) -> tuple[list[str], Factor]:
        """A new set; the one before is void. Raises FactorRequired and what `begin` raises."""
        user = _person(FactorRequired)
        codes = new_backup_codes()
        bare = [read[1] for code in codes if (read := read_backup_code(code))]
        async with self._store.begin() as tx:
            await self._may_add(tx, user, Kind.BACKUP_CODE, replaces=True)
        # One at a time: a flood of these leaves room in the pool's line for log-ins.
        hashes = [await self._hashing.hash_made(each) for each in bare]
        made = NewFactor(new_id(), user, Kind.BACKUP_CODE, "", clock.now())
        async with self._store.begin() as tx:
            owner, held = await self._may_add(tx, user, Kind.BACKUP_CODE, replaces=True)
            if not any(factor.kind in ENROLLED for factor in held):
                raise FactorRequired
            for old in held:
                if old.kind is Kind.BACKUP_CODE:
                    await tx.factors.remove(old.id, user)
            await tx.factors.add(made)
            await tx.factors.add_codes(made.id, hashes)
            await self._tell(tx, owner, Template.FACTOR_ADDED, [Kind.BACKUP_CODE])
        return codes, _with_codes(made.factor, len(codes))

    async def rename(self, key: UUID, display_name: str) -> Factor:
        """Give a factor another name. Raises NotFound."""
        user = _person(NotFound)
        check_name(display_name, field="display_name")
        async with self._store.begin() as tx:
            if not await tx.factors.rename(key, user, display_name):
                raise NotFound
            return next(f for f in await tx.factors.of(user) if f.id == key)

    async def remove(self, key: UUID, *, end_other_sessions: bool) -> int:
        """Remove a factor; how many other sessions there are.

        Raises NotFound, StepUpRequired and LastFactor.
        """
        user = _person(NotFound)
        async with self._store.begin() as tx:
            owner = await tx.factors.lock_owner(user)
            held = await tx.factors.of(user)
            removed = next((factor for factor in held if factor.id == key), None)
            if owner is None or removed is None:
                raise NotFound
            _check_assurance(held)
            rest = left_without(held, removed)
            keep_a_factor(held, rest, await _organizations(tx, user))
            gone = [factor for factor in held if factor not in rest]
            for factor in gone:
                await tx.factors.remove(factor.id, user)
            await self._tell(tx, owner, Template.FACTOR_REMOVED, [f.kind for f in gone])
            return await _others(tx, user, end=end_other_sessions)

    async def _may_add(
        self, tx: Tx, user: UUID, kind: Kind, *, replaces: bool = False
    ) -> tuple[Owner, list[Factor]]:
        """Whoever changes an account's factors takes turns at its row."""
        owner = await tx.factors.lock_owner(user)
        if owner is None:
            raise FactorNotAllowed
        if kind is Kind.PASSKEY and not owner.password_hash:
            # It would open the account without its provider, also once that lets nobody in by it.
            raise FactorNotAllowed
        held = await tx.factors.of(user)
        _check_assurance(held)
        check_allowed(kind, await _organizations(tx, user))
        if not replaces or all(factor.kind is not kind for factor in held):
            check_room(held)
        return owner, held

    async def _proven(
        self, tx: Tx, found: Challenge, user: UUID, kind: Kind, answer: str
    ) -> NewFactor:
        """The factor, if the answer shows that it works. Raises CodeRefused and PasskeyRefused."""
        now = clock.now()
        if kind is Kind.PASSKEY:
            try:
                made = passkeys.registered(self._party, found.nonce or b"", answer)
            except passkeys.NoProof:
                raise PasskeyRefused from None
            return NewFactor(
                new_id(),
                user,
                kind,
                found.display_name,
                now,
                credential=made.id,
                public_key=made.public_key,
                sign_count=made.sign_count,
            )
        step = None
        if kind is Kind.TOTP:
            seed = await self._sealing.open(tx, found.sealed or b"", user)
            step = totp.step_of(seed, answer, now)
            right = step is not None
        else:
            right = await self._codes.is_sent(tx, found, None, answer)
        if not right:
            raise CodeRefused
        return NewFactor(new_id(), user, kind, found.display_name, now, found.sealed, step)

    async def _tell(self, tx: Tx, owner: Owner, template: Template, kinds: list[Kind]) -> None:
        await tell(self._post, tx, owner, template, kinds)


async def tell(post: Post, tx: Tx, owner: Owner, template: Template, kinds: list[Kind]) -> None:
    """Say by mail what has changed, to who could not have meant it."""
    # Theirs, and not the one of whoever changes it.
    language = owner.language or identity.call().language
    named = ", ".join(dict.fromkeys(name_in(language, kind) for kind in kinds))
    await post.send(tx, Message(Channel.EMAIL, owner.email, template, language, {"factor": named}))


def _person(refusal: type[Exception]) -> UUID:
    """Who calls; a program has no factors."""
    caller = identity.caller()
    if caller.kind is not Principal.USER or caller.subject is None:
        raise refusal
    return caller.subject


def _check_assurance(held: list[Factor]) -> None:
    """Whoever can reach AAL2 has to have reached it. Raises StepUpRequired."""
    caller: Caller = identity.caller()
    if has_raising(held) and caller.assurance < RAISED:
        seconds = str(int(FRESH.total_seconds()))
        raise StepUpRequired(metadata={"level": str(RAISED), "max_age_seconds": seconds})


def _with_codes(factor: Factor, left: int) -> Factor:
    return Factor(
        factor.id,
        factor.user,
        factor.kind,
        factor.display_name,
        factor.created_at,
        codes_left=left,
    )


async def _organizations(tx: Tx, user: UUID) -> list[OrganizationSettings]:
    choices = await tx.memberships.choices(user)
    return [await tx.organizations.settings(choice.organization) for choice in choices]


async def _credentials(tx: Tx, user: UUID, held: list[Factor]) -> list[bytes]:
    kept = [await tx.factors.secrets(f.id, user) for f in held if f.kind is Kind.PASSKEY]
    return [each.credential for each in kept if each is not None and each.credential]


async def _others(tx: Tx, user: UUID, *, end: bool) -> int:
    """How many sessions the person has besides the caller's; none once they are ended."""
    own = identity.caller().session
    if end:
        await end_all_of(tx, user, own)
        return 0
    return await tx.sessions.count_others(user, own or _NOBODY, clock.now())
