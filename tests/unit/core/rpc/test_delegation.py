"""Calls on behalf of whoever makes the call in progress: one exchange a caller, kept in bounds."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2

from core import identity
from core.contract import load
from core.errors import Unavailable
from core.rpc import delegation as module
from core.rpc.channel import Channels, ServiceKey
from core.rpc.delegation import NobodyToActFor
from core.truth.refusals import Unauthenticated
from medhub.auth.v1 import auth_service_pb2 as wire

ISSUE = "/medhub.auth.v1.AuthService/IssueServiceToken"
EXCHANGE = "/medhub.auth.v1.AuthService/ExchangeToken"
CALL = "/medhub.auth.v1.AuthStateService/ResolvePrincipal"
KEY = ServiceKey("serviceAccounts/1", Ed25519PrivateKey.from_private_bytes(bytes(32)))


class _Servers(grpc.GenericRpcHandler):
    """Auth, which numbers what it exchanges, and the server that is called."""

    def __init__(self) -> None:
        self.life = 300
        self.refusing = ""
        self.asked: list[tuple[str, str, str]] = []
        self.seen: list[str] = []
        self.answer = grpc.StatusCode.OK

    def service(self, details: Any) -> Any:
        kinds = {ISSUE: self._issue, EXCHANGE: self._exchange}
        return grpc.unary_unary_rpc_method_handler(kinds.get(details.method, self._called))

    def _end(self) -> int:
        return int(time.time()) + self.life

    async def _issue(self, _raw: bytes, _context: Any) -> bytes:
        answer = wire.IssueServiceTokenResponse(access_token="own")
        answer.expire_time.FromSeconds(int(time.time()) + 300)
        return answer.SerializeToString()

    async def _exchange(self, raw: bytes, context: Any) -> bytes:
        asked = wire.ExchangeTokenRequest.FromString(raw)
        own = dict(context.invocation_metadata())["authorization"]
        self.asked.append((own, asked.subject_token, asked.audience))
        await asyncio.sleep(0.02)
        if self.refusing:
            await context.abort_with_status(_told(self.refusing))
        answer = wire.ExchangeTokenResponse(access_token=f"both-{len(self.asked)}")
        answer.expire_time.FromSeconds(self._end())
        return answer.SerializeToString()

    async def _called(self, raw: bytes, context: Any) -> bytes:
        self.seen.append(dict(context.invocation_metadata())["authorization"])
        if self.answer is not grpc.StatusCode.OK:
            await context.abort(self.answer, "")
        return raw


class _Status(grpc.Status):
    """A status as a server of medhub ends with."""

    def __init__(self, code: grpc.StatusCode, details: bytes) -> None:
        self.code, self.details = code, ""
        self.trailing_metadata = (("grpc-status-details-bin", details),)


def _told(reason: str) -> _Status:
    packed = Packed()
    packed.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="medhub"))
    status = status_pb2.Status(code=16, details=[packed])
    return _Status(grpc.StatusCode.UNAUTHENTICATED, status.SerializeToString())


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[_Servers, Any]]:
    servers = _Servers()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((servers,))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    targets = {"auth": target, "clinical": target}
    channels = Channels(targets, KEY, load("medhub.auth.v1"))
    rpc: Any = channels.for_caller("clinical").unary_unary(CALL)
    try:
        yield servers, rpc
    finally:
        await channels.close()
        await server.stop(0)


def _serve(credential: str) -> None:
    """Go on in a call of the owner of this token."""
    identity.enter(identity.Call(method="m", credential=credential))


async def test_a_call_carries_what_auth_gives_for_both() -> None:
    """Asked with the server's own token, once for all calls of one caller."""
    async with _open() as (servers, rpc):
        _serve("the doctor's")
        await asyncio.gather(*(rpc(b"") for _ in range(50)))
        _serve("the nurse's")
        await rpc(b"")

    assert servers.asked == [
        ("Bearer own", "the doctor's", "clinical"),
        ("Bearer own", "the nurse's", "clinical"),
    ]
    assert servers.seen == ["Bearer both-1"] * 50 + ["Bearer both-2"]


@pytest.mark.parametrize("call", [None, identity.Call(method="m")])
async def test_without_a_caller_nothing_is_called(call: identity.Call | None) -> None:
    """Work of the server's own, and public methods, have nobody to act for."""
    async with _open() as (servers, rpc):
        if call is not None:
            identity.enter(call)

        with pytest.raises(NobodyToActFor):
            await rpc(b"")

    assert (servers.asked, servers.seen) == ([], [])


async def test_a_caller_whose_token_is_dead_is_refused() -> None:
    """As they would be at the next call; that this server is refused is no word on them."""
    async with _open() as (servers, rpc):
        _serve("ended")
        servers.refusing = "TOKEN_INVALID"
        with pytest.raises(Unauthenticated):
            await rpc(b"")

        servers.refusing = "UNAUTHENTICATED"
        with pytest.raises(Unavailable):
            await rpc(b"")

        servers.refusing = ""
        await rpc(b"")

    assert servers.seen == ["Bearer both-3"]


async def test_a_token_is_not_used_to_its_very_end() -> None:
    """It could run out on its way."""
    async with _open() as (servers, rpc):
        _serve("the doctor's")
        servers.life = 1
        await rpc(b"")
        servers.life = 300
        await rpc(b"")
        await rpc(b"")

    assert servers.seen == ["Bearer both-1", "Bearer both-2", "Bearer both-2"]


async def test_a_refused_token_is_not_used_again() -> None:
    """Somebody's rights or account changed: auth is asked anew, for that caller alone."""
    async with _open() as (servers, rpc):
        _serve("the nurse's")
        await rpc(b"")
        _serve("the doctor's")
        servers.answer = grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc(b"")
        servers.answer = grpc.StatusCode.OK
        async with asyncio.timeout(60):
            while len(servers.asked) < 3:
                await rpc(b"")
        _serve("the nurse's")
        await rpc(b"")

    assert [asked[1] for asked in servers.asked] == ["the nurse's", *["the doctor's"] * 2]
    assert servers.seen[-1] == "Bearer both-1"


async def test_callers_are_remembered_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who called longest ago makes room, and is asked about anew."""
    monkeypatch.setattr(module, "MAX_HELD", 3)
    async with _open() as (servers, rpc):
        for caller in ("a", "b", "c", "a", "d", "a", "b"):
            _serve(caller)
            await rpc(b"")

    assert [asked[1] for asked in servers.asked] == ["a", "b", "c", "d", "b"]


async def test_who_gives_up_leaves_the_exchange_to_the_others() -> None:
    """It is not under the deadline of whoever came first."""
    async with _open() as (servers, rpc):
        now = asyncio.get_running_loop().time()
        identity.enter(identity.Call(method="m", credential="the doctor's", deadline=now + 60))
        first = asyncio.ensure_future(rpc(b""))
        second = asyncio.ensure_future(rpc(b""))
        await asyncio.sleep(0.005)
        first.cancel()

        await second

    assert len(servers.asked) == 1


def test_a_credential_is_not_shown() -> None:
    """A call may be printed in a test or a log."""
    assert "secret" not in repr(identity.Call(method="m", credential="secret"))
