"""Sign-in with an organization's identity provider, from the first page to a session.

A sign-in has two halves: the state, which travels through the browser, and a token that the page
keeps. Whoever has one cannot finish. Verifier and nonce are derived from the state, so nothing
secret is kept between the two calls. An attempt is used up, in a committed transaction, before
the provider is asked: a code is presented once.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from auth.domain.bindings import Held
from auth.domain.federation import (
    ATTEMPT_LIFE,
    COLLECTION,
    Attempt,
    Identity,
    IdentityProvider,
    Provisioning,
    address_of,
    authenticated_at,
    check_claims,
    identity_from,
    proven_level,
    proven_methods,
    roles_after,
)
from auth.domain.memberships import Membership, State, keep_an_administrator
from auth.domain.refusals import (
    FederationRefused,
    IdentityNotLinked,
    IdentityTaken,
    InvalidCredentials,
    LastAdministrator,
    NotAMember,
)
from auth.domain.roles import ADMINISTRATOR
from auth.domain.sessions import Proof, new_token, token_hash
from auth.invitations import membership_changed
from auth.openid_client import Providers
from auth.opening import Opened, Opening
from auth.refusing import count_refusal
from auth.sealing import Sealing
from auth.signing import Signer
from auth.storage.store import Store, Tx
from core import clock, identity
from core.errors import Refusal
from core.ids import name_of, new_id
from core.truth import FEDERATED, FEDERATED_ALONE

ACT = "auth.federated_login"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that the browser goes on with."""

    page: str
    keeper: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """What the provider sent back by the browser, and what the page kept."""

    code: str
    state: str
    issuer: str
    keeper: str


