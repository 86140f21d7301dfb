"""A gateway before a real clinical server, and a sender that speaks MLLP to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc

from clinical.formats.hl7v2.framing import Deframer, Frame, frame
from clinical.gateway.server import Gateway
from clinical.gateway.settings import EndpointSettings, GatewaySettings
from core.rpc.endings import TrueEndings
from tests.support.servers import Served, bearer

NOWHERE = Path("/nonexistent")
# A service that nobody calls.
AWAY = "127.0.0.1:9"


class CarriesToken(grpc.aio.StreamStreamClientInterceptor):
    """Puts a fresh token on each stream, as the gateway's own channel does."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    async def intercept_stream_stream(
        self, go: Callable[..., Any], details: Any, requests: Any
    ) -> Any:
        """Call with the token."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *bearer(self._token()))
        return await go(
            grpc.aio.ClientCallDetails(
                details.method,
                details.timeout,
                metadata,
                details.credentials,
                details.wait_for_ready,
            ),
            requests,
        )


@dataclass(slots=True)
class Sender:
    """A hospital's system with one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    deframer: Deframer

    def put(self, *messages: bytes) -> None:
        """Send messages, all at once."""
        self.writer.write(b"".join(map(frame, messages)))

    async def answers(self, count: int, seconds: float = 60.0) -> list[bytes]:
        """The next answers."""
        found: list[bytes] = []
        async with asyncio.timeout(seconds):
            while len(found) < count:
                chunk = await self.reader.read(65536)
                if not chunk:
                    raise EOFError(f"closed after {len(found)} of {count} answers")
                found += [
                    one.payload for one in self.deframer.feed(chunk) if isinstance(one, Frame)
                ]
        return found

    async def is_closed(self, seconds: float = 60.0) -> bool:
        """Whether the gateway hangs up within this time, without another byte."""
        async with asyncio.timeout(seconds):
            return await self.reader.read(65536) == b""


@asynccontextmanager
async def gateway(
    served: Served, organization: UUID, endpoint: str, **settings: Any
) -> AsyncIterator[Gateway]:
    """A gateway with one listener, for the length of a block."""

    def token() -> str:
        return served.authority.token(
            "clinical.hl7.ingest", organization=organization, kind="service"
        )

    channel = grpc.aio.insecure_channel(
        served.target, interceptors=(CarriesToken(token), TrueEndings())
    )
    listener = EndpointSettings(listen="127.0.0.1:0", service_key_path=NOWHERE, endpoint=endpoint)
    told = GatewaySettings(
        auth_target=AWAY, clinical_target=AWAY, endpoints=(listener,), **settings
    )
    made = Gateway(told)
    await made.serve(listener, channel)
    try:
        yield made
    finally:
        await made.stop()
        await channel.close()


@asynccontextmanager
async def connected(to: Gateway) -> AsyncIterator[Sender]:
    """A sender's connection, for the length of a block."""
    host, port = to.addresses[0]
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Sender(reader, writer, Deframer())
    finally:
        writer.close()


def codes(answers: Sequence[bytes]) -> list[str]:
    """MSA-1 of each answer."""
    return [one.split(b"MSA|")[1][:2].decode() for one in answers]


def control_ids(answers: Sequence[bytes]) -> list[str]:
    """MSA-2 of each answer."""
    return [one.split(b"MSA|")[1].split(b"\r")[0].split(b"|")[1].decode() for one in answers]
