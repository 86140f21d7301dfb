"""The one way by which sessions are opened, whatever proved the person: a password, a passkey, an
identity provider.

Every way leads here with what it has proven, so that all of them are equally strong
(OWASP ASVS 6.3.4): what an organization or an account demands beyond that is decided once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from auth.domain.devices import device_name
from auth.domain.memberships import Choice, choose
from auth.domain.refusals import InvalidCredentials, NotAMember
from auth.domain.sessions import SESSION_LIFE, Proof, new_token, refresh_expiry, token_hash
from auth.signing import Principal, Signer
from auth.storage.sessions import Session
from auth.storage.store import Store, Tx
from core import clock, identity
from core.ids import name_of, new_id

ACT = "auth.login"


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
class Challenged:
    """What was proven is not enough: `challenge` is an opaque token that a factor answers."""

    challenge: str
    expires_at: datetime
    user: UUID


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
            choices = await tx.memberships.choices(user)
        organization = choose(choices, wanted)
        session = new_id()
        async with self._store.begin_for(user, organization, session) as tx:
            tokens = await self._session(tx, user, organization, session, proof)
        return LoggedIn(tokens, user, organization, choices)

    async def _session(
        self, tx: Tx, user: UUID, organization: UUID | None, session: UUID, proof: Proof
    ) -> Issued:
        now = clock.now()
        # Read again with the revision: what has changed since the choice counts.
        standing = await tx.principals.user(user, organization)
        if not standing.enabled:
            raise InvalidCredentials
        if organization is not None and not standing.member:
            raise NotAMember
        ends = now + SESSION_LIFE
        made = Session(session, user, organization, now, ends, proof.level, proof.methods, None)
        call = identity.call()
        await tx.sessions.add(made, call.peer, device_name(call.agent))
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