class Federation:
    """Signs people in by what an organization's provider says."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        secrets: Sealing,
        providers: Providers,
        opening: Opening,
    ) -> None:
        self._store = store
        self._signer = signer
        self._secrets = secrets
        self._providers = providers
        self._opening = opening

    async def begin(
        self,
        key: UUID,
        redirect_uri: str,
        user: UUID | None = None,
        within: UUID | None = None,
        *,
        fresh: bool = False,
    ) -> Begun:
        """Where to send the browser. `user` ties their own account, `within` their organization;
        `fresh` has the provider ask who they are, whatever it knows.

        Raises FederationRefused and ProviderUnreachable.
        """
        provider = await self._open(key)
        if redirect_uri not in provider.redirect_uris:
            raise FederationRefused
        if user is not None and provider.organization != within:
            raise FederationRefused
        found = await self._providers.discover(provider)
        state, keeper = new_token(), new_token()
        attempt = Attempt(provider.id, user, redirect_uri, fresh, clock.now() + ATTEMPT_LIFE)
        async with self._store.begin() as tx:
            secret = await self._signer.derivation_key(tx)
            await tx.identity_providers.begin(token_hash(state), token_hash(keeper), attempt)
        going = {"redirect_uri": redirect_uri, "state": state, **_derived(secret, state)}
        page = self._providers.page(provider, found, going, fresh=fresh)
        return Begun(page, keeper, attempt.expires_at)

    async def finish(self, returned: Returned) -> Opened:
        """A session. Raises FederationRefused, IdentityNotLinked and ProviderUnreachable."""
        attempt = await self._take(returned)
        provider = await self._open(attempt.provider)
        try:
            if attempt.user is not None:
                raise FederationRefused
            told = await self._identity(provider, attempt, returned)
            authenticated = authenticated_at(attempt, told, clock.now())
            user = await self._enter(provider, told)
            methods = (FEDERATED, *proven_methods(provider, told))
            if attempt.fresh and await self._opens_alone(provider, user):
                methods = (*methods, FEDERATED_ALONE)
            proof = Proof(proven_level(provider, told), methods, authenticated)
            return await self._opening.open(user, provider.organization, proof)
        except (FederationRefused, IdentityNotLinked) as refusal:
            await self._record_refusal(provider, refusal)
            raise
        except (NotAMember, InvalidCredentials):
            refused = FederationRefused()
            await self._record_refusal(provider, refused)
            raise refused from None

    async def tie(self, returned: Returned, user: UUID, organization: UUID | None) -> UUID:
        """Tie the account of the caller to whom the provider says they are; the provider's id.

        Raises FederationRefused, IdentityTaken and ProviderUnreachable.
        """
        attempt = await self._take(returned)
        provider = await self._open(attempt.provider)
        if attempt.user != user or provider.organization != organization:
            raise FederationRefused
        told = await self._identity(provider, attempt, returned)
        async with self._store.begin() as tx:
            tied = await tx.identity_providers.tie(provider.id, told.subject, user, clock.now())
            if not tied and await tx.identity_providers.known(provider.id, told.subject) != user:
                raise IdentityTaken
            await tx.record_act(
                identity.call().action, subject=user, resource=name_of(COLLECTION, provider.id)
            )
        return provider.id

    async def _open(self, key: UUID) -> IdentityProvider:
        """A provider by which somebody can sign in now. Raises FederationRefused."""
        async with self._store.begin(read_only=True) as tx:
            provider = await tx.identity_providers.of_anybody(key)
            if provider is None or provider.disabled_at is not None:
                raise FederationRefused
            organization = await tx.organizations.get(provider.organization)
        if organization is None or organization.suspended_at is not None:
            raise FederationRefused
        return provider

    async def _take(self, returned: Returned) -> Attempt:
        async with self._store.begin() as tx:
            attempt = await tx.identity_providers.take(
                token_hash(returned.state), token_hash(returned.keeper), clock.now()
            )
        if attempt is None:
            raise FederationRefused
        return attempt

    async def _identity(
        self, provider: IdentityProvider, attempt: Attempt, returned: Returned
    ) -> Identity:
        """Whom the provider vouches for. Raises FederationRefused and ProviderUnreachable."""
        found = await self._providers.discover(provider)
        if (returned.issuer or found.names_issuer) and returned.issuer != provider.issuer:
            raise FederationRefused
        async with self._store.begin() as tx:
            derived = _derived(await self._signer.derivation_key(tx), returned.state)
            secret = None
            if provider.client_secret is not None:
                opened = await self._secrets.open(tx, provider.client_secret, provider.id)
                secret = opened.decode()
        going = {"redirect_uri": attempt.redirect_uri, "code": returned.code, **derived}
        claims = await self._providers.claims(provider, found, secret, going)
        check_claims(
            claims,
            issuer=provider.issuer,
            client=provider.client_id,
            nonce=derived["nonce"],
            at=clock.now(),
        )
        return identity_from(provider, claims)

    async def _enter(self, provider: IdentityProvider, told: Identity) -> UUID:
        """The account of the person, a member of the organization. Raises as `finish` does."""
        async with self._store.begin(read_only=True) as tx:
            known = await tx.identity_providers.known(provider.id, told.subject)
        if known is None:
            known = await self._first(provider, told)
        if known is None:
            # Two first sign-ins at once: the other one has made the account.
            async with self._store.begin(read_only=True) as tx:
                known = await tx.identity_providers.known(provider.id, told.subject)
        if known is None:
            raise FederationRefused
        await self._follow(provider, told, known)
        return known

    async def _opens_alone(self, provider: IdentityProvider, user: UUID) -> bool:
        async with self._store.begin(read_only=True) as tx:
            return await tx.identity_providers.opens_alone(user, provider.organization)

    async def _first(self, provider: IdentityProvider, told: Identity) -> UUID | None:
        """A new account for whoever may enter. None: somebody was faster."""
        user, now = new_id(), clock.now()
        try:
            async with self._store.begin_for(user, provider.organization) as tx:
                held = await _place(tx, provider, told)
                handle = f"{provider.id}/{hashlib.sha256(told.subject.encode()).hexdigest()}"
                made = held or _membership(provider, told, now)
                await tx.users.add_federated(user, made.email, handle, now)
                if not await tx.identity_providers.tie(provider.id, told.subject, user, now):
                    raise _Twin
                await _join(tx, made, user, invited=held is not None)
        except _Twin:
            return None
        return user

    async def _follow(self, provider: IdentityProvider, told: Identity, user: UUID) -> None:
        """Give the person the roles that their groups give. Who was removed enters by another
        invitation, and by nothing else.

        Raises FederationRefused and IdentityNotLinked.
        """
        async with self._store.begin_for(user, provider.organization) as tx:
            await tx.organizations.lock(provider.organization)
            # Held, so that nobody joins with an account that is deleted meanwhile.
            account = await tx.users.lock(user)
            if account is None or not account.enabled:
                raise FederationRefused
            held = await tx.memberships.lock_person(user)
            if held is None and (invited := await _invited(tx, provider, told)):
                await _join(tx, invited, user, invited=True)
                held = replace(invited, user=user)
            if held is None or not held.active:
                raise FederationRefused
            after = replace(held.held, roles=roles_after(provider, told, held.held.roles))
            if after == held.held:
                return
            others = await tx.memberships.other_administrators(held.id)
            try:
                keep_an_administrator(held, after, others, active=True)
            except LastAdministrator:
                # A mistake in a directory must not leave the organization to nobody.
                after = replace(after, roles=tuple(sorted({*after.roles, ADMINISTRATOR})))
            await tx.memberships.save(replace(held, held=after, updated_at=clock.now()))
            await tx.state.publish([membership_changed(replace(held, held=after), user)])

    async def _record_refusal(self, provider: IdentityProvider, refusal: Refusal) -> None:
        """In the trail of the organization."""
        name = name_of(COLLECTION, provider.id)
        async with self._store.begin_for(None, provider.organization) as tx:
            await count_refusal(tx, ACT, name, refusal.reason, resource=name)


class _Twin(Exception):
    """Another sign-in of the same person has made their account."""


async def _place(tx: Tx, provider: IdentityProvider, told: Identity) -> Membership | None:
    """The invitation that is meant for the person; None: they enter anew.

    Raises IdentityNotLinked where they may not.
    """
    held = await _invited(tx, provider, told)
    if held is None and provider.provisioning is not Provisioning.CREATE:
        raise IdentityNotLinked
    return held


async def _invited(tx: Tx, provider: IdentityProvider, told: Identity) -> Membership | None:
    """The invitation at an address that the provider vouches for; None: the organization knows no
    such address. Raises IdentityNotLinked where it does, and that is no open invitation.
    """
    address = address_of(provider, told)
    held = await tx.memberships.lock_address(address) if address else None
    # An account that has the address is the person's own to tie, never the provider's to enter.
    if held is not None and held.state(clock.now()) is not State.INVITED:
        raise IdentityNotLinked
    return held


async def _join(tx: Tx, made: Membership, user: UUID, *, invited: bool) -> None:
    if invited:
        await tx.memberships.accept(made.id, user, clock.now())
        await tx.activations.cancel(made.id, clock.now())
    else:
        await tx.memberships.add(replace(made, user=user))
    await tx.state.publish([membership_changed(replace(made, user=user), user)])


def _membership(provider: IdentityProvider, told: Identity, at: datetime) -> Membership:
    """Where the provider vouches for no address, one that nobody can have (RFC 2606)."""
    key = new_id()
    address = address_of(provider, told) or f"{key}@provider.invalid"
    return Membership(
        id=key,
        organization=provider.organization,
        user=None,
        email=address,
        display_name=told.display_name or told.subject[:200],
        held=Held(tuple(sorted(provider.default_roles))),
        suspended_at=None,
        invitation_expires_at=None,
        created_at=at,
        updated_at=at,
        revision=1,
    )


def _derived(secret: bytes, state: str) -> dict[str, str]:
    """PKCE verifier (RFC 7636) and nonce of an attempt: 256 bits each, known to auth alone."""
    return {name: _text(secret, f"federation/{name}", state) for name in ("verifier", "nonce")}


def _text(secret: bytes, purpose: str, state: str) -> str:
    raw = hmac.digest(secret, f"{purpose}\0{state}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
