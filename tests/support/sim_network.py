"""The network of a simulation: gRPC calls over links that delay, lose, hold back and break.

A link joins one server to the auth servers. Messages of one stream keep their order, as over TCP,
so a late one delays those behind it; streams and calls overtake one another. While a link is cut,
what is on its way is held, and comes late or never.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import grpc
from grpc.aio import AioRpcError, Metadata

from auth.domain.refusals import RevisionOutOfRange, TokenInvalid
from core.errors import Refusal
from tests.support.sim_time import Machine

# What a sender may have under way in a stream before it has to wait: flow control.
WINDOW = 32


class Target(Protocol):
    """An auth server as the network sees it."""

    machine: Machine
    alive: bool
    servicer: Any


class Link:
    """The way between one server and auth."""

    def __init__(self, chance: random.Random, targets: list[Any]) -> None:
        self.chance = chance
        self.targets = targets
        self.delay = 0.003
        self.late = 0.0
        self.loss = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._cut_at = 0.0
        self._streams: set[_Stream] = set()
        self._opened = 0

    @property
    def is_open(self) -> bool:
        """Whether anything passes."""
        return self._open.is_set()

    def cut(self) -> None:
        """Nothing passes from now on, and nobody is told."""
        if self._open.is_set():
            self._cut_at = asyncio.get_running_loop().time()
        self._open.clear()

    def silent(self) -> float:
        """For how many seconds nothing has passed: 0 for a link that is open."""
        return 0.0 if self.is_open else asyncio.get_running_loop().time() - self._cut_at

    def mend(self) -> None:
        """What was held goes on."""
        self._open.set()

    def reset(self) -> None:
        """Break every stream, and tell both ends."""
        for stream in sorted(self._streams, key=lambda stream: stream.number):
            stream.end(failed("UNAVAILABLE"))

    async def travel(self) -> None:
        """The way of one message."""
        delay = self.chance.expovariate(1 / self.delay)
        if self.chance.random() < self.late:
            delay += self.chance.uniform(0.0, 4.0)
        await asyncio.sleep(delay)
        await self._open.wait()

    def target(self) -> Any:
        """One of the auth servers that run. Raises AioRpcError when none does."""
        running = [target for target in self.targets if target.alive]
        if not running:
            raise failed("UNAVAILABLE")
        return self.chance.choice(running)

    def opened(self, stream: "_Stream") -> int:
        """Keep a stream, so that it can be broken; its number."""
        self._streams.add(stream)
        self._opened += 1
        return self._opened

    def closed(self, stream: "_Stream") -> None:
        """Forget a stream."""
        self._streams.discard(stream)


class Channel:
    """What a client's stub is made with."""

    def __init__(self, link: Link, machine: Machine) -> None:
        self._link = link
        self._machine = machine

    def unary_unary(
        self, path: str, request_serializer: Any, response_deserializer: Any, **_: object
    ) -> Callable[[Any], Awaitable[Any]]:
        """A method with one answer."""

        async def call(request: Any) -> Any:
            await self._link.travel()
            target = self._link.target()
            raw = request_serializer(request)
            handler = getattr(target.servicer, path.rpartition("/")[2])
            answering = target.machine.run(handler(type(request).FromString(raw)))
            try:
                answer, error = await asyncio.shield(answering), None
            except Refusal as refusal:
                answer, error = None, failed_by(refusal)
            finally:
                answering.cancel()
            await self._link.travel()
            if error is not None or not target.alive:
                raise error or failed("UNAVAILABLE")
            return response_deserializer(answer.SerializeToString())

        return call

    def stream_stream(
        self, path: str, request_serializer: Any, response_deserializer: Any, **_: object
    ) -> Callable[[AsyncIterator[Any]], Any]:
        """A method by which both sides go on talking."""
        name = path.rpartition("/")[2]

        def call(requests: AsyncIterator[Any]) -> Any:
            stream = _Stream(self._link, response_deserializer)
            stream.start(self._machine, name, requests)
            return stream

        return call


class _Stream:
    """One stream, from both ends."""

    def __init__(self, link: Link, deserializer: Any) -> None:
        self._link = link
        self._deserializer = deserializer
        self._asked: asyncio.Queue[Any] = asyncio.Queue(WINDOW)
        self._told: asyncio.Queue[Any] = asyncio.Queue(WINDOW)
        self._come: asyncio.Queue[Any] = asyncio.Queue()
        self._tasks: list[asyncio.Task[Any]] = []
        self._serving: asyncio.Task[Any] | None = None
        self.number = link.opened(self)

    def start(self, machine: Machine, name: str, requests: AsyncIterator[Any]) -> None:
        """Connect, and let both sides talk."""
        self._tasks = [
            machine.run(self._ask(requests)),
            machine.run(self._serve(name)),
            machine.run(self._tell()),
        ]

    async def read(self) -> Any:
        """The next answer. Raises AioRpcError when the stream has broken."""
        answer = await self._come.get()
        if isinstance(answer, AioRpcError):
            raise answer
        return answer if answer is grpc.aio.EOF else self._deserializer(answer)

    def cancel(self) -> None:
        """The client is gone; the other end learns of it when it can."""
        self.end(None)

    def end(self, error: AioRpcError | None) -> None:
        """Stop both ends."""
        self._link.closed(self)
        for task in self._tasks:
            task.cancel()
        if self._serving is not None:
            self._serving.cancel()
        if error is not None:
            self._come.put_nowait(error)

    async def _ask(self, requests: AsyncIterator[Any]) -> None:
        async for request in requests:
            await self._link.travel()
            await self._asked.put(request)

    async def _serve(self, name: str) -> None:
        """Connect to an auth server, and run its part on its machine."""
        try:
            await self._link.travel()
            target = self._link.target()
            serving = self._serving = target.machine.run(self._answer(target, name))
            while not serving.done():
                await asyncio.wait({serving}, timeout=0.5)
                if not target.alive:
                    raise failed("UNAVAILABLE")
        except AioRpcError as error:
            await self._link.travel()
            self.end(error)

    async def _answer(self, target: Target, name: str) -> None:
        try:
            async for answer in getattr(target.servicer, name)(self._requests()):
                await self._told.put(answer.SerializeToString())
            await self._told.put(grpc.aio.EOF)
        except Refusal as refusal:
            await self._told.put(failed_by(refusal))

    async def _requests(self) -> AsyncIterator[Any]:
        while True:
            yield await self._asked.get()

    async def _tell(self) -> None:
        while True:
            answer = await self._told.get()
            await self._link.travel()
            if isinstance(answer, bytes) and self._link.chance.random() < self._link.loss:
                continue
            self._come.put_nowait(answer)


def failed(code: str, details: bytes = b"") -> AioRpcError:
    """A call's end as grpcio tells it."""
    trailers = Metadata(("grpc-status-details-bin", details)) if details else Metadata()
    return AioRpcError(grpc.StatusCode[code], Metadata(), trailers)


def failed_by(refusal: Refusal) -> AioRpcError:
    """A refusal as it crosses the wire."""
    if isinstance(refusal, TokenInvalid):
        return failed("UNAUTHENTICATED", b"TOKEN_INVALID")
    if isinstance(refusal, RevisionOutOfRange):
        return failed("OUT_OF_RANGE")
    return failed("UNAVAILABLE")
