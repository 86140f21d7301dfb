"""What each call to another service carries: a token, the trace and the deadline."""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import grpc

from core import identity
from core.identity import Call
from core.rpc.endings import TrueEndings, ending_of

# A call without a deadline of its own gets this one, in seconds.
DEFAULT_DEADLINE = 5.0


Interceptors: TypeAlias = tuple[grpc.aio.ClientInterceptor, ...]


class Tokens(Protocol):
    """Where the token of each call comes from."""

    async def get(self) -> str:
        """The token to carry. Raises the refusal that ends the call when there is none."""

    def refused(self, token: str) -> None:
        """Note that a server took the token for dead."""


class InProgress:
    """How many calls have begun and have not ended."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def began(self) -> None:
        """Note that one is under way."""
        self._count += 1
        self._none.clear()

    def ended(self) -> None:
        """Note that one is over."""
        self._count -= 1
        if not self._count:
            self._none.set()

    async def none(self) -> None:
        """Wait until none is under way."""
        await self._none.wait()


def carrying(tokens: Tokens, calls: InProgress | None = None) -> Interceptors:
    """What makes each call of a channel carry a token, the trace and the deadline.

    `calls` counts them.
    """
    kinds = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
    return (*(kind(tokens, calls or InProgress()) for kind in kinds), TrueEndings())


class _Carries:
    """Adds token, trace and deadline to a call, and heeds a server that refuses the token."""

    def __init__(self, tokens: Tokens, calls: InProgress) -> None:
        self._tokens = tokens
        self._calls = calls

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
        self._calls.began()
        call.add_done_callback(lambda ended: self._heed(ended, token))
        return call

    def _heed(self, call: Any, token: str) -> None:
        self._calls.ended()
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
