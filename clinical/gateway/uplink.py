"""The stream to the clinical service: messages up, answers down, the same ones after a break.

A message is remembered until its answer is here. When the stream breaks (the service restarts,
a token runs out) the waiting ones are sent again over a new one: the service recognizes what it
has stored already and answers as it did before.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc

from core import tasks
from core.errors import Unavailable
from medhub.clinical.v1 import hl7_v2_service_pb2 as messages
from medhub.clinical.v1 import hl7_v2_service_pb2_grpc

FIRST_PAUSE: Final = 0.1
"""Seconds before a broken stream is opened again, doubled each time."""

LONGEST_PAUSE: Final = 1.0
"""Seconds: a service that comes back is found within one."""

SEND_AGAIN: Final = 0.25
"""Seconds before a message that could not be stored is offered again."""

_log = logging.getLogger("medhub.gateway")


class NotTaken(Exception):
    """The clinical service has not said what became of the message."""


@dataclass(slots=True)
class _Waiting:
    raw: bytes
    answer: asyncio.Future[messages.IngestMessagesResponse]


class Uplink:
    """One endpoint's stream, shared by all connections of its listener."""

    def __init__(self, channel: grpc.aio.Channel, endpoint: Callable[[], str]) -> None:
        """`endpoint` says which endpoint is fed, or "" while there is none."""
        self._stub: Any = hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(channel)
        self._endpoint = endpoint
        self._waiting: dict[int, _Waiting] = {}
        self._outbox: asyncio.Queue[int | None] = asyncio.Queue()
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

        Whoever gives up waiting cancels the future, and the message is offered no more.
        """
        self._next += 1
        sequence = self._next
        answer: asyncio.Future[messages.IngestMessagesResponse]
        answer = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = _Waiting(raw, answer)
        answer.add_done_callback(lambda _: self._waiting.pop(sequence, None))
        self._outbox.put_nowait(sequence)
        return answer

    def keep(self, raw: bytes) -> None:
        """Offer bytes whose answer nobody waits for."""
        self.send(raw).add_done_callback(_drop)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                if endpoint := await asyncio.to_thread(self._endpoint):
                    async for answer in self._stub.IngestMessages(self._requests(endpoint)):
                        pause = FIRST_PAUSE
                        self._take(answer)
            except grpc.aio.AioRpcError as broken:
                _log.warning("the stream to clinical ended: %s", broken.code().name)
            except (Unavailable, asyncio.InvalidStateError):
                _log.warning("no stream to clinical")
            finally:
                # grpcio leaves behind the task that reads an endless iterator: it is told to end.
                self._outbox.put_nowait(None)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _requests(self, endpoint: str) -> AsyncIterator[messages.IngestMessagesRequest]:
        """Everything that waits, oldest first, and then whatever comes."""
        self._outbox = asyncio.Queue()
        for unanswered in sorted(self._waiting):
            self._outbox.put_nowait(unanswered)
        outbox = self._outbox
        while (sequence := await outbox.get()) is not None:
            waiting = self._waiting.get(sequence)
            if waiting is not None:
                yield messages.IngestMessagesRequest(
                    endpoint=endpoint, message=waiting.raw, sequence=sequence
                )

    def _take(self, answer: messages.IngestMessagesResponse) -> None:
        waiting = self._waiting.get(answer.sequence)
        if waiting is None or waiting.answer.done():
            return
        if not answer.message:
            # Not promised yet: offer it again until the sender's patience ends.
            loop = asyncio.get_running_loop()
            loop.call_later(SEND_AGAIN, self._outbox.put_nowait, answer.sequence)
            return
        waiting.answer.set_result(answer)


def _drop(answer: "asyncio.Future[messages.IngestMessagesResponse]") -> None:
    """Look at a failure, so that asyncio does not report it as overlooked."""
    if not answer.cancelled():
        answer.exception()
