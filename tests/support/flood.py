"""A load that costs little to make: GETs as HTTP/2 frames, written and counted, and no more.

Runs as a process of its own, `python -m tests.support.flood`: reads a Flood as JSON from standard
input and writes an Outcome for each of its phases. A generator made of a gRPC client takes as much
of a small machine as the server that it loads, and slows down with it.
"""

import asyncio
import json
import sys
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, WINDOW = 0, 1, 3, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
TABLE_SIZE, MOST_STREAMS, STREAM_WINDOW = 1, 3, 4
LARGEST_WINDOW = 2**31 - 1
FIRST_WINDOW = 65_535
# How often an open load sends what has become due, in seconds.
TICK_SECONDS = 0.005
# What is unanswered at the end of a phase is waited for, in seconds.
LAST_SECONDS = 15.0
# The statuses that HPACK has a number for, and the digits of its Huffman code.
_KNOWN = dict(zip(range(8, 15), ("200", "204", "206", "304", "400", "404", "500"), strict=True))
_DIGITS = {f"{digit:05b}": str(digit) for digit in range(3)} | {
    f"{22 + digit:06b}": str(digit) for digit in range(3, 10)
}
_OK = "200"


@dataclass(frozen=True, slots=True)
class Phase:
    """So many calls in flight for a time; or, with `times`, so many times what the last such phase
    was answered, whatever comes back.
    """

    seconds: float
    in_flight: int = 0
    times: float = 0.0


@dataclass(frozen=True, slots=True)
class Flood:
    """What to call in turn, over how many connections. The headers are those of each call."""

    port: int
    headers: dict[str, str]
    paths: list[str]
    connections: int
    phases: list[dict[str, float]]


@dataclass(slots=True)
class Outcome:
    """How the calls of a phase ended: by gRPC status, or by HTTP's where there is none.

    LATE ones were answered well after the phase, NONE not at all; a 429 that does not say when to
    come back has a `?`.
    """

    seconds: float = 0.0
    sent: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    p50: float = 0.0
    p99: float = 0.0

    @property
    def answered(self) -> float:
        """Answers a second."""
        return self.ended.get("200", 0) / self.seconds


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    head = len(content).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + content


def _literal(name: bytes, value: bytes) -> bytes:
    """A header that is not to be remembered, in HPACK; the value may be long."""
    size, rest = bytes((min(len(value), 127),)), len(value) - 127
    while rest >= 0:
        size += bytes((rest % 128 + (128 if rest >= 128 else 0),))
        rest = rest // 128 if rest >= 128 else -1
    return b"\x00" + bytes((len(name),)) + name + size + value


def _status_of(block: bytes) -> str:
    """The status in a block of headers, where it stands first."""
    block = block[1:] if block[0] == 0x20 else block
    if block[0] & 0x80:
        return _KNOWN.get(block[0] & 0x7F, "NONE")
    value = block[2 : 2 + (block[1] & 0x7F)]
    return _digits(value) if block[1] & 0x80 else value.decode()


def _digits(coded: bytes) -> str:
    bits, told = "".join(f"{byte:08b}" for byte in coded), ""
    while len(told) < 3:
        length = 5 if bits[:5] in _DIGITS else 6
        told, bits = told + _DIGITS[bits[:length]], bits[length:]
    return told


class Ended:
    """The calls that are in flight, and how the others ended."""

    def __init__(self) -> None:
        self.begun: dict[int, float] = {}
        self.counts: Counter[str] = Counter()
        self.took: list[float] = []
        self.again: asyncio.Semaphore | None = None

    def note(self, call: int, status: str) -> None:
        """A call has ended."""
        began = self.begun.pop(call, None)
        if began is None:
            return
        self.counts[status] += 1
        if status == _OK:
            self.took.append(asyncio.get_running_loop().time() - began)
        if self.again is not None:
            self.again.release()


