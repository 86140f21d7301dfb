"""One sender's connection: frames in, acknowledgements out in the order of the messages."""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from clinical.domain.hl7_findings import Condition, Finding
from clinical.formats.hl7v2.ack import Issue, Verdict, accept_ack, application_ack
from clinical.formats.hl7v2.framing import (
    KEPT,
    Deframer,
    Frame,
    FramingError,
    FramingFault,
    frame,
)
from clinical.formats.hl7v2.header import Header
from clinical.gateway.settings import GatewaySettings
from clinical.gateway.uplink import GivenUp, NotTaken, Uplink
from core import clock
from core.ids import new_id
from medhub.clinical.v1 import hl7_v2_service_pb2 as messages

CHUNK: Final = 64 * 1024
"""Bytes read at once: dozens of pipelined messages, and no more than a socket's buffer."""

SETTLE_SECONDS: Final = 0.5
"""Silence after which a frame without its last CR is taken for whole."""

MOST_FAULTS: Final = 20
"""Broken frames after which a connection is closed: whoever sends them does not speak MLLP."""

_START: Final = b"\x0b"
_HEADER: Final = b"MSH"
_log = logging.getLogger("medhub.gateway")


@dataclass(slots=True)
class Counts:
    """What has passed through the gateway since its start."""

    connections: int = 0
    messages: int = 0
    answers: int = 0
    faults: int = 0


Answer: TypeAlias = asyncio.Future[messages.IngestMessagesResponse] | bytes


class _Closing(Exception):
    """The connection is to be closed; the text is a fixed reason and holds no data."""


