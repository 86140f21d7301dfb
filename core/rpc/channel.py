"""Channels to other services: one a target, for the life of the process, made only here.

Each carries the service's own token, or one on behalf of the caller in progress, gives every call
a deadline, and retries UNAVAILABLE for methods that may be repeated. C-core does the retrying
(gRFC A6), with throttling.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias
from uuid import uuid4

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import identity
from core.contract import Contract
from core.crypto.private_files import PrivateFile
from core.errors import Unavailable
from core.identity import Call
from core.rpc.delegation import Delegation
from core.rpc.endings import TrueEndings, ending_of
from core.rpc.health import OPEN
from core.rpc.limits import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS, MAX_MESSAGE_BYTES
from core.truth.proof import AUDIENCE
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from medhub.options.v1 import policy_pb2 as options

# A call without a deadline of its own gets this one, in seconds.
DEFAULT_DEADLINE = 5.0
# An assertion is used at once; it need not live longer than a slow hop.
ASSERTION_SECONDS = 60
# A service token is renewed when this much of its life is left, in seconds.
RENEW_BEFORE = 60.0
RETRY_ATTEMPTS = 3
# When auth could not renew a token that is still good, it is asked again after this long.
RENEW_PAUSE = 1.0


Interceptors: TypeAlias = tuple[grpc.aio.ClientInterceptor, ...]


class Tokens(Protocol):
    """Where the token of each call comes from."""

    async def get(self) -> str:
        """The token to carry. Raises the refusal that ends the call when there is none."""

    def refused(self, token: str) -> None:
        """Note that a server took the token for dead."""


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A service account's name and the private key that proves it."""

    account: str
    private_key: Ed25519PrivateKey

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file: JSON with `account` and `private_key` (base64 of 32 bytes)."""
        content = json.loads(PrivateFile(path).read())
        raw = base64.b64decode(content["private_key"])
        return cls(content["account"], Ed25519PrivateKey.from_private_bytes(raw))

    def assertion(self) -> str:
        """A fresh assertion (RFC 7523) that the bearer is this service account."""
        now = int(time.time())
        claims = {
            "iss": self.account,
            "sub": self.account,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        return jwt.encode(claims, self.private_key, algorithm="EdDSA")


class ServiceToken:
    """The access token of a service account, renewed before it runs out; one renewal at a time."""

    def __init__(self, key: ServiceKey, auth: grpc.aio.Channel) -> None:
        self._key = key
        self._stub: Any = auth_service_pb2_grpc.AuthServiceStub(auth)
        self._token = ""
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """A token that is good for a while. Raises Unavailable when auth cannot give one."""
        if time.time() < self._renew_at:
            return self._token
        async with self._lock:
            if time.time() >= self._renew_at:
                await self._renew()
        return self._token

    def refused(self, token: str) -> None:
        """Note that a server took the token for dead: its key or its account was revoked."""
        if token == self._token:
            self._renew_at = self._expires_at = 0.0

    async def _renew(self) -> None:
        request = auth_service_pb2.IssueServiceTokenRequest(assertion=self._key.assertion())
        try:
            answer = await self._stub.IssueServiceToken(request, timeout=DEFAULT_DEADLINE)
        except grpc.aio.AioRpcError:
            if time.time() < self._expires_at:
                self._renew_at = time.time() + RENEW_PAUSE
                return
            raise Unavailable(retry_after=1.0) from None
        self._token = answer.access_token
        self._expires_at = answer.expire_time.seconds
        life = self._expires_at - time.time()
        self._renew_at = time.time() + max(life - RENEW_BEFORE, life / 2)


class Channels:
    """The channels of one process, by the name of the service."""

    def __init__(self, targets: Mapping[str, str], key: ServiceKey, contract: Contract) -> None:
        """`contract` says which methods may be repeated; `targets` are addresses by service."""
        self._targets = targets
        self._contract = contract
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._for_callers: dict[str, grpc.aio.Channel] = {}
        self._plain = self._open(targets["auth"], ())
        self.token = ServiceToken(key, self._plain)

    def to(self, service: str) -> grpc.aio.Channel:
        """The channel to a service, carrying this service's token."""
        if service not in self._channels:
            self._channels[service] = self._open(self._targets[service], carrying(self.token))
        return self._channels[service]

    def for_caller(self, service: str) -> grpc.aio.Channel:
        """The channel to a service on behalf of whoever makes the call in progress.

        It carries a token that auth gives for both: the other server lets through what the caller
        and this service may do, and its trail names both. A call raises Unauthenticated when the
        caller's token is dead by now, Unavailable when auth cannot be asked, and NobodyToActFor
        when no call of somebody known is in progress.
        """
        if service not in self._for_callers:
            tokens = Delegation(service, self.to("auth"))
            self._for_callers[service] = self._open(self._targets[service], carrying(tokens))
        return self._for_callers[service]

    async def close(self) -> None:
        """Close all of them."""
        for channel in (*self._channels.values(), *self._for_callers.values(), self._plain):
            await channel.close()

    def _open(self, target: str, interceptors: Interceptors) -> grpc.aio.Channel:
        return open_channel(target, self._contract, interceptors)