class Connection(asyncio.Protocol):
    """One HTTP/2 connection, on which streams are begun, as many as the other side allows."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._buffer = b""
        self._stream = -1
        self._most = 100
        self._transport: Any = None
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._calls: dict[int, int] = {}
        self._status: dict[int, str] = {}

    def connection_made(self, transport: Any) -> None:
        """Open HTTP/2: no table of headers, no limit on what comes back."""
        self._transport = transport
        told = ((TABLE_SIZE, 0), (STREAM_WINDOW, LARGEST_WINDOW))
        settings = b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in told)
        more = (LARGEST_WINDOW - FIRST_WINDOW).to_bytes(4, "big")
        transport.write(PREFACE + _frame(SETTINGS, 0, 0, settings) + _frame(WINDOW, 0, 0, more))

    def send(self, call: int, headers: bytes) -> None:
        """Begin a stream; it waits here while there are too many."""
        self._waiting.append((call, headers))
        self._push()

    def _push(self) -> None:
        while self._waiting and len(self._calls) < self._most:
            call, headers = self._waiting.popleft()
            self._stream += 2
            self._calls[self._stream] = call
            flags = END_HEADERS | END_STREAM
            self._transport.write(_frame(HEADERS, flags, self._stream, headers))

    def data_received(self, data: bytes) -> None:
        """Take whole frames out of what has come."""
        buffer, at = self._buffer + data, 0
        while len(buffer) - at >= 9:
            size = int.from_bytes(buffer[at : at + 3], "big")
            if len(buffer) - at < 9 + size:
                break
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big")
            self._take(buffer[at + 3], buffer[at + 4], stream, buffer[at + 9 : at + 9 + size])
            at += 9 + size
        self._buffer = buffer[at:]

    def _take(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind == HEADERS and stream not in self._status:
            self._status[stream] = _status_of(content)
        elif kind == DATA and self._status.get(stream) == "429" and b"RetryInfo" not in content:
            self._status[stream] = "429?"
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self._end(stream, self._status.pop(stream, "NONE"))
        elif kind == RESET:
            self._status.pop(stream, None)
            self._end(stream, "RESET")
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self._answer(kind, content)

    def _answer(self, kind: int, content: bytes) -> None:
        for at in range(0, len(content), 6) if kind == SETTINGS else ():
            if int.from_bytes(content[at : at + 2], "big") == MOST_STREAMS:
                self._most = int.from_bytes(content[at + 2 : at + 6], "big")
        self._transport.write(_frame(kind, ACK, 0, content if kind == PING else b""))

    def _end(self, stream: int, status: str) -> None:
        call = self._calls.pop(stream, None)
        if call is not None:
            self._ended.note(call, status)
        self._push()

    def connection_lost(self, exc: Exception | None) -> None:
        """What was on its way is lost, as the counts will show."""


class Sender:
    """Sends the requests in turn, over the connections in turn."""

    def __init__(self, flood: Flood, ended: Ended, connections: list[Connection]) -> None:
        self._heads = [_head(flood, path) for path in flood.paths]
        self._connections = connections
        self._ended = ended
        self.sent = 0

    def one(self) -> None:
        """Send the next request."""
        head = self._heads[self.sent % len(self._heads)]
        self._ended.begun[self.sent] = asyncio.get_running_loop().time()
        self._connections[self.sent % len(self._connections)].send(self.sent, head)
        self.sent += 1

    async def closed(self, phase: Phase) -> None:
        """Keep so many in flight."""
        loop, self._ended.again = asyncio.get_running_loop(), asyncio.Semaphore(phase.in_flight)
        until = loop.time() + phase.seconds
        while loop.time() < until:
            await self._ended.again.acquire()
            self.one()
        self._ended.again = None

    async def open(self, phase: Phase, rate: float) -> None:
        """Send so many a second."""
        loop = asyncio.get_running_loop()
        began, first = loop.time(), self.sent
        while (gone := loop.time() - began) < phase.seconds:
            for _ in range(int(rate * gone) - (self.sent - first)):
                self.one()
            await asyncio.sleep(TICK_SECONDS)


def _head(flood: Flood, path: str) -> bytes:
    headers = {**flood.headers, ":path": path}
    return b"".join(_literal(name.encode(), headers[name].encode()) for name in sorted(headers))


async def _phase(sender: Sender, ended: Ended, phase: Phase, answered: float) -> Outcome:
    loop = asyncio.get_running_loop()
    ended.counts.clear()
    ended.took.clear()
    began, first = loop.time(), sender.sent
    rate = phase.times * answered
    await (sender.open(phase, rate) if phase.times else sender.closed(phase))
    outcome = Outcome(seconds=loop.time() - began, sent=sender.sent - first)
    in_time, until = ended.counts[_OK], loop.time() + LAST_SECONDS
    while ended.begun and loop.time() < until:  # noqa: ASYNC110 - the connections count
        await asyncio.sleep(0.01)
    # What was answered after the end of the phase is no part of its rate.
    late = ended.counts[_OK] - in_time
    counts = {**ended.counts, _OK: in_time, "LATE": late, "NONE": len(ended.begun)}
    ended.begun.clear()
    outcome.ended = {status: count for status, count in counts.items() if count}
    took = sorted(ended.took) or [0.0]
    outcome.p50, outcome.p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    return outcome


async def run(flood: Flood) -> list[Outcome]:
    """Carry out the phases, one after the other."""
    ended, loop = Ended(), asyncio.get_running_loop()
    opening = [
        loop.create_connection(lambda: Connection(ended), "127.0.0.1", flood.port)
        for _ in range(flood.connections)
    ]
    connections = [connection for _, connection in await asyncio.gather(*opening)]
    sender = Sender(flood, ended, connections)
    outcomes, answered = [], 0.0
    for told in flood.phases:
        phase = Phase(told["seconds"], int(told.get("in_flight", 0)), told.get("times", 0.0))
        outcomes.append(await _phase(sender, ended, phase, answered))
        answered = answered if phase.times else outcomes[-1].answered
    return outcomes


def main() -> None:
    """Read a flood, carry it out, write what became of it."""
    flood = Flood(**json.load(sys.stdin))
    json.dump([asdict(outcome) for outcome in uvloop.run(run(flood))], sys.stdout)


if __name__ == "__main__":
    main()
