"""Speaking to identity providers: few connections, short waits, small answers, no redirects.

A provider is somebody else's server, named by an organization's administrator. So where auth may
go is checked at each request and at each connection, and nothing that a provider says is passed on.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from auth.domain.federation import IdentityProvider, allowed_issuer, allowed_peer
from auth.domain.refusals import FederationRefused, ProviderUnreachable
from auth.formats.openid import (
    Discovery,
    claims_of,
    discovery_from,
    json_from,
    key_id_of,
    names_key,
)

# A provider that is well answers in well under a second; a person waits meanwhile.
TIMEOUT = httpx2.Timeout(5.0, connect=3.0, pool=2.0)
# Sign-ins at a shift's beginning come together; each has three requests, one after the other.
LIMITS = httpx2.Limits(max_connections=32, max_keepalive_connections=8)
# Key sets of large providers have some dozen kilobytes, with certificates.
LARGEST_ANSWER = 256 * 1024
# Published documents are kept this long; a provider publishes a key before it signs with it.
KEPT_SECONDS = 300.0
# A key that is not known brings the key set anew, but not more often than this: a made-up key id
# must not make auth flood a provider.
PAUSE_SECONDS = 10.0
# What the transport calls the moment between a connection and the first byte.
_CONNECTED = "connection.connect_tcp.complete"
# Documents kept; the one unused for longest makes room.
MOST_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Reach:
    """Where auth may go: the operator's hosts (none named: any), and this machine or not."""

    hosts: frozenset[str] = frozenset()
    loopback: bool = False

    def allows(self, url: str) -> bool:
        """Whether a request may be sent there."""
        plain, _, _ = url.partition("?")
        return allowed_issuer(plain, self.hosts, loopback=self.loopback)

    def allows_peer(self, address: str) -> bool:
        """Whether a request may be sent to the address that a name was resolved to."""
        return allowed_peer(address, loopback=self.loopback)


