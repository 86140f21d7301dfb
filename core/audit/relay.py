"""The relay: takes rows from a queue of a service, sends them to their receiver, confirms them.

A service has two: the outbox of its trail, for compliance, and its facts, for analytics. Nothing is
lost wherever a relay is killed, because a row leaves its queue only after the receiver has answered
that it is durable, and because its number is durable before it is sent. A relay that dies in
between sends the row again under the same id and number, and the receiver takes it for a repeat.
"""

import asyncio
import logging
import random
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Generic, Never, Protocol, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message

from core import clock, tasks
from core.errors import Unavailable
from core.rpc.endings import named, reason_of

BATCH = 500
"""Events sent and confirmed together: larger ones were hardly faster, and hold calls up longer."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of events in one message; one larger event goes alone. A message may have 20 MiB."""

ANSWER_WITHIN = 30.0
"""Seconds for the receiver to make a batch durable; then the stream is given up."""

STREAM_LIFE = 5.0
"""Seconds: a stream for each event would cost as much as the event, and a long one would keep
the receiver from stopping. The token has a minute left at least."""

QUIET = 1.0
"""Seconds without an event after which the stream is closed before its time."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds before trying again: doubled each time, with jitter, from the first to the longest."""

LEAD_EVERY = 1.0
"""Seconds between attempts to become the leader in the other one's place."""

LINGER = 0.2
"""Seconds for which rows gather after a batch that was not full: each batch costs both sides and
both databases as much as a hundred rows do. The first row after a rest goes at once."""

FACTS_LINGER = 1.0
"""The same for facts, which nobody waits for."""

SET_ASIDE = 60.0
"""Seconds for which an organization whose events are refused waits, so that others do not."""

_REFUSED = frozenset({"EVENT_CONFLICT", "FACT_CONFLICT", "INVALID_FIELD"})
_NOT_YOURS = frozenset({"SOURCE_NOT_YOURS", "FACT_SOURCE_NOT_YOURS"})
_log = logging.getLogger("medhub.relay")


class _Refused(Exception):
    """The receiver refuses a batch for what is in it; repeating it will not help."""


class Numbered(Protocol):
    """A row of a queue."""

    @property
    def seq(self) -> int:
        """Its place in the queue."""

    @property
    def organization_id(self) -> UUID:
        """Whose it is."""

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""


Item = TypeVar("Item", bound=Numbered)
Sent_contra = TypeVar("Sent_contra", bound=Numbered, contravariant=True)


class Queue(Protocol[Item]):
    """Rows that wait to be sent; one leader takes and confirms them."""

    async def open(self) -> None:
        """Connect, or connect again. Raises Unavailable."""

    async def close(self) -> None:
        """Disconnect."""

    async def lead(self) -> bool:
        """Become the leader, if nobody is."""

    async def take(self, limit: int, without: Collection[UUID]) -> Sequence[Item]:
        """The next rows, but of these organizations."""

    async def confirm(self, items: Sequence[Item]) -> int:
        """Delete what the receiver has made durable."""

    async def wait(self) -> bool:
        """Wait a moment for a row."""


class Receiver(Protocol[Sent_contra]):
    """Who is sent the rows of a queue, over a stream that answers each batch."""

    name: str

    async def prepare(self, items: Sequence[Sent_contra]) -> Sequence[Message]:
        """What is sent of these rows, in their order. Raises AioRpcError, Unavailable."""

    def stream(self) -> Any:
        """A new stream."""

    def request(self, batch: int, messages: Sequence[Message]) -> Any:
        """A batch, to be written to the stream."""

    def answers(self, answer: Any, request: Any) -> bool:
        """Whether this is the answer to that batch."""


