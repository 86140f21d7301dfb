"""Where an identity provider may have auth go: real sockets, and names that lead elsewhere."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from auth.domain.federation import IdentityProvider
from auth.domain.refusals import ProviderUnreachable
from auth.openid_client import Providers, Reach
from tests.support.directory import DIRECTORY
from tests.support.federated import provider
from tests.support.openid_provider import OpenIdProvider

__all__ = ["provider"]
NAME = "id.hospital.example"
DISCOVERY = "/.well-known/openid-configuration"


def trusted(issuer: str) -> IdentityProvider:
    return replace(DIRECTORY, issuer=issuer)


@asynccontextmanager
async def client(reach: Reach) -> AsyncIterator[Providers]:
    made = Providers(reach)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def eavesdropper() -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A port of this machine, and what each connection sends to it first."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.read(100))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], heard


@pytest.fixture
def leading_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver for which the provider's name is this machine."""
    resolve = socket.getaddrinfo

    def lead(host: Any, *rest: Any, **more: Any) -> Any:
        named = host.decode() if isinstance(host, bytes) else host
        return resolve("127.0.0.1" if named == NAME else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lead)


@pytest.mark.usefixtures("leading_here")
@pytest.mark.parametrize("loopback", [False, True])
async def test_a_name_that_leads_to_this_machine_is_told_nothing(*, loopback: bool) -> None:
    """Not a byte, unless the operator allows the loopback: then the handshake of TLS begins."""
    async with eavesdropper() as (port, heard), client(Reach(loopback=loopback)) as providers:
        with pytest.raises(ProviderUnreachable):
            await providers.discover(trusted(f"https://{NAME}:{port}"))
        async with asyncio.timeout(60):
            first = await heard.get()

    assert bool(first) is loopback


@pytest.mark.parametrize(
    "field", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize(
    "url",
    [
        "https://0xa9fea9fe/x",
        "https://169.254.169.254/x?y=z",
        "http://id.example/x",
        "https://id.example:99999/x",
        "https://[::1",
        "javascript:alert(1)//",
    ],
)
async def test_a_discovery_document_leads_nowhere_else(
    provider: OpenIdProvider, field: str, url: str
) -> None:
    """Nothing that it names is asked, and no browser is sent there."""
    _, headers, body = provider.answer("GET", DISCOVERY, {}, {}, "")
    changed = {**json.loads(body), field: url}
    provider.answers[DISCOVERY] = (200, headers, json.dumps(changed).encode())
    provider.requests.clear()

    async with client(Reach(loopback=True)) as providers:
        with pytest.raises(ProviderUnreachable):
            await providers.discover(trusted(provider.issuer))

    assert provider.requests == [f"GET {DISCOVERY}"]
