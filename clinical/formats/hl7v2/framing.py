"""MLLP frames (`0x0B … 0x1C 0x0D`), cut from a stream of bytes.

The deframer is pure: bytes in, frames and faults out, the same ones however the stream was
split into segments. Bytes that break the framing are kept, so that an operator can see them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

START: Final = 0x0B
END: Final = 0x1C
CR: Final = 0x0D

# CDA documents with an embedded PDF are commonly above 800 KB; the contract's IngestMessage
# takes 16 MiB.
DEFAULT_LIMIT: Final = 16 * 1024 * 1024
# What is kept of bytes that broke the framing: enough to recognise a message by its header.
KEPT: Final = 4096

# NUL, LF and CR between frames come from senders that pad or end lines; they mean nothing.
_PADDING: Final = b"\x00\n\r"
# What may follow the end block in place of its CR: padding, or the next frame at once.
_AFTER_END: Final = frozenset({0x00, 0x0A, CR, START})
_RESTARTS: Final = tuple(bytes([START]) + name for name in (b"MSH", b"FHS", b"BHS"))


class FramingError(Enum):
    """How a stream broke the framing."""

    OUTSIDE = "outside"
    TOO_LARGE = "too-large"
    NOT_ENDED = "not-ended"


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole payload, without its framing bytes."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class FramingFault:
    """Bytes that are no frame; `kept` is the first of them, at most KEPT."""

    error: FramingError
    kept: bytes


Event: TypeAlias = Frame | FramingFault


class _Place(Enum):
    OUTSIDE = 0
    INSIDE = 1
    SKIPPING = 2


class Deframer:
    """Cuts one connection's bytes into frames, holding at most `limit` bytes and one chunk."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        """`limit` is the largest payload accepted, in bytes."""
        self._limit = limit
        # Never more than the limit, or what is kept would depend on how the stream was split.
        self._kept = min(KEPT, limit)
        self._buffer = bytearray()
        self._place = _Place.OUTSIDE
        self._searched = 0
        self._stray = bytearray()

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and not ended, so that silence now is a broken message."""
        return self._place is not _Place.OUTSIDE

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes of the stream; return what they complete, in order."""
        self._buffer += chunk
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def settle(self) -> list[Event]:
        """Decide what silence decides: a frame whose last CR never came, and stray bytes.

        For a sender that leaves the CR out and waits for its answer. A frame without its end
        block stays open.
        """
        events: list[Event] = []
        if self.is_mid_frame and self._buffer and self._buffer[-1] == END:
            self._finish(len(self._buffer) - 1, events)
        self._report_stray(events)
        return events

    def close(self) -> list[Event]:
        """The stream has ended: settle, and report a frame that will never end."""
        events = self.settle()
        if self._place is _Place.INSIDE:
            events.append(FramingFault(FramingError.NOT_ENDED, bytes(self._buffer[:KEPT])))
        self._buffer.clear()
        self._enter(_Place.OUTSIDE)
        return events

    def _step(self, events: list[Event]) -> bool:
        """Make one move; False when nothing can be decided before more bytes come."""
        if self._place is _Place.OUTSIDE:
            return self._seek_start(events)
        return self._seek_end(events)

    def _seek_start(self, events: list[Event]) -> bool:
        start = self._buffer.find(START)
        stray = self._buffer if start < 0 else self._buffer[:start]
        self._collect(stray, events)
        if start < 0:
            self._buffer.clear()
            return False
        self._report_stray(events)
        self._take(start + 1)
        self._enter(_Place.INSIDE)
        return True

    def _seek_end(self, events: list[Event]) -> bool:
        end = self._buffer.find(END, self._searched)
        while end >= 0 and end + 1 < len(self._buffer):
            if self._buffer[end + 1] in _AFTER_END:
                self._finish(end, events)
                return True
            # An end block that nothing plausible follows is a byte of the message.
            end = self._buffer.find(END, end + 1)
        self._searched = len(self._buffer) if end < 0 else end
        self._bound(self._searched, events)
        return False

    def _finish(self, end: int, events: list[Event]) -> None:
        """The frame ends before `end`; what follows the end block is left in the buffer."""
        if self._place is _Place.INSIDE:
            events.extend(self._judged(bytes(self._buffer[:end])))
        self._take(end + 1)
        self._enter(_Place.OUTSIDE)

    def _judged(self, payload: bytes) -> list[Event]:
        if len(payload) > self._limit:
            return [FramingFault(FramingError.TOO_LARGE, payload[: self._kept])]
        # A start block before a header means that the sender gave up and began again.
        restart = max(payload.rfind(mark) for mark in _RESTARTS)
        if restart < 0:
            return [Frame(payload)]
        lost = FramingFault(FramingError.NOT_ENDED, payload[:restart][:KEPT])
        return [lost, Frame(payload[restart + 1 :])]

    def _bound(self, length: int, events: list[Event]) -> None:
        """Give up a payload that has passed the limit, and drop its bytes as they come."""
        if self._place is _Place.INSIDE and length > self._limit:
            kept = bytes(self._buffer[: self._kept])
            events.append(FramingFault(FramingError.TOO_LARGE, kept))
            self._place = _Place.SKIPPING
        if self._place is _Place.SKIPPING:
            self._take(length)
            self._searched = 0

    def _collect(self, stray: bytearray, events: list[Event]) -> None:
        """Keep bytes outside frames; KEPT of them make one fault, as does a start or silence."""
        stray = stray if self._stray else stray.lstrip(_PADDING)
        while stray:
            room = KEPT - len(self._stray)
            self._stray += stray[:room]
            stray = stray[room:]
            if len(self._stray) == KEPT:
                self._report_stray(events)
                stray = stray.lstrip(_PADDING)

    def _report_stray(self, events: list[Event]) -> None:
        if self._stray:
            kept = bytes(self._stray).rstrip(_PADDING)
            events.append(FramingFault(FramingError.OUTSIDE, kept))
            self._stray.clear()

    def _enter(self, place: _Place) -> None:
        self._place = place
        self._searched = 0

    def _take(self, count: int) -> None:
        del self._buffer[:count]


def frame(payload: bytes) -> bytes:
    """A payload in its frame. Raises ValueError for one that would end its own frame early."""
    if any(bytes([END, after]) in payload for after in _AFTER_END) or payload.endswith(b"\x1c"):
        raise ValueError("the payload holds an MLLP end block")
    return b"\x0b" + payload + b"\x1c\r"
