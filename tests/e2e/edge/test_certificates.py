"""The edge and the services prove themselves, and the edge says what a caller has shown to it."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.crypto.certificates import TlsFiles
from core.rpc.tls import peer_certificate, server_credentials
from edge.settings import Tls, Upstream
from medhub.auth.v1 import auth_service_pb2
from tests.support.certificates import Authority, thumbprint
from tests.support.edges import SERVICES, Backend, Front, before

LOGIN = "medhub.auth.v1.AuthService/Login"
EDGE = "spiffe://medhub/edge"
BODY = {"email": "a@b.test", "password": "of-no-consequence"}


def _context(authority: Authority, shown: TlsFiles | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.pem.decode())
    context.check_hostname = False
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


@pytest.fixture
async def fronted(tmp_path: Path) -> AsyncIterator[tuple[Front, Authority, list[str]]]:
    """An edge that shows its own certificate, before servers that ask for one; what they see."""
    authority, backend, seen = Authority(), Backend(), []
    outer, inner, servers = (
        authority.files(tmp_path / name, uri)
        for name, uri in (
            ("outer", "spiffe://x/portal"),
            ("inner", EDGE),
            ("servers", "spiffe://s"),
        )
    )

    def answer(_: Any, context: Any) -> auth_service_pb2.LoginResponse:
        told = dict(context.invocation_metadata()).get("x-forwarded-client-cert", "")
        seen.append(peer_certificate(context, str(told), frozenset({EDGE})))
        return auth_service_pb2.LoginResponse(access_token="t")

    backend.answers[LOGIN] = answer
    async with AsyncExitStack() as parts:
        for service in SERVICES:
            await backend.start(service, credentials=server_credentials(servers))
            parts.push_async_callback(backend.servers[service].stop, None)
        front = await parts.enter_async_context(
            before(
                backend.ports,
                tmp_path / "edge",
                backend,
                _context(authority, None),
                tls=Tls(outer.certificate, outer.key, outer.authority),
                upstream=Upstream(inner.certificate, inner.key, inner.authority, "localhost"),
            )
        )
        yield front, authority, seen


async def test_the_service_knows_the_certificate_of_the_caller(
    fronted: tuple[Front, Authority, list[str]], tmp_path: Path
) -> None:
    """Of one who shows it; whoever shows none has none, whatever their headers say."""
    front, authority, seen = fronted
    mine = authority.files(tmp_path / "mine", "spiffe://partner/lab")
    known = replace(front, context=_context(authority, mine))
    lie = f"Hash={'ab' * 32}"

    replies = [
        await known.call("POST", "/auth/v1/login", BODY),
        await known.call("POST", "/auth/v1/login", BODY, x_forwarded_client_cert=lie),
        await front.call("POST", "/auth/v1/login", BODY, x_forwarded_client_cert=lie),
        await front.call("POST", "/auth/v1/login", BODY),
    ]

    assert [reply.status for reply in replies] == [200] * 4
    assert seen == [thumbprint(mine.read()), thumbprint(mine.read()), "", ""]


async def test_a_certificate_of_another_authority_is_refused(
    fronted: tuple[Front, Authority, list[str]], tmp_path: Path
) -> None:
    """It is not taken for none."""
    front, authority, seen = fronted
    foreign = Authority("Another").files(tmp_path / "foreign", "spiffe://partner/lab")
    stranger = replace(front, context=_context(authority, foreign))

    with pytest.raises((OSError, ValueError, IndexError)):
        await stranger.call("POST", "/auth/v1/login", BODY)

    assert seen == []
