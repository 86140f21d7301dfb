"""Tokens of programs: for an assertion that one of the account's keys has signed (RFC 7523)."""

from datetime import datetime

from auth.domain.assertions import COLLECTION, read_assertion
from auth.domain.refusals import AssertionRefused
from auth.domain.service_keys import ServiceKey
from auth.formats.assertions import claims_unproven, is_signed_by
from auth.signing import Principal, Signer
from auth.storage.store import Store
from core import clock, identity
from core.identity import Kind
from core.ids import name_of
from core.truth import ISSUER

METHOD = "hwk"
"""A service account proves possession of a key (RFC 8176)."""


class ServiceTokens:
    """Issues access tokens of service accounts."""

    def __init__(self, store: Store, signer: Signer) -> None:
        self._store = store
        self._signer = signer

    async def issue(self, assertion: str) -> tuple[str, datetime]:
        """A token and when it ends. Raises AssertionRefused."""
        now = clock.now()
        asserted = read_assertion(claims_unproven(assertion), ISSUER, now)
        account = asserted.account
        async with self._store.begin() as tx:
            found = await tx.principals.service(account)
            keys = await tx.service_accounts.keys_of([account])
        key = _signing(assertion, keys, now)
        if found is None or key is None:
            raise AssertionRefused
        async with self._store.begin_for(account, found.organization, kind=Kind.SERVICE) as tx:
            fresh = await tx.service_accounts.use_assertion(
                account, asserted.jti, asserted.expires_at
            )
            # First the revision and then the key: whoever removes it later has a higher one.
            standing = await tx.principals.service(account)
            good = await tx.service_accounts.use_key(key.id, now)
            if not (fresh and good) or standing is None or not standing.enabled:
                raise AssertionRefused
            principal = Principal(
                "service",
                account,
                found.organization,
                standing.revision,
                now,
                (METHOD,),
                service=standing.server,
                service_key=key.id,
                # Whoever proves to hold a certificate gets what is of no use to others (RFC 8705).
                confirmation=identity.call().certificate,
            )
            token, expires_at = await self._signer.access_token(tx, principal)
            await tx.record_act(
                identity.call().action, resource=name_of(COLLECTION, account), key=str(key.id)
            )
        return token, expires_at


def _signing(assertion: str, keys: list[ServiceKey], at: datetime) -> ServiceKey | None:
    """The key that has signed it, of those that are still good."""
    good = (key for key in keys if key.proves(at))
    return next((key for key in good if is_signed_by(assertion, key.public_key)), None)
