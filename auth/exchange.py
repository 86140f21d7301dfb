"""The caller passed on: a server's token and its caller's make one for both (RFC 8693 in spirit).

The exchange adds nothing: subject, session, organization, assurance and end are the caller's, and
what the new token opens is what both may do. Whoever is called with it cannot pass it on, so no
chain of servers grows that nobody has looked at.
"""

from datetime import datetime
from uuid import UUID

from auth.domain.assertions import COLLECTION
from auth.domain.refusals import TokenInvalid
from auth.proving import Proven, Proving
from auth.signing import Principal, Signer
from auth.storage.store import Store
from core import identity
from core.identity import Kind
from core.ids import name_of


class Exchange:
    """Makes tokens on behalf of others."""

    def __init__(self, store: Store, signer: Signer, proving: Proving) -> None:
        self._store = store
        self._signer = signer
        self._proving = proving

    async def __call__(self, token: str, actor: UUID, audience: str) -> tuple[str, datetime]:
        """The token by which `actor` calls `audience` for the owner of `token`, and its end.

        Raises TokenInvalid for a token that is dead, and for one that is on behalf itself.
        """
        shown = await self._proving.prove(token)
        claims = shown.claims
        if claims.actor is not None:
            raise TokenInvalid
        # In the trail of the caller's organization: the server did this, about the caller.
        async with self._store.begin_for(actor, claims.organization, kind=Kind.SERVICE) as tx:
            standing = await tx.principals.service(actor)
            # Its own token was proven by the stream, which may be behind by a moment. Only a server
            # of the platform acts for others.
            if standing is None or not standing.enabled or standing.organization is not None:
                raise TokenInvalid
            revision = min(shown.revision, standing.revision)
            signed = await self._signer.access_token(
                tx, _both(shown, revision, actor=actor, audience=audience)
            )
            await tx.record_act(
                identity.call().action,
                subject=claims.subject if claims.kind == Kind.USER else None,
                resource=name_of(COLLECTION, actor),
                audience=audience,
            )
        return signed


def _both(shown: Proven, revision: int, *, actor: UUID, audience: str) -> Principal:
    claims = shown.claims
    return Principal(
        kind=claims.kind,
        subject=claims.subject,
        organization=claims.organization,
        revision=revision,
        authenticated_at=claims.authenticated_at,
        methods=claims.methods,
        session=claims.session,
        service_key=claims.service_key,
        level=claims.assurance,
        actor=actor,
        audience=audience,
        ends_at=claims.expires_at,
        # The server that will show it, not whoever it acts for.
        confirmation=identity.call().certificate,
    )