def open_channel(
    target: str, contract: Contract, interceptors: Interceptors = ()
) -> grpc.aio.Channel:
    """A channel as every one of the platform is."""
    settings = [
        ("grpc.service_config", json.dumps(service_config(target, contract))),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # A peer that comes back is found within a second, not after the default two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # Names are looked up anew as soon as a server has gone, not half a minute later.
        ("grpc.dns_min_time_between_resolutions_ms", 1000),
    ]
    return grpc.aio.insecure_channel(target, settings, interceptors=interceptors)


def service_config(target: str, contract: Contract) -> dict[str, object]:
    """How gRPC treats calls to a target, by itself: which servers it uses, what it repeats."""
    return {**_methods(contract), **(_spread() if _names_servers(target) else {})}


def _names_servers(target: str) -> bool:
    """Whether a target names servers, not one address that may stand for several."""
    return target.startswith(("dns:", "ipv4:", "ipv6:"))


def _spread() -> dict[str, object]:
    """Use all servers that are open; one that drains is left before it stops."""
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": OPEN},
    }


def _methods(contract: Contract) -> dict[str, object]:
    repeatable = [
        {"service": m.service, "method": m.name.rpartition("/")[2]}
        for m in contract.methods.values()
        if m.policy.idempotency != options.IDEMPOTENCY_UNSPECIFIED and not m.streaming
    ]
    return {
        "methodConfig": [{
            "name": repeatable,
            "retryPolicy": {
                "maxAttempts": RETRY_ATTEMPTS,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                # A server that stops cancels, unseen, what comes while it says so. A caller who
                # gives up is never repeated, so here CANCELLED is always the server's.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }  # fmt: skip


def carrying(tokens: Tokens) -> Interceptors:
    """What makes each call of a channel carry a token, the trace and the deadline."""
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return (*(kind(tokens) for kind in kinds), TrueEndings())


class _Carries:
    """Adds token, trace and deadline to a call, and heeds a server that refuses the token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def _carry(self, go: Callable[..., Any], details: Any, sent: Any, *, unary: bool) -> Any:
        token = await self._tokens.get()
        current = identity._call.get()
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        metadata.add("authorization", f"Bearer {token}")
        if current is not None and current.trace_id:
            metadata.add("traceparent", f"00-{current.trace_id}-{os.urandom(8).hex()}-00")
        call = await go(
            grpc.aio.ClientCallDetails(
                details.method,
                _timeout(details.timeout, current) if unary else details.timeout,
                metadata,
                details.credentials,
                details.wait_for_ready,
            ),
            sent,
        )
        call.add_done_callback(lambda ended: self._heed(ended, token))
        return call

    def _heed(self, call: Any, token: str) -> None:
        if ending_of(call).code() is grpc.StatusCode.UNAUTHENTICATED:
            self._tokens.refused(token)


def _timeout(asked: float | None, current: Call | None) -> float:
    """Seconds for a hop: never more than what is left of the call that it is made for."""
    wanted = DEFAULT_DEADLINE if asked is None else asked
    if current is None or current.deadline is None:
        return wanted
    return max(min(wanted, current.deadline - asyncio.get_running_loop().time()), 0.0)


class _UnaryUnary(_Carries, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self, go: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        return await self._carry(go, details, request, unary=True)


class _UnaryStream(_Carries, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self, go: Callable[..., Any], details: Any, request: Any
    ) -> Any:
        return await self._carry(go, details, request, unary=False)


class _StreamUnary(_Carries, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, go: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        return await self._carry(go, details, requests, unary=False)


class _StreamStream(_Carries, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, go: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        return await self._carry(go, details, requests, unary=False)
