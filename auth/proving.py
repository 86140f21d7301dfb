"""Whom an access token stands for, as the database knows it now: no cache, no stream."""

from dataclasses import dataclass

from auth.background import own_call
from auth.domain.refusals import TokenInvalid
from auth.signing import verifying_keys
from auth.storage.store import Store, Tx
from core import clock
from core.identity import Call, Caller, Kind
from core.truth import Claims, NotProven, Resolved
from core.truth.proof import verify


@dataclass(frozen=True, slots=True)
class Proven:
    """A token that holds, its owner's roles, and the revision at which it does."""

    claims: Claims
    roles: tuple[str, ...]
    revision: int

    def resolved(self) -> Resolved:
        """As core's truth takes it."""
        return Resolved(self.claims.subject, self.claims.organization, self.roles, self.revision)


class Proving:
    """Proves tokens against the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prove(self, token: str) -> Proven:
        """Raises TokenInvalid for one that is malformed, expired or revoked."""
        async with self._store.begin_as(own_call("Prove", "auth.state.resolve")) as tx:
            keys = await verifying_keys(tx)
        try:
            claims = verify(token, keys, clock.now())
        except NotProven:
            raise TokenInvalid from None
        async with self._store.begin_as(_call_of(claims)) as tx:
            if claims.kind == Kind.SERVICE:
                proven = await _service(tx, claims)
            else:
                proven = await _user(tx, claims)
            if claims.revision < await tx.state.epoch(claims.subject, claims.organization):
                raise TokenInvalid
        return proven

    async def resolve(self, token: str) -> Resolved:
        """The hop of auth's own truth. Raises NotProven for a token that is dead."""
        try:
            return (await self.prove(token)).resolved()
        except TokenInvalid:
            raise NotProven("the database says so") from None


async def _user(tx: Tx, claims: Claims) -> Proven:
    standing = await tx.principals.user(claims.subject, claims.organization, claims.session)
    if not standing.enabled or not standing.session_lives(clock.now()):
        raise TokenInvalid
    if claims.organization is not None and not standing.member:
        raise TokenInvalid
    return Proven(claims, standing.roles if standing.member else (), standing.revision)


async def _service(tx: Tx, claims: Claims) -> Proven:
    standing = await tx.principals.service(claims.subject)
    if standing is None or not standing.enabled or standing.organization != claims.organization:
        raise TokenInvalid
    return Proven(claims, standing.roles, standing.revision)


def _call_of(claims: Claims) -> Call:
    """Row-level security shows the memberships of whom the transaction acts as."""
    call = own_call("Prove", "auth.state.resolve")
    call.caller = Caller(
        kind=Kind(claims.kind), subject=claims.subject, organization=claims.organization
    )
    return call
