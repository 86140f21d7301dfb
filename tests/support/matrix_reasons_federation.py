"""How each reason of a sign-in with an organization's identity provider comes about."""

import secrets

from medhub.auth.v1 import federated_login_service_pb2 as logins
from medhub.auth.v1 import identity_provider_pb2
from medhub.auth.v1 import identity_provider_service_pb2 as providers
from tests.support.matrix_federation import (
    LOGINS,
    PROVIDERS,
    added,
    begin,
    described,
    finish,
    the_provider,
)
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World
from tests.support.openid_provider import REDIRECT


@case("FEDERATION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await finish(world.alpha)
    request.login_token = "kept by somebody else"
    return await ask(world, f"{LOGINS}/FinishFederatedLogin", request, meta, "")


@case("IDENTITY_NOT_LINKED")
async def _(world: World, meta: Metadata) -> Outcome:
    closed = described()
    closed.provisioning = identity_provider_pb2.PROVISIONING_INVITED
    made = await world.alpha.do(
        f"{PROVIDERS}/CreateIdentityProvider",
        providers.CreateIdentityProviderRequest(identity_provider=closed),
    )
    begun = await world.answered(
        f"{LOGINS}/BeginFederatedLogin",
        logins.BeginFederatedLoginRequest(identity_provider=made.name, redirect_uri=REDIRECT),
    )
    the_provider().person = {"sub": secrets.token_hex(8)}
    back = the_provider().approve(begun.authorization_url)
    request = logins.FinishFederatedLoginRequest(
        code=back["code"],
        state=back["state"],
        issuer=back["iss"],
        login_token=begun.login_token,
    )
    return await ask(world, f"{LOGINS}/FinishFederatedLogin", request, meta, "")


@case("IDENTITY_TAKEN")
async def _(world: World, meta: Metadata) -> Outcome:
    taken, person = await added(world.alpha), {"sub": secrets.token_hex(8)}
    token, request = await _linking(world, "administrator", taken.name, person)
    await world.alpha.do(f"{LOGINS}/FinishIdentityLink", request, token)
    token, request = await _linking(world, "nurse", taken.name, person)
    return await ask(world, f"{LOGINS}/FinishIdentityLink", request, meta, token)


async def _linking(
    world: World, who: str, provider: str, person: dict[str, str]
) -> tuple[str, logins.FinishIdentityLinkRequest]:
    """Somebody who is about to be tied to a person at the provider, and the last request."""
    token = (await world.alpha.log_in(who)).access_token
    asked = logins.BeginIdentityLinkRequest(identity_provider=provider, redirect_uri=REDIRECT)
    begun = await world.alpha.do(f"{LOGINS}/BeginIdentityLink", asked, token)
    the_provider().person = person
    back = the_provider().approve(begun.authorization_url)
    request = logins.FinishIdentityLinkRequest(
        code=back["code"],
        state=back["state"],
        issuer=back["iss"],
        login_token=begun.login_token,
    )
    return token, request


@case("PROVIDER_UNREACHABLE")
async def _(world: World, meta: Metadata) -> Outcome:
    away = described()
    away.issuer = "http://127.0.0.1:9"
    made = await world.alpha.do(
        f"{PROVIDERS}/CreateIdentityProvider",
        providers.CreateIdentityProviderRequest(identity_provider=away),
    )
    request = await begin(world.alpha)
    request.identity_provider = made.name
    return await ask(world, f"{LOGINS}/BeginFederatedLogin", request, meta, "")
