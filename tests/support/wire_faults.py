"""A wire between two servers that a test can cut, stop or slow: a small TCP proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

_PIECE = 64 * 1024


class Fault(StrEnum):
    """What becomes of the bytes."""

    # They pass.
    NONE = "none"
    # Connections are reset, and new ones too: nobody is there.
    CUT = "cut"
    # Connections stay, and nothing comes through: the far side has frozen.
    STOPPED = "stopped"
    # Everything comes, late.
    SLOW = "slow"


@dataclass
class Wire:
    """Carries connections to a port, as its fault lets it."""

    to: int
    late: float = 0.0
    fault: Fault = Fault.NONE
    port: int = 0
    _passes: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def become(self, fault: Fault) -> None:
        """Break it, or mend it. Connections do not outlive a cut."""
        self.fault = fault
        if fault is Fault.STOPPED:
            self._passes.clear()
        else:
            self._passes.set()
        if fault is Fault.CUT:
            for writer in self._writers:
                writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, in both directions. Nobody at the far side: it is reset."""
        ends = {writer}
        try:
            if self.fault is Fault.CUT:
                return
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
                ends.add(far_writer)
                self._writers |= ends
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, far_writer))
                    both.create_task(self._pass(far_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes in one direction: each piece leaves no earlier than it may, in its order."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            piece = b"-"
            while piece:
                try:
                    piece = await reader.read(_PIECE)
                except OSError:
                    piece = b""
                await queue.put((loop.time(), piece))

        reading = asyncio.create_task(read())
        try:
            while True:
                came, piece = await queue.get()
                if self.fault is Fault.SLOW:
                    await asyncio.sleep(max(came + self.late - loop.time(), 0.0))
                await self._passes.wait()
                if not piece:
                    return
                writer.write(piece)
                with suppress(OSError):
                    await writer.drain()
        finally:
            reading.cancel()
            writer.close()


@asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    """A wire to a port of this machine, for the length of a block."""
    made = Wire(to)
    made.become(Fault.NONE)
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.become(Fault.CUT)
