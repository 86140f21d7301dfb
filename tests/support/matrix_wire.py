"""Calls of any method of the contract, their whole outcome, and a way to weaken a running server.

The seam: a server asks `core.rpc.server.handler_of` for the handler of each method as it starts.
Under `Seam.installed()` it gets one that looks its real handler up at each call, so that a test
can serve one method for a moment by another policy or another truth, all else being real.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from core.contract import OF_THE_TRANSPORT, Method, everything, refusals_of
from core.rpc import server as core_server
from core.rpc.around import Handler, Steps, handler_of
from core.truth import Truth
from tests.support.platform import SERVICES

DETAILS = "grpc-status-details-bin"
# What every server serves, each for its own tables.
_OF_ALL = "medhub.subject.v1."
CALL_SECONDS = 20.0  # generous: the machine runs other tests besides


@dataclass(frozen=True)
class Outcome:
    """Everything that a caller sees of a call, but its trace."""

    code: grpc.StatusCode
    message: str = ""
    details: bytes = b""
    trailers: frozenset[str] = frozenset()
    response: Any = None

    @property
    def ok(self) -> bool:
        """Whether it was answered."""
        return self.code is grpc.StatusCode.OK

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        """Reason, domain and metadata of a refusal."""
        return self.detail(error_details_pb2.ErrorInfo())

    @property
    def reason(self) -> str:
        """The reason of a refusal; empty for an answer."""
        return str(self.info.reason)

    def detail(self, kind: Any) -> Any:
        """The detail of a kind; an empty one when there is none."""
        for each in status_pb2.Status.FromString(self.details).details:
            if each.Unpack(kind):
                return kind
        return kind

    def __str__(self) -> str:
        told = f"{self.code.name} {self.reason} {dict(self.info.metadata)}"
        return told if not self.ok else f"OK {type(self.response).__name__}"


def served_names(method: str) -> list[str]:
    """The names of a method as it is served: `…@clinical` where every server serves it."""
    if not method.startswith(_OF_ALL):
        return [method]
    return [f"{method}@{service}" for service in SERVICES]


def server_of(served: str) -> str:
    """Which server serves a method of this name."""
    return served.partition("@")[2] or served.split(".")[1]


def bearer(*tokens: str) -> tuple[tuple[str, str], ...]:
    """The metadata that carries these tokens, each in a value of its own."""
    return tuple(("authorization", f"Bearer {token}") for token in tokens)


async def invoke(
    channel: grpc.aio.Channel, method: str, request: Message, metadata: Any = ()
) -> Outcome:
    """Call a method of any kind; of a stream, send one message and take the first answer."""
    known = everything().methods[f"/{method.partition('@')[0]}"]
    make: Any = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }[known.client_streaming, known.server_streaming]
    kind: Any = known.response
    go: Any = make(
        known.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=kind.FromString,
    )
    try:
        if known.client_streaming:
            return await _converse(go, request, metadata)
        if known.server_streaming:
            return await _first_of(go(request, metadata=metadata, timeout=CALL_SECONDS))
        call = go(request, metadata=metadata, timeout=CALL_SECONDS)
        return Outcome(grpc.StatusCode.OK, response=await call)
    except grpc.aio.AioRpcError as error:
        return refused_by(error)


async def _converse(go: Any, request: Message, metadata: Any) -> Outcome:
    said = asyncio.Event()

    async def requests() -> AsyncIterator[Message]:
        yield request
        # The stream stays open until it is answered: a watcher that stops asking is let go.
        await said.wait()

    try:
        return await _first_of(go(requests(), metadata=metadata, timeout=CALL_SECONDS))
    finally:
        said.set()


async def _first_of(call: Any) -> Outcome:
    """The first answer of a stream, or how it ended without one."""
    try:
        async for response in call:
            return Outcome(grpc.StatusCode.OK, response=response)
        return Outcome(grpc.StatusCode.OK)
    finally:
        call.cancel()


def refused_by(error: grpc.aio.AioRpcError) -> Outcome:
    """What a caller sees of a refusal."""
    trailers = dict(error.trailing_metadata())
    details = trailers.get(DETAILS, b"")
    return Outcome(
        error.code(),
        error.details() or "",
        details if isinstance(details, bytes) else details.encode(),
        frozenset(trailers),
    )


def undeclared(method: Method, outcome: Outcome) -> list[str]:
    """The fault of a refusal for which the contract of the method does not prepare its callers."""
    if outcome.ok or outcome.reason in {"", *OF_THE_TRANSPORT, *refusals_of(method)}:
        return []
    return [f"{method.name} does not declare that it refuses by {outcome.reason}"]


@dataclass
class _Slot:
    method: Method
    run: Callable[..., Any]
    steps: Steps
    handler: Handler


class Seam:
    """What the servers of a process serve, method by method, and what they serve it by."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}

    @classmethod
    @contextmanager
    def installed(cls) -> Iterator[Self]:
        """Servers that start in this block can be changed, for as long as they run."""
        seam = cls()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(core_server, "handler_of", seam._handler_of)
            yield seam

    @property
    def methods(self) -> Mapping[str, Method]:
        """The methods that are served, as they are served now."""
        return {name: slot.method for name, slot in self._slots.items()}

    @property
    def steps(self) -> Mapping[str, Steps]:
        """What the steps around each method work with."""
        return {name: slot.steps for name, slot in self._slots.items()}

    def truth(self, name: str) -> Truth:
        """The truth of the server of a method."""
        return self._slots[name].steps.truth

    @contextmanager
    def serving(
        self,
        name: str,
        method: Method | None = None,
        truth: Truth | None = None,
        run: Callable[..., Any] | None = None,
    ) -> Iterator[None]:
        """Serve a method by another policy, by another truth, or by another servicer."""
        slot = self._slots[name]
        steps = slot.steps if truth is None else replace(slot.steps, truth=truth)
        other, runs = method or slot.method, run or slot.run
        self._slots[name] = _Slot(other, runs, steps, handler_of(other, runs, steps))
        try:
            yield
        finally:
            self._slots[name] = slot

    def _handler_of(self, method: Method, run: Callable[..., Any], steps: Steps) -> Handler:
        made = handler_of(method, run, steps)
        names = served_names(method.name)
        served = names[0] if len(names) == 1 else f"{method.name}@{steps.log._service}"
        self._slots[served] = _Slot(method, run, steps, made)
        if not method.streaming:

            async def unary(raw: bytes, context: Any) -> Any:
                handler: Any = self._slots[served].handler
                return await handler.unary_unary(raw, context)

            return grpc.unary_unary_rpc_method_handler(unary)

        if not method.client_streaming:

            async def answers(raw: bytes, context: Any) -> Any:
                handler: Any = self._slots[served].handler
                return await handler.unary_stream(raw, context)

            streamed: Handler = grpc.unary_stream_rpc_method_handler(answers)
            return streamed

        async def stream(requests: Any, context: Any) -> Any:
            handler: Any = self._slots[served].handler
            return await handler.stream_stream(requests, context)

        both: Handler = grpc.stream_stream_rpc_method_handler(stream)
        return both