class Relay(Generic[Item]):
    """Drains one queue of one service. Several may run; one at a time leads."""

    def __init__(
        self,
        queue: Queue[Item],
        receiver: Receiver[Item],
        *,
        batch: int = BATCH,
        linger: float = LINGER,
    ) -> None:
        self._queue = queue
        self._receiver = receiver
        self._batch = batch
        self._linger = linger
        self._oldest: datetime | None = None
        self._aside: dict[UUID, float] = {}
        self._task: asyncio.Task[None] | None = None
        self.sent = 0

    @property
    def lag(self) -> float:
        """Seconds since the oldest row happened that is known and not yet received."""
        if self._oldest is None:
            return 0.0
        return max((clock.now() - self._oldest).total_seconds(), 0.0)

    @property
    def set_aside(self) -> int:
        """How many organizations wait because their rows are refused: an alert."""
        return len(self._aside)

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = asyncio.create_task(self._run(), name=f"relay to {self._receiver.name}")

    async def stop(self) -> None:
        """End at once, at any point: what was not confirmed is sent again by the next leader."""
        task, self._task = self._task, None
        await tasks.end(task)
        await self._queue.close()

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            sent = self.sent
            try:
                await self._lead()
                await self._work()
            except (Unavailable, grpc.aio.AioRpcError, TimeoutError) as trouble:
                # Only an operator registers the account under the name of the service.
                level = logging.CRITICAL if _is_stranger(trouble) else logging.WARNING
                name = self._receiver.name
                _log.log(level, "the relay to %s starts again: %s", name, _named(trouble))
            except asyncio.CancelledError:
                if tasks.told_to_end():
                    raise
                _log.warning("the relay to %s starts again: closed", self._receiver.name)
            except Exception:  # noqa: BLE001 - the queue must move again once the cause is gone
                _log.exception("a fault in the relay to %s", self._receiver.name)
            pause = FIRST_PAUSE if self.sent > sent else pause
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _lead(self) -> None:
        """Connect, and wait until this relay is the one. Raises Unavailable."""
        await self._queue.open()
        while not await self._queue.lead():
            self._oldest = None
            await asyncio.sleep(LEAD_EVERY)

    async def _work(self) -> None:
        """Send what there is, wait for more. Ends by an exception alone."""
        while True:
            items = await self._take()
            if items:
                await self._drain(items)
            else:
                await self._queue.wait()

    async def _drain(self, items: Sequence[Item]) -> None:
        """Send batch after batch on one stream, and what comes meanwhile."""
        # Prepared before the stream is opened: while keys cannot be had, there is nothing to send.
        messages = await self._receiver.prepare(items)
        stream = self._receiver.stream()
        began = spoke = time.monotonic()
        try:
            while spoke < began + STREAM_LIFE and time.monotonic() < spoke + QUIET:
                if items:
                    await self._send(stream, items, messages)
                    if len(items) < self._batch:
                        await asyncio.sleep(self._linger)
                    spoke = time.monotonic()
                else:
                    await self._queue.wait()
                items = await self._take()
                messages = await self._receiver.prepare(items)
            await stream.done_writing()
        except _Refused:
            await self._send_apart(items)
        finally:
            stream.cancel()

    async def _send(self, stream: Any, items: Sequence[Item], messages: Sequence[Message]) -> None:
        """Send a batch, and confirm it once the answer is there."""
        for part in _parts(messages):
            request = self._receiver.request(items[part.start].seq, messages[part])
            answer = await _answered(stream, request)
            if not self._receiver.answers(answer, request):
                raise ValueError("another batch was answered")
            await self._queue.confirm(items[part])
            self.sent += part.stop - part.start

    async def _send_apart(self, items: Sequence[Item]) -> None:
        """Send each organization's rows alone, so that one that is refused holds up no other.

        It stays in the queue and is tried again later. It cannot happen while both databases
        are whole: it takes an id or a number that was used for another event, as after a restore.
        """
        by_organization = sorted(items, key=lambda item: item.organization_id)
        for organization, group in groupby(by_organization, key=lambda item: item.organization_id):
            own = list(group)
            messages = await self._receiver.prepare(own)
            stream = self._receiver.stream()
            try:
                await self._send(stream, own, messages)
            except _Refused as refused:
                told = (self._receiver.name, organization, refused)
                _log.critical("%s refuses the events of organization %s: %s", *told)
                self._aside[organization] = time.monotonic() + SET_ASIDE
            finally:
                stream.cancel()

    async def _take(self) -> Sequence[Item]:
        """What to send now. The oldest of it tells how far the receiver lags behind."""
        now = time.monotonic()
        self._aside = {who: until for who, until in self._aside.items() if until > now}
        items = await self._queue.take(self._batch, self._aside)
        self._oldest = min((item.occurred_at for item in items), default=None)
        return items


async def _answered(stream: Any, request: Any) -> Any:
    """Write a batch and read its answer. Raises _Refused, AioRpcError, TimeoutError."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await stream.write(request)
            answer = await stream.read()
            if answer is grpc.aio.EOF:
                await _ended(stream)
            return answer
    except asyncio.InvalidStateError:
        # The stream had ended before the write: why, its status says.
        await _ended(stream)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) in _REFUSED:
            raise _Refused(reason_of(error)) from error
        raise


async def _ended(stream: Any) -> Never:
    """Raise why a stream ended: its status, or Unavailable when it ended well but too early."""
    # Read to its end, which raises the status that the server sent.
    while await stream.read() is not grpc.aio.EOF:
        pass
    raise Unavailable


def _parts(messages: Sequence[Message]) -> Iterator[slice]:
    """The rows cut into requests of at most MAX_BYTES."""
    start, size = 0, 0
    for at, message in enumerate(messages):
        grown = message.ByteSize()
        if at > start and size + grown > MAX_BYTES:
            yield slice(start, at)
            start, size = at, 0
        size += grown
    if messages:
        yield slice(start, len(messages))


def _is_stranger(trouble: Exception) -> bool:
    """Whether the receiver takes the account for another server's than this source's."""
    return isinstance(trouble, grpc.aio.AioRpcError) and reason_of(trouble) in _NOT_YOURS


def _named(trouble: Exception) -> str:
    """What is wrong, without the text, which may quote an address or a row."""
    if isinstance(trouble, grpc.aio.AioRpcError):
        return named(trouble)
    return type(trouble).__name__
