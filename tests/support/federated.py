"""A hospital whose people sign in with its own identity provider, over real sockets."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import federated_login_service_pb2 as logins
from medhub.auth.v1 import identity_provider_pb2 as messages
from medhub.auth.v1 import identity_provider_service_pb2 as providers
from tests.support.auth_server import AuthServer
from tests.support.openid_provider import CLIENT, REDIRECT, SECRET, OpenIdProvider, openid_provider

ADMIN = "admin@parc.test"
REFUSED = ("UNAUTHENTICATED", "FEDERATION_REFUSED")


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """A provider of the hospital."""
    with openid_provider() as made:
        yield made


@dataclass
class Hospital:
    """An organization with a provider, and somebody who administers it."""

    server: AuthServer
    provider: OpenIdProvider
    token: str

    async def trust(self, **changed: Any) -> messages.IdentityProvider:
        """Add the provider."""
        described = {
            "display_name": "Directory",
            "issuer": self.provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scopes": ["email", "profile"],
            "redirect_uris": [REDIRECT],
            "provisioning": messages.PROVISIONING_CREATE,
            "default_roles": ["nurse"],
        }
        answer: messages.IdentityProvider = await self.server.call(
            "IdentityProviderService/CreateIdentityProvider",
            providers.CreateIdentityProviderRequest(
                identity_provider=messages.IdentityProvider(**{**described, **changed})
            ),
            self.token,
        )
        return answer

    async def begin(
        self, trusted: messages.IdentityProvider, *, fresh: bool = False
    ) -> logins.BeginFederatedLoginResponse:
        """A sign-in."""
        request = logins.BeginFederatedLoginRequest(
            identity_provider=trusted.name, redirect_uri=REDIRECT, fresh=fresh
        )
        answer: logins.BeginFederatedLoginResponse = await self.server.call(
            "FederatedLoginService/BeginFederatedLogin", request
        )
        return answer

    async def returned(
        self, trusted: messages.IdentityProvider, *, fresh: bool = False
    ) -> logins.FinishFederatedLoginRequest:
        """What the front end knows when the browser is back."""
        begun = await self.begin(trusted, fresh=fresh)
        back = await asyncio.to_thread(self.provider.approve, begun.authorization_url)
        return logins.FinishFederatedLoginRequest(
            code=back["code"],
            state=back["state"],
            issuer=back.get("iss", ""),
            login_token=begun.login_token,
        )

    async def sign_in(
        self, trusted: messages.IdentityProvider, *, fresh: bool = False
    ) -> auth.LoginResponse:
        """A whole sign-in."""
        answer: logins.FinishFederatedLoginResponse = await self.server.call(
            "FederatedLoginService/FinishFederatedLogin",
            await self.returned(trusted, fresh=fresh),
        )
        return answer.login

    async def tie(self, trusted: messages.IdentityProvider, token: str) -> None:
        """Tie the account of a token to whom the provider knows."""
        begun = await self.server.call(
            "FederatedLoginService/BeginIdentityLink",
            logins.BeginIdentityLinkRequest(identity_provider=trusted.name, redirect_uri=REDIRECT),
            token,
        )
        back = await asyncio.to_thread(self.provider.approve, begun.authorization_url)
        await self.server.call(
            "FederatedLoginService/FinishIdentityLink",
            logins.FinishIdentityLinkRequest(
                code=back["code"],
                state=back["state"],
                issuer=back["iss"],
                login_token=begun.login_token,
            ),
            token,
        )

    async def refused(
        self, trusted: messages.IdentityProvider, *, fresh: bool = False
    ) -> tuple[str, str]:
        """A sign-in that must not end well."""
        return await self.server.refused(
            "FederatedLoginService/FinishFederatedLogin",
            await self.returned(trusted, fresh=fresh),
        )


@pytest.fixture
async def hospital(server: AuthServer, provider: OpenIdProvider) -> Hospital:
    """The hospital."""
    await server.member(ADMIN, "administrator")
    return Hospital(server, provider, (await server.log_in(ADMIN)).access_token)


async def roles_of(server: AuthServer, token: str) -> list[str]:
    """What the token's owner is in its organization."""
    answer = await server.call("AuthService/ValidateToken", auth.ValidateTokenRequest(token=token))
    return list(answer.roles)