@dataclass(slots=True)
class Connection:
    """A sender, from its first byte to its last answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    uplink: Uplink
    settings: GatewaySettings
    counts: Counts
    stopping: asyncio.Event
    # In the order of the messages; None after the last.
    _answers: deque[Answer | None] = field(default_factory=deque)
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _faults: int = 0
    _frames: int = 0

    async def serve(self) -> None:
        """Take messages until the sender hangs up, is silent for too long or breaks the rules."""
        peer = self.writer.get_extra_info("peername")
        window = asyncio.Semaphore(self.settings.window)
        answering = asyncio.create_task(self._answer(window))
        try:
            await self._read(window, answering)
            self._queue(None)
            await answering
        except (_Closing, OSError, TimeoutError) as reason:
            words = str(reason) if isinstance(reason, _Closing) else type(reason).__name__
            _log.warning("connection of %s closed: %s", peer, words)
        finally:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, _Closing, OSError, TimeoutError):
                await answering
            self._forget()
            self.writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.writer.wait_closed()

    async def _read(self, window: asyncio.Semaphore, answering: asyncio.Task[None]) -> None:
        deframer = Deframer(self.settings.max_frame_bytes)
        loop = asyncio.get_running_loop()
        heard_at = began_at = loop.time()
        while not answering.done():
            chunk = await self._chunk(SETTLE_SECONDS)
            now = loop.time()
            if chunk == b"" or (self.stopping.is_set() and not deframer.is_mid_frame):
                await self._take(deframer.close() if chunk == b"" else [], window)
                return
            was_open = deframer.is_mid_frame
            events = deframer.settle() if chunk is None else deframer.feed(chunk)
            await self._take(events, window)
            if chunk is not None:
                heard_at = now
            if events or not was_open:
                began_at = now
            if chunk is None and not self._frames and self._faults:
                # Whoever forgot the frame reads that the message was refused, and then the end.
                _log.warning("what %s sends is not MLLP", self.writer.get_extra_info("peername"))
                return
            if now - heard_at > self.settings.idle_seconds:
                raise _Closing("silent for too long")
            if deframer.is_mid_frame and now - began_at > self.settings.frame_seconds:
                # The sender reads that its message was refused, and then the end.
                await self._take(deframer.close(), window)
                _log.warning("a message was begun and not ended in time")
                return
        # The answering side has failed; its reason is the reason.
        await answering

    async def _chunk(self, seconds: float) -> bytes | None:
        """The next bytes, b"" at the end, None after silence."""
        try:
            async with asyncio.timeout(seconds):
                return await self.reader.read(CHUNK)
        except TimeoutError:
            return None

    async def _take(self, events: "list[Frame | FramingFault]", window: asyncio.Semaphore) -> None:
        for event in events:
            if isinstance(event, Frame):
                self._frames += 1
                if not event.payload:
                    # An empty frame keeps a connection open and asks for nothing.
                    continue
                await window.acquire()
                self.counts.messages += 1
                self._queue(self.uplink.send(event.payload))
            else:
                await self._take_fault(event, window)

    async def _take_fault(self, fault: FramingFault, window: asyncio.Semaphore) -> None:
        """Keep the bytes that broke the framing, and refuse what can be refused.

        They are kept behind a start block: a fragment must never be read as a message.
        """
        self.counts.faults += 1
        self._faults += 1
        self.uplink.keep(_START + fault.kept)
        _log.warning("broken frame: %s, %d bytes kept", fault.error.value, len(fault.kept))
        if fault.error is FramingError.TOO_LARGE or fault.kept.startswith(_HEADER):
            await window.acquire()
            too_large = fault.error is FramingError.TOO_LARGE
            # Whoever sends too much speaks MLLP all the same.
            self._frames += too_large
            rule = "message.size" if too_large else "frame.not-ended"
            limit = self.settings.max_frame_bytes if too_large else 0
            self._queue(_refusal(fault.kept, rule, limit))
        if self._faults > MOST_FAULTS:
            raise _Closing("too many broken frames")

    def _queue(self, answer: Answer | None) -> None:
        self._answers.append(answer)
        self._due.set()

    async def _answer(self, window: asyncio.Semaphore) -> None:
        """Send the answers in the order of the messages; several that are ready leave together."""
        out = bytearray()
        while True:
            while self._answers:
                if out and not _is_ready(self._answers[0]):
                    await self._write(out)
                # It stays first in the queue until it is known, so that a failure forgets it too.
                first = self._answers[0]
                if first is None:
                    await self._write(out)
                    return
                out += await self._framed(first)
                self._answers.popleft()
                window.release()
            await self._write(out)
            self._due.clear()
            await self._due.wait()

    async def _framed(self, waiting: Answer) -> bytes:
        """The frames to send for one message. Raises _Closing when nothing is known of it."""
        if isinstance(waiting, bytes):
            return waiting
        try:
            async with asyncio.timeout(self.settings.answer_seconds):
                answer = await waiting
        except GivenUp as given_up:
            # Kept like a broken frame: who repairs it needs its beginning.
            self.uplink.keep(_START + given_up.raw[:KEPT])
            return _refusal(given_up.raw, "message.given-up")
        except (TimeoutError, NotTaken):
            # No word of the service, so no acknowledgement: the sender sends it again.
            raise _Closing("no acknowledgement in time") from None
        self.counts.answers += 1
        return b"".join(frame(ack) for ack in (answer.ack, answer.application_ack) if ack)

    async def _write(self, out: bytearray) -> None:
        if out:
            self.writer.write(bytes(out))
            out.clear()
            async with asyncio.timeout(self.settings.answer_seconds):
                await self.writer.drain()

    def _forget(self) -> None:
        """Offer no more what this connection will not hear the answer of."""
        for waiting in self._answers:
            if isinstance(waiting, asyncio.Future):
                waiting.cancel()
        self._answers.clear()


def _is_ready(answer: Answer | None) -> bool:
    return not isinstance(answer, asyncio.Future) or answer.done()


def _refusal(begun: bytes, rule: str, limit: int = 0) -> bytes:
    """The negative acknowledgement of a message that clinical has not seen, or not taken."""
    issue = Issue(new_id().hex[-20:], clock.now())
    finding = Finding(rule, Condition.INTERNAL, rejects=True, limit=limit)
    asked = Header.of(begun), Verdict.UNREADABLE, (finding,), issue
    ack = accept_ack(*asked) or application_ack(*asked)
    return frame(ack) if ack else b""
