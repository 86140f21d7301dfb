"""Sends HL7 v2 messages over MLLP and counts what became of each.

Some messages travel at once (a bounded window); each answer is matched to its message by control id
(MSA-2 to MSH-10). When the connection breaks, what was not answered is sent again with the same
control id, which the receiver must recognize, until no answer came for a stated time. When not one
connection can be made it gives up sooner, and says why: somebody mistyped the address.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hub.hl7_files import acknowledged, control_id

_START, _END = b"\x0b", b"\x1c\r"
# An acknowledgement is a few hundred bytes; a peer that sends a megabyte without an end is broken.
_LONGEST_ANSWER = 1024 * 1024
_CONNECT_SECONDS = 5.0
# Of attempts, when none has ever succeeded: as long as one may take. A receiver that restarts has
# the whole patience, but only after it has been there.
_FIRST_CONNECT_SECONDS = 5.0
_RETRY_SECONDS = 0.25
# Accepted: application accept, and commit accept of enhanced mode.
_ACCEPTED = frozenset({"AA", "CA"})


@dataclass(slots=True)
class Outcome:
    """What became of the messages. `refused` holds (control id, code) of each NAK.

    `unconnected` says why not a single connection was made; empty when one was.
    """

    accepted: int = 0
    refused: list[tuple[bytes, str]] = field(default_factory=list)
    unanswered: int = 0
    unmatched: int = 0
    reconnects: int = 0
    unconnected: str = ""

    @property
    def is_success(self) -> bool:
        """Whether every message was accepted."""
        return not self.refused and not self.unanswered


class Sender:
    """Sends a list of messages once; `answered` is called at each answer, for a progress bar."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        window: int,
        patience: float,
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """`patience` is how many seconds may pass without any answer before it gives up."""
        self._address = (host, port)
        self._window = window
        self._patience = patience
        self._answered = answered
        self._waiting: deque[bytes] = deque()
        self._flying: deque[bytes] = deque()
        self._outcome = Outcome()
        self._last_answer_at = 0.0

    async def send(self, messages: Sequence[bytes]) -> Outcome:
        """Send all of them, in order; returns when each is answered or patience ran out."""
        self._waiting.extend(messages)
        self._last_answer_at = time.monotonic()
        first_until = self._last_answer_at + min(_FIRST_CONNECT_SECONDS, self._patience)
        connected_before = False
        while (self._waiting or self._flying) and self._patience_left() > 0:
            try:
                reader, writer = await self._connect()
            except (OSError, TimeoutError) as error:
                if not connected_before and time.monotonic() >= first_until:
                    self._outcome.unconnected = _why(error)
                    break
                await self._pause()
                continue
            self._outcome.reconnects += connected_before
            connected_before = True
            await self._converse(reader, writer)
        self._outcome.unanswered = len(self._waiting) + len(self._flying)
        return self._outcome

    def _patience_left(self) -> float:
        return self._last_answer_at + self._patience - time.monotonic()

    async def _pause(self) -> None:
        """A short wait, so that a peer which hangs up or is away is not called in a loop."""
        await asyncio.sleep(min(_RETRY_SECONDS, max(self._patience_left(), 0)))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await asyncio.open_connection(*self._address, limit=_LONGEST_ANSWER)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use one connection until all is answered or it breaks; what flies lands in the queue."""
        try:
            while self._waiting or self._flying:
                async with asyncio.timeout(self._patience_left()):
                    self._fill(writer)
                    await writer.drain()
                    answer = await reader.readuntil(_END)
                self._take(answer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await self._pause()
        finally:
            self._waiting.extendleft(reversed(self._flying))
            self._flying.clear()
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await writer.wait_closed()

    def _fill(self, writer: asyncio.StreamWriter) -> None:
        while self._waiting and len(self._flying) < self._window:
            message = self._waiting.popleft()
            self._flying.append(message)
            writer.write(_START + message + _END)

    def _take(self, answer: bytes) -> None:
        code, answered_id = acknowledged(answer.removesuffix(_END).lstrip(_START))
        message = next((each for each in self._flying if control_id(each) == answered_id), None)
        if message is None:
            self._outcome.unmatched += 1
            return
        self._flying.remove(message)
        self._last_answer_at = time.monotonic()
        if code in _ACCEPTED:
            self._outcome.accepted += 1
        else:
            self._outcome.refused.append((answered_id, code or "none"))
        self._answered()


def _why(error: OSError) -> str:
    """Why no connection was made."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nobody listens there"
    if isinstance(error, TimeoutError):
        return "no connection in time"
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    # A name of several addresses that fail in several ways leaves no number.
    return os.strerror(error.errno) if error.errno else "connection refused or no way there"
