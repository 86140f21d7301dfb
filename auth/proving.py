"""Whom an access token stands for, as the database knows it now: no cache, no stream."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth.background import own_call
from auth.domain.access_grants import GrantKind
from auth.domain.bindings import Held
from auth.domain.refusals import TokenInvalid
from auth.domain.roles import BUILT_IN, permissions_of
from auth.signing import verifying_keys
from auth.storage.store import Store, Tx
from core import clock
from core.identity import Call, Caller, Grant, Kind
from core.truth import Claims, NotProven, Resolved
from core.truth.grants import TimedGrant
from core.truth.periods import RolePeriod
from core.truth.proof import verify


@dataclass(frozen=True, slots=True)
class Proven:
    """A token that holds, and the revision at which it does: neither is dead, subject or actor.

    `roles` are those held when it was read; `held` says more. `permissions` are what they give;
    with an actor, what those of both do. `grants` are the subject's that have not ended, also
    those that have not begun.
    """

    claims: Claims
    roles: tuple[str, ...]
    held: Held
    actor_roles: tuple[str, ...]
    permissions: frozenset[str]
    revision: int
    grants: tuple[TimedGrant, ...] = ()

    def resolved(self) -> Resolved:
        """As core's truth takes it."""
        claims = self.claims
        return Resolved(
            subject=claims.subject,
            organization=claims.organization,
            roles=self.held.roles,
            revision=self.revision,
            permissions=self.permissions,
            actor_roles=self.actor_roles,
            periods=tuple(
                RolePeriod(each.role, each.starts_at, each.ends_at) for each in self.held.timed
            ),
            grants=self.grants,
        )


class Proving:
    """Proves tokens against the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prove(self, token: str) -> Proven:
        """Raises TokenInvalid for one that is malformed, expired or revoked."""
        async with self._store.begin_as(own_call("Prove", "auth.state.resolve")) as tx:
            # Before the keys: a key may be revoked while the rest is read, and what is answered
            # must not seem to be from after that.
            known_at = await tx.state.revision()
            keys = await verifying_keys(tx)
        try:
            claims = verify(token, keys, clock.now())
        except NotProven:
            raise TokenInvalid from None
        async with self._store.begin_as(_call_of(claims)) as tx:
            proven = await _prove(tx, claims)
        return replace(proven, revision=min(proven.revision, known_at))

    async def resolve(self, token: str) -> Resolved:
        """The hop of auth's own truth. Raises NotProven for a token that is dead."""
        try:
            return (await self.prove(token)).resolved()
        except TokenInvalid:
            raise NotProven("the database says so") from None


async def _prove(tx: Tx, claims: Claims) -> Proven:
    """Each is read in one statement with its revision, so whatever shuts them out later has a
    higher one; what holds of both holds at the lower.
    """
    if claims.kind == Kind.SERVICE:
        revision, always = await _service(tx, claims.subject, claims.organization)
        held = Held(always)
    else:
        revision, held = await _user(tx, claims)
    roles = held.at(clock.now())
    # As they were published: while auth is upgraded, servers of two versions answer.
    built_in = await tx.state.built_in_roles()
    permissions = permissions_of(roles, await _own(tx, roles), built_in)
    actor_roles: tuple[str, ...] = ()
    if claims.actor is not None:
        # Only a server of the platform acts for others, and it has no organization.
        actor_revision, actor_roles = await _service(tx, claims.actor, None)
        revision = min(revision, actor_revision)
        permissions &= permissions_of(actor_roles, {}, built_in)
    subjects = [claims.subject] if claims.actor is None else [claims.subject, claims.actor]
    if claims.revision < await tx.state.epoch(subjects, claims.organization, claims.service_key):
        raise TokenInvalid
    grants = await _grants(tx, claims)
    return Proven(claims, roles, held, actor_roles, permissions, revision, grants)


async def _grants(tx: Tx, claims: Claims) -> tuple[TimedGrant, ...]:
    if claims.kind == Kind.SERVICE or claims.organization is None:
        return ()
    known = await tx.access_grants.open_of(claims.subject, clock.now())
    return tuple(
        TimedGrant(
            Grant(each.id, each.patient, each.kind is GrantKind.BREAK_GLASS),
            each.starts_at,
            each.ends_at,
        )
        for each in known
    )


async def _user(tx: Tx, claims: Claims) -> tuple[int, Held]:
    standing = await tx.principals.user(claims.subject, claims.organization, claims.session)
    if not standing.enabled or not standing.session_lives(clock.now()):
        raise TokenInvalid
    if claims.organization is not None and not standing.member:
        raise TokenInvalid
    return standing.revision, standing.held if standing.member else Held()


async def _service(tx: Tx, account: UUID, organization: UUID | None) -> tuple[int, tuple[str, ...]]:
    standing = await tx.principals.service(account)
    if standing is None or not standing.enabled or standing.organization != organization:
        raise TokenInvalid
    return standing.revision, standing.roles


async def _own(tx: Tx, roles: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """What the organization's own of the roles give; the built-in ones are code."""
    own = [role for role in roles if role not in BUILT_IN]
    return await tx.roles.permissions(own) if own else {}


def _call_of(claims: Claims) -> Call:
    """Row-level security shows the memberships of whom the transaction acts as."""
    call = own_call("Prove", "auth.state.resolve")
    call.caller = Caller(
        kind=Kind(claims.kind), subject=claims.subject, organization=claims.organization
    )
    return call
