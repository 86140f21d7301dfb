"""Requests to sign-ins with an organization's identity provider, which runs on the loopback."""

import secrets
from contextlib import ExitStack
from functools import cache

from medhub.auth.v1 import federated_login_service_pb2 as logins
from medhub.auth.v1 import identity_provider_pb2
from medhub.auth.v1 import identity_provider_service_pb2 as providers
from tests.support.matrix_requests import Ask, asks, fresh
from tests.support.matrix_world import Side
from tests.support.openid_provider import CLIENT, REDIRECT, SECRET, OpenIdProvider, openid_provider

PROVIDERS = "medhub.auth.v1.IdentityProviderService"
LOGINS = "medhub.auth.v1.FederatedLoginService"
_RUNNING = ExitStack()


@cache
def the_provider() -> OpenIdProvider:
    """The one provider of the process; its thread ends with it."""
    return _RUNNING.enter_context(openid_provider())


def described() -> identity_provider_pb2.IdentityProvider:
    """It, as an administrator adds it: whoever it lets in may enter as a nurse."""
    return identity_provider_pb2.IdentityProvider(
        display_name=f"Staff directory {secrets.token_hex(3)}",
        issuer=the_provider().issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect_uris=[REDIRECT],
        provisioning=identity_provider_pb2.PROVISIONING_CREATE,
        default_roles=["nurse"],
    )


async def added(side: Side) -> identity_provider_pb2.IdentityProvider:
    """One more provider of an organization."""
    made: identity_provider_pb2.IdentityProvider = await side.do(
        f"{PROVIDERS}/CreateIdentityProvider",
        providers.CreateIdentityProviderRequest(identity_provider=described()),
    )
    return made


@asks(f"{PROVIDERS}/CreateIdentityProvider")
async def create(side: Side) -> providers.CreateIdentityProviderRequest:
    return providers.CreateIdentityProviderRequest(
        identity_provider=described(), request_id=fresh()
    )


@asks(f"{PROVIDERS}/GetIdentityProvider")
async def get(side: Side) -> providers.GetIdentityProviderRequest:
    return providers.GetIdentityProviderRequest(name=(await added(side)).name)


@asks(f"{PROVIDERS}/ListIdentityProviders")
async def listed(side: Side) -> providers.ListIdentityProvidersRequest:
    return providers.ListIdentityProvidersRequest()


@asks(f"{PROVIDERS}/UpdateIdentityProvider")
async def update(side: Side) -> providers.UpdateIdentityProviderRequest:
    held = await added(side)
    changed = identity_provider_pb2.IdentityProvider(
        name=held.name, etag=held.etag, display_name="Directory of the staff"
    )
    return providers.UpdateIdentityProviderRequest(identity_provider=changed)


@asks(f"{PROVIDERS}/DisableIdentityProvider")
async def disable(side: Side) -> providers.DisableIdentityProviderRequest:
    held = await added(side)
    return providers.DisableIdentityProviderRequest(name=held.name, etag=held.etag)


@asks(f"{PROVIDERS}/EnableIdentityProvider")
async def enable(side: Side) -> providers.EnableIdentityProviderRequest:
    held = await added(side)
    disabled = await side.do(
        f"{PROVIDERS}/DisableIdentityProvider",
        providers.DisableIdentityProviderRequest(name=held.name, etag=held.etag),
    )
    return providers.EnableIdentityProviderRequest(name=held.name, etag=disabled.etag)


@asks(f"{LOGINS}/BeginFederatedLogin")
async def begin(side: Side) -> logins.BeginFederatedLoginRequest:
    return logins.BeginFederatedLoginRequest(
        identity_provider=(await added(side)).name, redirect_uri=REDIRECT
    )


@asks(f"{LOGINS}/FinishFederatedLogin")
async def finish(side: Side) -> logins.FinishFederatedLoginRequest:
    begun = await side.world.answered(f"{LOGINS}/BeginFederatedLogin", await begin(side))
    the_provider().person = {"sub": secrets.token_hex(8), "name": "Somebody"}
    back = the_provider().approve(begun.authorization_url)
    return logins.FinishFederatedLoginRequest(
        code=back["code"],
        state=back["state"],
        issuer=back["iss"],
        login_token=begun.login_token,
    )


@asks(f"{LOGINS}/BeginIdentityLink")
async def begin_link(side: Side) -> logins.BeginIdentityLinkRequest:
    return logins.BeginIdentityLinkRequest(
        identity_provider=(await added(side)).name, redirect_uri=REDIRECT
    )


@asks(f"{LOGINS}/FinishIdentityLink")
async def finish_link(side: Side) -> Ask:
    token = (await side.log_in("administrator")).access_token
    begun = await side.do(f"{LOGINS}/BeginIdentityLink", await begin_link(side), token)
    the_provider().person = {"sub": secrets.token_hex(8)}
    back = the_provider().approve(begun.authorization_url)
    request = logins.FinishIdentityLinkRequest(
        code=back["code"],
        state=back["state"],
        issuer=back["iss"],
        login_token=begun.login_token,
    )
    return Ask(request, token)
