"""The relay: takes events from a service's outbox, seals them, sends them, confirms them.

Nothing is lost wherever it is killed, because a row leaves the outbox only after compliance has
answered that its event is durable, and because its number is durable before it is sent. A relay
that dies in between sends the event again under the same id and number. Sealing is random, so
the sealed bytes differ then; compliance recognises a repeat by its id and its clear part alone.
"""

import asyncio
import logging
import random
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import grpc

from core import clock, tasks
from core.audit.keys import Keys
from core.audit.sealing import Sealer
from core.database.outbox import MOST_AT_ONCE, Entry, Outbox
from core.errors import Unavailable
from core.rpc.endings import named, reason_of
from medhub.compliance.v1.audit_service_pb2 import AppendEventsRequest, AppendEventsResponse
from medhub.compliance.v1.audit_service_pb2_grpc import AuditServiceStub
from medhub.event.v1.audit_event_pb2 import SealedEvent

BATCH = 500
"""Events sent and confirmed together: larger ones were hardly faster, and hold calls up longer."""

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of events in one message; one larger event goes alone. A message may have 20 MiB."""

ANSWER_WITHIN = 30.0
"""Seconds for compliance to make a batch durable; then the stream is given up."""

STREAM_LIFE = 5.0
"""Seconds: a stream for each event would cost as much as the event, and a long one would keep
compliance from stopping. The token has a minute left at least."""

QUIET = 1.0
"""Seconds without an event after which the stream is closed before its time."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds before trying again: doubled each time, with jitter, from the first to the longest."""

LEAD_EVERY = 1.0
"""Seconds between attempts to become the leader in the other one's place."""

SET_ASIDE = 60.0
"""Seconds for which an organization whose events are refused waits, so that others do not."""

_REFUSED = frozenset({"EVENT_CONFLICT", "INVALID_FIELD"})
_log = logging.getLogger("medhub.relay")


class _Refused(Exception):
    """Compliance refuses a batch for what is in it; repeating it will not help."""


