"""Renewal of sessions: one refresh token after the other, in turns at the session's row."""

from dataclasses import replace
from uuid import UUID

from auth.domain.events import SessionRevoked
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import FactorRequired, NotAMember, RefreshRefused
from auth.domain.sessions import (
    RefreshOutcome,
    decide_refresh,
    forget_at,
    lives,
    new_token,
    successor_of,
    token_hash,
)
from auth.opening import Issued, issue
from auth.posting import Post
from auth.signing import Signer
from auth.storage.sessions import Owner, Session
from auth.storage.store import Store, Tx
from core import clock, identity
from core.ids import name_of
from core.truth import FEDERATED

REUSE_ACT = "auth.refresh_reuse"


class Renewal:
    """Spends refresh tokens and moves sessions."""

    def __init__(self, store: Store, signer: Signer, post: Post) -> None:
        self._post = post
        self._store = store
        self._signer = signer

    async def refresh(self, token: str, request_id: str) -> Issued:
        """The next tokens. Raises RefreshRefused; a second use ends the session, and commits."""
        async with self._store.begin() as tx:
            owner = await tx.sessions.owner_of(token_hash(token))
        if owner is None:
            raise RefreshRefused
        try:
            async with self._store.begin_for(owner.user, owner.organization, owner.session) as tx:
                issued = await self._renew(tx, owner, token, request_id)
        except FactorRequired:
            # The organization asks for a second factor by now; a renewal never proves one.
            raise RefreshRefused from None
        if issued is None:
            raise RefreshRefused
        return issued

    async def _renew(self, tx: Tx, owner: Owner, token: str, request_id: str) -> Issued | None:
        """None: refused, and what that leads to is part of the transaction."""
        session = await tx.sessions.lock(owner.session)
        if session is None or session.organization != owner.organization:
            return None
        held = await tx.sessions.refresh_state(session, token_hash(token))
        if held is None:
            return None
        outcome = decide_refresh(held, request_id, clock.now())
        if outcome is RefreshOutcome.REUSE:
            await self._end_family(tx, session)
        if outcome in (RefreshOutcome.REUSE, RefreshOutcome.REFUSE):
            return None
        return await self._succeed(tx, session, token, request_id, outcome)

    async def _end_family(self, tx: Tx, session: Session) -> None:
        """Two parties hold the token; neither may go on. Written, told to every server, and to the
        person: one of the two is not them.
        """
        now = clock.now()
        resource = name_of("sessions", session.id)
        await tx.record_act(REUSE_ACT, subject=session.user, resource=resource)
        if not await tx.sessions.revoke(session.id, session.user, now):
            return
        owner = await tx.users.get(session.user)
        if owner is not None:
            template = Template.SESSION_ENDED_BY_REUSE
            message = Message(Channel.EMAIL, owner.email, template, owner.language)
            await self._post.send(tx, message)
        await tx.state.publish([SessionRevoked(session.id, forget_at(now))])

    async def _succeed(
        self, tx: Tx, session: Session, token: str, request_id: str, outcome: RefreshOutcome
    ) -> Issued | None:
        standing = await tx.principals.user(session.user, session.organization)
        if not standing.enabled or (session.organization is not None and not standing.member):
            return None
        if not await _vouched(tx, session):
            return None
        key = await self._signer.derivation_key(tx)
        successor = successor_of(key, token, session.id, request_id)
        repeated = outcome is RefreshOutcome.REPEAT
        if not repeated:
            await tx.sessions.spend(
                token_hash(token), token_hash(successor), request_id, clock.now()
            )
        await tx.record_act(
            identity.call().action,
            subject=session.user,
            resource=name_of("sessions", session.id),
            repeated=repeated,
        )
        return await issue(tx, self._signer, session, standing.revision, successor)

    async def switch(self, session: UUID, user: UUID, organization: UUID) -> Issued:
        """Move the user's session to another organization.

        Raises NotAMember, FactorRequired where the session has proven too little for it, and
        RefreshRefused where it has lasted too long.
        """
        async with self._store.begin_for(user, organization, session) as tx:
            held = await tx.sessions.lock(session)
            standing = await tx.principals.user(user, organization, session)
            if held is None or not (standing.enabled and standing.member):
                raise NotAMember
            if not standing.session_lives(clock.now()):
                raise NotAMember
            # What an organization's provider says counts in that organization alone.
            if FEDERATED in held.methods and held.organization != organization:
                raise NotAMember
            settings = await tx.organizations.settings(organization)
            lasts = lives(settings.session_life, settings.session_idle, held.level)
            ends = min(held.expires_at, held.created_at + lasts.whole)
            if ends <= clock.now():
                raise RefreshRefused
            await tx.sessions.spend_all(session, clock.now())
            await tx.sessions.move(session, organization, ends)
            await tx.record_act(
                identity.call().action, subject=user, resource=name_of("sessions", session)
            )
            moved = replace(held, organization=organization, expires_at=ends)
            return await issue(tx, self._signer, moved, standing.revision, new_token())


async def _vouched(tx: Tx, session: Session) -> bool:
    """Whether the provider that opened the session, if one did, may still stand for its owner."""
    if FEDERATED not in session.methods or session.organization is None:
        return FEDERATED not in session.methods
    return await tx.identity_providers.stands(session.user, session.organization)
