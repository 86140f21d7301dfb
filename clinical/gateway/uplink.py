"""The stream to the clinical service: messages up, answers down, the same ones after a break.

A message is remembered until its answer is here. When the stream breaks (the service restarts,
a token runs out) the waiting ones are sent again over a new one: the service recognizes what it
has stored already and answers as it did before.

A message over which the service ends the stream is found out, so that it holds up no other: what
was under way is offered one at a time, and whichever ends the stream again, alone and several
times, is given up.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from core import tasks
from core.errors import Unavailable
from core.rpc.endings import named, reason_of
from medhub.clinical.v1 import hl7_v2_service_pb2 as messages
from medhub.clinical.v1 import hl7_v2_service_pb2_grpc

STREAM_LIFE: Final = 45.0
"""Seconds: the token that a stream begins with has a minute left at least, and a stream that
outlives it is cut."""

FIRST_PAUSE: Final = 0.1
"""Seconds before a broken stream is opened again, doubled each time."""

LONGEST_PAUSE: Final = 1.0
"""Seconds: a service that comes back is found within one."""

SEND_AGAIN: Final = 0.25
"""Seconds before a message that could not be stored is offered again."""

MOST_ALONE: Final = 3
"""How often a message may end the stream, alone on it, before it is given up: once is chance."""

KEEP_SECONDS: Final = 60.0
"""How long bytes are offered whose answer nobody waits for: a service that restarts is back."""

MOST_KEPT: Final = 1000
"""Of these at a time: some MiB. While the service is away more would only fill the memory."""

_log = logging.getLogger("medhub.gateway")


class NotTaken(Exception):
    """The clinical service has not said what became of the message."""


class GivenUp(Exception):
    """The clinical service has ended the stream over the message each time that it was offered."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.raw = raw


@dataclass(slots=True)
class _Waiting:
    raw: bytes
    answer: asyncio.Future[messages.IngestMessagesResponse]
    ended_alone: int = 0


@dataclass(slots=True)
class _Stream:
    """What is under way over one stream: to be offered, and offered and not heard of."""

    outbox: asyncio.Queue[int | None] = field(default_factory=asyncio.Queue)
    offered: set[int] = field(default_factory=set)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.quiet.set()

    def offer(self, sequence: int) -> None:
        """Note that a message leaves."""
        self.offered.add(sequence)
        self.quiet.clear()

    def heard(self, sequence: int) -> None:
        """Note that a message is answered, or waited for no more."""
        self.offered.discard(sequence)
        if not self.offered:
            self.quiet.set()

    async def due(self, until: float) -> int | None:
        """The next message to offer; None when the stream is to end, at the loop's time at last."""
        if asyncio.get_running_loop().time() >= until:
            return None
        try:
            async with asyncio.timeout_at(until):
                return await self.outbox.get()
        except TimeoutError:
            return None

    def end(self) -> None:
        """Let go of the task that reads the requests: grpcio leaves it behind."""
        self.quiet.set()
        self.outbox.put_nowait(None)


