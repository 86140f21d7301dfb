"""Receivers on a port, without proof of identity: what a relay needs, and nothing more.

Their servicers and databases are the real ones. Who calls is taken for granted here, because core's
proof of it needs auth beside it; the tests over the wire have both.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from compliance.servicers.audit_log import AuditLog
from compliance.servicers.sealing_keys import SealingKeys
from compliance.storage.store import Store
from core import identity
from core.contract import everything
from core.crypto.keyring import KeyProvider
from core.database import Database
from core.database.pages import PageTokens
from core.errors import Refusal
from core.ids import new_id
from core.rpc.translate import end, tell
from tests.support.postgres import PAGE_KEY

_CONTRACT = everything()
# Every relay here is this server's.
_ACCOUNT, SERVER = new_id(), "ward"


@dataclass(frozen=True, slots=True)
class Trail:
    """The service: its channel for relays, its servicers for looking at what is there."""

    target: str
    channel: grpc.aio.Channel
    log: AuditLog
    store: Store


@asynccontextmanager
async def trail(db: Database, keys: KeyProvider) -> AsyncIterator[Trail]:
    """Serve compliance on loopback for the length of a block."""
    store = Store(db, keys)
    log = AuditLog(store, PageTokens(PAGE_KEY))
    servicers: dict[str, Any] = {
        "medhub.compliance.v1.AuditService": log,
        "medhub.compliance.v1.KeyService": SealingKeys(store),
    }
    async with unproven(servicers) as (target, channel):
        yield Trail(target, channel, log, store)


@asynccontextmanager
async def unproven(servicers: Mapping[str, Any]) -> AsyncIterator[tuple[str, grpc.aio.Channel]]:
    """Serve on loopback for the length of a block; the address and a channel to it."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Served(servicers),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    channel = grpc.aio.insecure_channel(target)
    try:
        yield target, channel
    finally:
        await channel.close()
        await server.stop(0)


class _Served(grpc.GenericRpcHandler):
    def __init__(self, servicers: Mapping[str, Any]) -> None:
        self._servicers = servicers

    def service(self, details: Any) -> Any:
        method = _CONTRACT.methods[details.method]
        request: Any = method.request
        run = getattr(self._servicers[method.service], method.name.rpartition("/")[2])
        if method.streaming:
            return grpc.stream_stream_rpc_method_handler(
                _stream(method.name, run),
                request.FromString,
                lambda answer: answer.SerializeToString(),
            )
        return grpc.unary_unary_rpc_method_handler(
            _unary(method.name, run),
            request.FromString,
            lambda answer: answer.SerializeToString(),
        )


def _enter(method: str) -> None:
    caller = identity.Caller(kind=identity.Kind.SERVICE, subject=_ACCOUNT, service=SERVER)
    identity.enter(identity.Call(method=method, caller=caller, purpose="operation"))


def _unary(method: str, run: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(request: Any, context: Any) -> Any:
        _enter(method)
        try:
            return await run(request)
        except Refusal as refusal:
            await end(context, tell(refusal, _CONTRACT, "en"))

    return handle


def _stream(method: str, run: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(requests: Any, context: Any) -> None:
        _enter(method)
        try:
            async for answer in run(requests):
                await context.write(answer)
        except Refusal as refusal:
            await end(context, tell(refusal, _CONTRACT, "en"))

    return handle