class _Bounded(httpx2.AsyncBaseTransport):
    """Sends only where it may, and reads no more than it should."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._sending = httpx2.AsyncHTTPTransport(limits=LIMITS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._reach.allows(str(request.url)):
            raise httpx2.UnsupportedProtocol("the operator does not allow this address")
        request.extensions["trace"] = self._check_peer
        response = await self._sending.handle_async_request(request)
        body = bytearray()
        try:
            async for part in response.stream:  # type: ignore[union-attr]  # it is an async one
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise httpx2.ReadError("the answer is too large")
        finally:
            await response.aclose()
        return httpx2.Response(
            response.status_code, headers=response.headers, content=bytes(body), request=request
        )

    async def _check_peer(self, event: str, told: Mapping[str, Any]) -> None:
        """Close a connection to where nothing may be sent, before anything is sent by it.

        The peer of a connection is asked, and no resolver, which may answer otherwise next time.
        """
        if event != _CONNECTED:
            return
        stream = told["return_value"]
        peer = stream.get_extra_info("server_addr")
        # Whoever has hung up has no address any more.
        if peer is None or not self._reach.allows_peer(peer[0]):
            await stream.aclose()
            raise httpx2.ConnectError("the name leads to where auth may not go")

    async def aclose(self) -> None:
        await self._sending.aclose()


@dataclass(slots=True)
class _Kept:
    document: object
    at: float


class Providers:
    """The client side of OpenID Connect. One per process; close it."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._transport = _Bounded(reach)
        self._client = httpx2.AsyncClient(transport=self._transport, timeout=TIMEOUT)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def discover(self, provider: IdentityProvider) -> Discovery:
        """Where the provider is asked what. Raises ProviderUnreachable."""
        url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = discovery_from(await self._document(url, KEPT_SECONDS), provider.issuer)
        # A browser is sent to one of them, and no request, which would be checked.
        if not all(map(self.reach.allows, found.endpoints())):
            raise ProviderUnreachable
        return found

    def page(
        self,
        provider: IdentityProvider,
        found: Discovery,
        attempt: Mapping[str, str],
        *,
        fresh: bool = False,
    ) -> str:
        """The address to send a browser to; `attempt` has redirect, state, nonce and verifier.

        `fresh`: the provider asks who it is, and says when (OpenID Connect Core 3.1.2.1).
        """
        anew = {"prompt": "login", "max_age": "0"} if fresh else {}
        client = self._oauth(provider, found, None, attempt["redirect_uri"])
        url, _ = client.create_authorization_url(
            found.authorization_endpoint,
            state=attempt["state"],
            nonce=attempt["nonce"],
            code_verifier=attempt["verifier"],
            **anew,
        )
        return str(url)

    async def claims(
        self,
        provider: IdentityProvider,
        found: Discovery,
        secret: str | None,
        attempt: Mapping[str, str],
    ) -> dict[str, object]:
        """What the provider says of whoever got the code: the ID token, proven, and the user info.

        `attempt` has redirect, verifier and code. Raises FederationRefused, ProviderUnreachable.
        """
        client = self._oauth(provider, found, secret, attempt["redirect_uri"])
        token = await self._token(client, found, attempt)
        signed = token.get("id_token")
        if not isinstance(signed, str):
            raise FederationRefused
        claims = claims_of(signed, await self._keys(found, key_id_of(signed)))
        more = await self._user_info(found, token.get("access_token"))
        # The signed token decides; the user info adds, if it is about the same person.
        return {**(more if more.get("sub") == claims.get("sub") else {}), **claims}

    def _oauth(
        self, provider: IdentityProvider, found: Discovery, secret: str | None, redirect: str
    ) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=provider.client_id,
            client_secret=secret,
            token_endpoint_auth_method=found.client_proof if secret else "none",
            scope=" ".join(("openid", *provider.scopes)),
            redirect_uri=redirect,
            code_challenge_method="S256",
            transport=_Shared(self._transport),
            timeout=TIMEOUT,
        )

    async def _token(
        self, client: AsyncOAuth2Client, found: Discovery, attempt: Mapping[str, str]
    ) -> dict[str, object]:
        try:
            token = await client.fetch_token(
                found.token_endpoint,
                grant_type="authorization_code",
                code=attempt["code"],
                code_verifier=attempt["verifier"],
            )
        except AuthlibBaseError:
            # It answered, and does not accept the code, the verifier or the client.
            raise FederationRefused from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError):
            raise ProviderUnreachable from None
        return dict(token)

    async def _keys(self, found: Discovery, kid: str | None) -> object:
        keys = await self._document(found.jwks_uri, KEPT_SECONDS)
        if not names_key(keys, kid):
            keys = await self._document(found.jwks_uri, PAUSE_SECONDS)
        return keys

    async def _user_info(self, found: Discovery, token: object) -> dict[str, object]:
        """Unsigned, and fetched from the provider itself. Nothing where there is none."""
        if not found.userinfo_endpoint or not isinstance(token, str):
            return {}
        answer = await self._get(found.userinfo_endpoint, {"authorization": f"Bearer {token}"})
        # A signed user info is a JWT; what it holds is in the ID token as well where needed.
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return {}
        document = json_from(answer.content)
        return document if isinstance(document, dict) else {}

    async def _document(self, url: str, kept_for: float) -> object:
        now = asyncio.get_running_loop().time()
        held = self._kept.get(url)
        if held is None or now - held.at > kept_for:
            held = _Kept(json_from((await self._get(url, {})).content), now)
            self._kept[url] = held
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(url)
        return held.document

    async def _get(self, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        try:
            answer = await self._client.get(url, headers={"accept": "application/json", **headers})
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
            raise ProviderUnreachable from None
        if answer.status_code != httpx2.codes.OK:
            raise ProviderUnreachable
        return answer


class _Shared(httpx2.AsyncBaseTransport):
    """The transport of all, which a client of one sign-in does not close."""

    def __init__(self, transport: _Bounded) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._transport.handle_async_request(request)