class Uplink:
    """One endpoint's stream, shared by all connections of its listener."""

    def __init__(self, channel: grpc.aio.Channel, endpoint: Callable[[], str]) -> None:
        """`endpoint` says which endpoint is fed, or "" while there is none."""
        self._stub: Any = hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(channel)
        self._endpoint = endpoint
        self._waiting: dict[int, _Waiting] = {}
        self._stream = _Stream()
        # Those that were under way when the stream ended over one of them.
        self._suspects: set[int] = set()
        self._kept = 0
        self._next = 0
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keep a stream open from now on."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Give up the stream; who still waits is told that nothing is known."""
        await tasks.end(self._keeper)
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(NotTaken())

    @property
    def waiting(self) -> int:
        """Messages without an answer."""
        return len(self._waiting)

    def send(self, raw: bytes) -> "asyncio.Future[messages.IngestMessagesResponse]":
        """Offer a message; the future holds its answer once it is stored, however long it takes.

        Whoever gives up waiting cancels the future, and the message is offered no more. It raises
        NotTaken and GivenUp.
        """
        self._next += 1
        sequence = self._next
        answer: asyncio.Future[messages.IngestMessagesResponse]
        answer = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = _Waiting(raw, answer)
        answer.add_done_callback(lambda _: self._forget(sequence))
        self._stream.outbox.put_nowait(sequence)
        return answer

    def keep(self, raw: bytes) -> None:
        """Offer bytes whose answer nobody waits for, for a while."""
        if self._kept >= MOST_KEPT:
            _log.warning("broken bytes are lost: too many wait to be kept")
            return
        self._kept += 1
        answer = self.send(raw)
        answer.add_done_callback(self._drop)
        asyncio.get_running_loop().call_later(KEEP_SECONDS, answer.cancel)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                if endpoint := await asyncio.to_thread(self._endpoint):
                    async for answer in self._stub.IngestMessages(self._requests(endpoint)):
                        pause = FIRST_PAUSE
                        self._take(answer)
                    pause = FIRST_PAUSE
            except grpc.aio.AioRpcError as broken:
                _log.warning("the stream to clinical ended: %s", named(broken))
                if _is_over_a_message(broken):
                    self._suspect()
            except (Unavailable, asyncio.InvalidStateError):
                _log.warning("no stream to clinical")
            except asyncio.CancelledError:
                if tasks.told_to_end():
                    raise
                _log.warning("the stream to clinical ended: its channel was closed")
            finally:
                self._stream.end()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _requests(self, endpoint: str) -> AsyncIterator[messages.IngestMessagesRequest]:
        """Everything that waits, oldest first, and then whatever comes; suspects one at a time."""
        stream = self._stream = _Stream()
        for unanswered in sorted(self._waiting):
            stream.outbox.put_nowait(unanswered)
        until = asyncio.get_running_loop().time() + STREAM_LIFE
        while (sequence := await stream.due(until)) is not None:
            alone = sequence in self._suspects
            if alone:
                await stream.quiet.wait()
            waiting = self._waiting.get(sequence)
            if waiting is None:
                continue
            stream.offer(sequence)
            yield messages.IngestMessagesRequest(
                endpoint=endpoint, message=waiting.raw, sequence=sequence
            )
            if alone:
                await stream.quiet.wait()

    def _suspect(self) -> None:
        """The stream has ended over one of those under way: whichever was alone is found out."""
        self._suspects |= self._stream.offered & self._waiting.keys()
        if len(self._stream.offered) != 1:
            return
        [sequence] = self._stream.offered
        waiting = self._waiting.get(sequence)
        if waiting is None:
            return
        waiting.ended_alone += 1
        if waiting.ended_alone == MOST_ALONE and not waiting.answer.done():
            _log.error("a message of %d bytes is given up", len(waiting.raw))
            waiting.answer.set_exception(GivenUp(waiting.raw))

    def _forget(self, sequence: int) -> None:
        self._waiting.pop(sequence, None)
        self._suspects.discard(sequence)
        self._stream.heard(sequence)

    def _take(self, answer: messages.IngestMessagesResponse) -> None:
        self._stream.heard(answer.sequence)
        self._suspects.discard(answer.sequence)
        waiting = self._waiting.get(answer.sequence)
        if waiting is None or waiting.answer.done():
            return
        if not answer.message:
            # Not promised yet: offer it again until the sender's patience ends.
            loop = asyncio.get_running_loop()
            loop.call_later(SEND_AGAIN, self._stream.outbox.put_nowait, answer.sequence)
            return
        waiting.answer.set_result(answer)

    def _drop(self, answer: "asyncio.Future[messages.IngestMessagesResponse]") -> None:
        """Look at a failure, so that asyncio does not report it as overlooked."""
        self._kept -= 1
        if answer.cancelled() or answer.exception() is not None:
            _log.warning("broken bytes could not be kept")


def _is_over_a_message(broken: grpc.aio.AioRpcError) -> bool:
    """Whether a stream may have ended for what is in one message, or for its size.

    A service that has too much to do says so with a reason; gRPC, which counts bytes, has none. A
    fault of the service has one; a broken connection, which gRPC may call INTERNAL too, has none.
    """
    code, reason = broken.code(), reason_of(broken)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return not reason
    if code is grpc.StatusCode.INTERNAL:
        return bool(reason)
    return code is grpc.StatusCode.INVALID_ARGUMENT
