"""Calls to other services: with a token, a trace and a deadline, whatever the caller forgot."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import identity
from core.contract import load
from core.errors import Unavailable
from core.rpc import channel as module
from core.rpc.carrying import DEFAULT_DEADLINE
from core.rpc.channel import Channels, ServiceKey
from medhub.auth.v1 import auth_service_pb2 as wire

ISSUE = "/medhub.auth.v1.AuthService/IssueServiceToken"
RESOLVE = "/medhub.auth.v1.AuthStateService/ResolvePrincipal"
KEY = ServiceKey("serviceAccounts/1", Ed25519PrivateKey.from_private_bytes(bytes(32)))
# gRPC rounds a deadline up on the wire.
ROUNDING = 0.1


class _Auth(grpc.GenericRpcHandler):
    """Gives numbered tokens, and answers every other call as it is told."""

    def __init__(self) -> None:
        self.issued = 0
        self.life = 300
        self.away = False
        self.answers: list[grpc.StatusCode] = []
        self.seen: list[dict[str, str]] = []
        self.left: list[float | None] = []

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            self._issue if details.method == ISSUE else self._answer
        )

    async def _issue(self, raw: bytes, context: Any) -> bytes:
        if self.away:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "")
        request = wire.IssueServiceTokenRequest.FromString(raw)
        claims = jwt.decode(
            request.assertion, KEY.private_key.public_key(), ["EdDSA"], audience="medhub"
        )
        assert claims["iss"] == claims["sub"] == KEY.account
        await asyncio.sleep(0.02)
        self.issued += 1
        answer = wire.IssueServiceTokenResponse(access_token=f"token-{self.issued}")
        answer.expire_time.FromSeconds(int(time.time()) + self.life)
        return answer.SerializeToString()

    async def _answer(self, raw: bytes, context: Any) -> bytes:
        self.seen.append(dict(context.invocation_metadata()))
        self.left.append(context.time_remaining())
        code = self.answers.pop(0) if self.answers else grpc.StatusCode.OK
        if code is not grpc.StatusCode.OK:
            await context.abort(code, "")
        return raw


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[_Auth, Channels, Any]]:
    auth = _Auth()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((auth,))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    channels = Channels({"auth": target}, KEY, load("medhub.auth.v1"))
    rpc: Any = channels.to("auth").unary_unary(RESOLVE)
    try:
        yield auth, channels, rpc
    finally:
        await channels.close()
        await server.stop(0)


async def test_one_token_serves_all_calls() -> None:
    """A hundred calls at once make one renewal; each has a deadline."""
    async with _open() as (auth, channels, rpc):
        await asyncio.gather(*(rpc(b"") for _ in range(100)))

        assert auth.issued == 1
        assert {seen["authorization"] for seen in auth.seen} == {"Bearer token-1"}
        assert all(left is not None and left <= 5 + ROUNDING for left in auth.left)
        assert channels.to("auth") is channels.to("auth")


async def test_a_hop_has_no_more_time_than_the_call_it_is_made_for() -> None:
    """And goes on with its trace."""
    async with _open() as (auth, _, rpc):
        now = asyncio.get_running_loop().time()
        identity.enter(identity.Call(method="m", trace_id="ab" * 16, deadline=now + 0.5))
        await rpc(b"", timeout=15)
        identity.enter(identity.Call(method="m"))
        await rpc(b"", timeout=15)

        assert auth.left[0] is not None
        assert auth.left[1] is not None
        assert auth.left[0] <= 0.5 + ROUNDING < auth.left[1] <= 15 + ROUNDING
        assert auth.seen[0]["traceparent"].startswith("00-" + "ab" * 16)
        assert "traceparent" not in auth.seen[1]


async def test_a_passing_outage_is_tried_again() -> None:
    """UNAVAILABLE of a method that may be repeated, and nothing else."""
    async with _open() as (auth, _, rpc):
        auth.answers = [grpc.StatusCode.UNAVAILABLE] * 2
        assert await rpc(b"x") == b"x"
        assert len(auth.seen) == 3

        auth.answers = [grpc.StatusCode.INTERNAL]
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc(b"x")
        assert len(auth.seen) == 4


async def test_a_refused_token_is_not_used_again() -> None:
    """Its key or its account was revoked: the next call carries a new one."""
    async with _open() as (auth, _, rpc):
        auth.answers = [grpc.StatusCode.UNAUTHENTICATED]
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc(b"")
        await asyncio.sleep(0.05)
        await rpc(b"")

        assert [seen["authorization"] for seen in auth.seen] == ["Bearer token-1", "Bearer token-2"]


async def test_a_token_that_is_still_good_outlives_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Auth is asked again a second later, not by every call."""
    async with _open() as (auth, channels, rpc):
        await rpc(b"")
        monkeypatch.setattr(channels.token, "_renew_at", 0.0)
        auth.away = True

        await asyncio.gather(*(rpc(b"") for _ in range(5)))

        assert {seen["authorization"] for seen in auth.seen} == {"Bearer token-1"}
        assert channels.token._renew_at > time.time()


async def test_without_a_token_nothing_is_called() -> None:
    """What cannot prove itself is UNAVAILABLE, to be tried again."""
    async with _open() as (auth, channels, rpc):
        auth.away = True

        with pytest.raises(Unavailable):
            await channels.token.get()
        with pytest.raises(Unavailable):
            await rpc(b"")
        assert auth.seen == []


def test_a_renewal_comes_well_before_the_end() -> None:
    """A minute is enough for a slow hop and for its repetition."""
    assert module.RENEW_BEFORE >= 4 * DEFAULT_DEADLINE