class Relay:
    """Drains one service's outbox. Several may run; one at a time leads."""

    def __init__(
        self, outbox: Outbox, source: str, channel: grpc.aio.Channel, *, batch: int = BATCH
    ) -> None:
        self._outbox = outbox
        self._source = source
        self._stub: Any = AuditServiceStub(channel)
        self._sealer = Sealer(source, Keys(channel))
        self._batch = batch
        self._oldest: datetime | None = None
        self._aside: dict[UUID, float] = {}
        self._task: asyncio.Task[None] | None = None
        self.sent = 0

    @property
    def lag(self) -> float:
        """Seconds since the oldest event happened that is known and not yet in the trail."""
        if self._oldest is None:
            return 0.0
        return max((clock.now() - self._oldest).total_seconds(), 0.0)

    @property
    def set_aside(self) -> int:
        """How many organizations wait because compliance refuses their events: an alert."""
        return len(self._aside)

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = asyncio.create_task(self._run(), name=f"relay of {self._source}")

    async def stop(self) -> None:
        """End at once, at any point: what was not confirmed is sent again by the next leader."""
        task, self._task = self._task, None
        await tasks.end(task)
        await self._outbox.close()

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
                _log.log(level, "the relay starts again: %s", _named(trouble))
            except Exception:  # noqa: BLE001 - the queue must move again once the cause is gone
                _log.exception("a fault in the relay")
            pause = FIRST_PAUSE if self.sent > sent else pause
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _lead(self) -> None:
        """Connect, and wait until this relay is the one. Raises Unavailable."""
        await self._outbox.open()
        while not await self._outbox.lead():
            self._oldest = None
            await asyncio.sleep(LEAD_EVERY)

    async def _work(self) -> None:
        """Send what there is, wait for more. Ends by an exception alone."""
        while True:
            entries = await self._take()
            if entries:
                await self._drain(entries)
            else:
                await self._outbox.wait()

    async def _drain(self, entries: Sequence[Entry]) -> None:
        """Send batch after batch on one stream, and what comes meanwhile."""
        # Sealed before the stream is opened: while keys cannot be had, there is nothing to send.
        events = await self._sealer.seal(entries)
        stream = self._stub.AppendEvents()
        began = spoke = time.monotonic()
        try:
            while spoke < began + STREAM_LIFE and time.monotonic() < spoke + QUIET:
                if entries:
                    await self._send(stream, entries, events)
                    spoke = time.monotonic()
                else:
                    await self._outbox.wait()
                entries = await self._take()
                events = await self._sealer.seal(entries)
            await stream.done_writing()
        except _Refused:
            await self._send_apart(entries)
        finally:
            stream.cancel()

    async def _send(
        self, stream: Any, entries: Sequence[Entry], events: Sequence[SealedEvent]
    ) -> None:
        """Send a batch, and confirm it once the answer is there."""
        for part in _messages(events):
            request = AppendEventsRequest(
                source=self._source, batch=entries[part.start].seq, events=events[part]
            )
            await _answered(stream, request)
            await self._outbox.confirm(entries[part])
            self.sent += part.stop - part.start

    async def _send_apart(self, entries: Sequence[Entry]) -> None:
        """Send each organization's events alone, so that one that is refused holds up no other.

        It stays in the outbox and is tried again later. It cannot happen while both databases
        are whole: it takes an id or a number that was used for another event, as after a restore.
        """
        for organization, group in groupby(entries, key=lambda entry: entry.organization_id):
            own = list(group)
            events = await self._sealer.seal(own)
            stream = self._stub.AppendEvents()
            try:
                await self._send(stream, own, events)
            except _Refused as refused:
                _log.critical("events of organization %s are refused: %s", organization, refused)
                self._aside[organization] = time.monotonic() + SET_ASIDE
            finally:
                stream.cancel()

    async def _take(self) -> list[Entry]:
        """What to send now. The oldest of it tells how far the trail lags behind."""
        entries = await self._outbox.take(self._batch)
        if self._aside:
            entries = await self._beside(entries)
        self._oldest = min((entry.occurred_at for entry in entries), default=None)
        return entries

    async def _beside(self, entries: Sequence[Entry]) -> list[Entry]:
        """What there is of organizations that are not set aside."""
        now = time.monotonic()
        self._aside = {who: until for who, until in self._aside.items() if until > now}
        others = [entry for entry in entries if entry.organization_id not in self._aside]
        if not others:
            await self._outbox.number(self._batch)
            pending = await self._outbox.pending(MOST_AT_ONCE)
            others = [entry for entry in pending if entry.organization_id not in self._aside]
        return others[: self._batch]


async def _answered(stream: Any, request: AppendEventsRequest) -> None:
    """Write a batch and wait until it is durable. Raises _Refused, AioRpcError, TimeoutError."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await stream.write(request)
            answer = await stream.read()
            if not isinstance(answer, AppendEventsResponse):
                await _ended(stream)
            elif answer.batch != request.batch or len(answer.leaf_indexes) != len(request.events):
                raise ValueError("compliance answered another batch")
    except asyncio.InvalidStateError:
        # The stream had ended before the write: why, its status says.
        await _ended(stream)
    except grpc.aio.AioRpcError as error:
        if reason_of(error) in _REFUSED:
            raise _Refused(reason_of(error)) from error
        raise


async def _ended(stream: Any) -> None:
    """Raise why a stream ended: its status, or Unavailable when it ended well but too early."""
    # Read to its end, which raises the status that the server sent.
    while await stream.read() is not grpc.aio.EOF:
        pass
    raise Unavailable


def _messages(events: Sequence[SealedEvent]) -> Iterator[slice]:
    """The events cut into messages of at most MAX_BYTES."""
    start, size = 0, 0
    for at, event in enumerate(events):
        grown = len(event.clear) + len(event.sealed)
        if at > start and size + grown > MAX_BYTES:
            yield slice(start, at)
            start, size = at, 0
        size += grown
    if events:
        yield slice(start, len(events))


def _is_stranger(trouble: Exception) -> bool:
    """Whether compliance takes the account for another server's than this source's."""
    return isinstance(trouble, grpc.aio.AioRpcError) and reason_of(trouble) == "SOURCE_NOT_YOURS"


def _named(trouble: Exception) -> str:
    """What is wrong, without the text, which may quote an address or a row."""
    if isinstance(trouble, grpc.aio.AioRpcError):
        return named(trouble)
    return type(trouble).__name__
