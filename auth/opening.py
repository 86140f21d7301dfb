"""The one way by which sessions are opened, whatever proved the person: a password, a passkey, an
identity provider.

Every way leads here with what it has proven, so that all of them are equally strong
(OWASP ASVS 6.3.4): what an organization or an account demands beyond that is decided once.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from auth.domain.devices import device_name
from auth.domain.events import SessionRevoked
from auth.domain.factors import (
    CHALLENGE_LIFE,
    MOST_CODES,
    MOST_TRIES,
    Factor,
    asked,
    suffices,
)
from auth.domain.memberships import Choice, choose
from auth.domain.organizations import OrganizationSettings
from auth.domain.refusals import FactorRequired, InvalidCredentials, NotAMember
from auth.domain.sessions import (
    Lives,
    Proof,
    forget_at,
    lives,
    new_token,
    refresh_expiry,
    token_hash,
)
from auth.signing import Principal, Signer
from auth.storage.challenges import Challenge, Purpose
from auth.storage.sessions import Session
from auth.storage.store import Store, Tx
from core import clock, identity
from core.ids import name_of, new_id
from core.truth import FEDERATED

ACT = "auth.login"
NONCE_BYTES = 32
"""What a passkey signs: 16 are asked for (WebAuthn, 13.4.3)."""


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
    """A new session. `factor_missing`: the organization asked for wants a factor that it accepts,
    the person has none, and the session has no organization.
    """

    tokens: Issued
    user: UUID
    organization: UUID | None
    choices: list[Choice]
    factor_missing: bool = False


@dataclass(frozen=True, slots=True)
class Challenged:
    """What was proven is not enough: `challenge` is an opaque token, which one of `factors`
    answers.
    """

    challenge: str
    expires_at: datetime
    factors: list[Factor]


Opened: TypeAlias = LoggedIn | Challenged


class Opening:
    """Opens sessions."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store = store
        self._signer = signer

    async def open(self, user: UUID, wanted: UUID | None, proof: Proof) -> Opened:
        """A session of a person of whom `proof` holds, or what they have to prove besides.

        Raises NotAMember for an organization that is not theirs, and InvalidCredentials when the
        account was shut out since the proof; neither is recorded here.
        """
        async with self._store.begin_for(user, None) as tx:
            choose(await tx.memberships.choices(user), wanted)
            factors = asked(await tx.factors.of(user), proof)
            if factors:
                made = Challenge(b"", Purpose.LOGIN, clock.now(), user, None, wanted, proof)
                return await challenge(tx, made, factors)
        return await self.enter(user, wanted, proof)

    async def enter(
        self, user: UUID, wanted: UUID | None, proof: Proof, instead_of: UUID | None = None
    ) -> LoggedIn:
        """The session, once all is proven that the person can prove; it may replace another.

        Raises as `open` does; NotAMember too where a provider vouched and its organization wants
        more; InvalidCredentials too when the other has ended.
        """
        async with self._store.begin_for(user, None) as tx:
            choices = await tx.memberships.choices(user)
            organization = choose(choices, wanted)
            settings = await tx.organizations.settings(organization)
        federated = FEDERATED in proof.methods
        missing = not suffices(settings, proof, federated=federated)
        if missing and federated:
            # What an organization's provider says opens that organization, or nothing.
            raise NotAMember
        if missing:
            organization, settings = None, OrganizationSettings()
        session = new_id()
        async with self._store.begin_for(user, organization, session) as tx:
            if instead_of is not None:
                await _end(tx, user, instead_of)
            lasts = lives(settings.session_life, settings.session_idle, proof.level)
            tokens = await self._session(tx, user, organization, session, proof, lasts)
        return LoggedIn(tokens, user, organization, choices, missing)

    async def _session(
        self,
        tx: Tx,
        user: UUID,
        organization: UUID | None,
        session: UUID,
        proof: Proof,
        lasts: Lives,
    ) -> Issued:
        now = clock.now()
        ends = now + lasts.whole
        made = Session(
            session,
            user,
            organization,
            now,
            ends,
            proof.level,
            proof.methods,
            None,
            proof.at or now,
        )
        call = identity.call()
        await tx.sessions.add(made, call.peer, device_name(call.agent))
        # Read again with the revision: what has changed since the choice counts. The session's row
        # has waited for whoever ends the person's sessions, so its tokens are of afterwards.
        standing = await tx.principals.user(user, organization)
        if not standing.enabled:
            raise InvalidCredentials
        if organization is not None and not standing.member:
            raise NotAMember
        await tx.record_act(ACT, subject=user, resource=name_of("sessions", session), outcome="OK")
        return await issue(tx, self._signer, made, standing.revision, new_token())


async def challenge(tx: Tx, made: Challenge, factors: list[Factor]) -> Challenged:
    """Ask for one of the factors. Token, end and the bond to the password are put in here."""
    token, now = new_token(), clock.now()
    ends = now + CHALLENGE_LIFE
    owner = await tx.factors.owner(made.user) if made.user else None
    kept = Challenge(
        hash=token_hash(token),
        purpose=made.purpose,
        expires_at=ends,
        user=made.user,
        session=made.session,
        organization=made.organization,
        proof=made.proof,
        password=password_mark(owner.password_hash) if owner else None,
        nonce=os.urandom(NONCE_BYTES),
    )
    await tx.challenges.add(kept, MOST_TRIES, MOST_CODES, now)
    await tx.record_act(ACT, subject=made.user, outcome="CHALLENGED", purpose=made.purpose.value)
    return Challenged(token, ends, factors)


def password_mark(password_hash: str) -> bytes:
    """By what it shows that the password was changed since; the salt makes it useless otherwise."""
    return hashlib.sha256(b"password\0" + password_hash.encode()).digest()


async def issue(
    tx: Tx, signer: Signer, session: Session, revision: int, refresh_token: str
) -> Issued:
    """Issue an access token beside a refresh token, of which the hash is kept.

    Raises FactorRequired when the session's organization asks for more than it has proven: what an
    organization decides holds from the next renewal on.
    """
    now = clock.now()
    settings = await tx.organizations.settings(session.organization)
    proof = Proof(session.level, session.methods)
    if not suffices(settings, proof, federated=FEDERATED in proof.methods):
        raise FactorRequired
    lasts = lives(settings.session_life, settings.session_idle, session.level)
    refresh_expires_at = refresh_expiry(now, session.expires_at, lasts.idle)
    await tx.sessions.add_token(session.id, token_hash(refresh_token), now, refresh_expires_at)
    principal = Principal(
        kind="user",
        subject=session.user,
        organization=session.organization,
        revision=revision,
        authenticated_at=session.authenticated_at,
        methods=session.methods,
        session=session.id,
        level=session.level,
    )
    access_token, expires_at = await signer.access_token(tx, principal)
    return Issued(access_token, expires_at, refresh_token, refresh_expires_at, session.id)


async def _end(tx: Tx, user: UUID, session: UUID) -> None:
    """End the session that is replaced: its tokens are dead (OWASP ASVS 7.2.4)."""
    now = clock.now()
    if not await tx.sessions.revoke(session, user, now):
        raise InvalidCredentials
    await tx.state.publish([SessionRevoked(session, forget_at(now))])
