"""How the supervisor knows that a child does its work.

What speaks a protocol is imported when it is used, so that every command starts fast.
"""

import asyncio
import http.client
from dataclasses import dataclass
from typing import Protocol

# One look. A child that cannot answer in this time is asked again.
_LOOK_SECONDS = 2.0


class Readiness(Protocol):
    """A question about a child, asked until the answer is yes."""

    async def is_ready(self) -> bool:
        """Whether it does its work now; an unreachable child is not ready, never an error."""


@dataclass(frozen=True, slots=True)
class Started:
    """For a program that offers nothing to ask: it is ready when it runs."""

    async def is_ready(self) -> bool:
        """Yes."""
        return True


@dataclass(frozen=True, slots=True)
class GrpcServing:
    """The gRPC health service of `target` says SERVING; an empty name asks for the whole server."""

    target: str
    service: str = ""

    async def is_ready(self) -> bool:
        """Ask over a connection of its own: a channel that once failed waits before it retries."""
        import grpc
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        request = health_pb2.HealthCheckRequest(service=self.service)
        async with grpc.aio.insecure_channel(self.target) as channel:
            try:
                answer = await health_pb2_grpc.HealthStub(channel).Check(
                    request, timeout=_LOOK_SECONDS
                )
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@dataclass(frozen=True, slots=True)
class TcpOpen:
    """Something accepts connections."""

    host: str
    port: int

    async def is_ready(self) -> bool:
        """Connect, and hang up."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                _, writer = await asyncio.open_connection(self.host, self.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True


@dataclass(frozen=True, slots=True)
class HttpOk:
    """GET answers 200."""

    host: str
    port: int
    path: str

    async def is_ready(self) -> bool:
        """Ask in a thread: the standard library's client blocks."""
        return await asyncio.to_thread(self._ask) == http.client.OK

    def _ask(self) -> int:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_LOOK_SECONDS)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class PostgresAccepts:
    """PostgreSQL lets us in and answers."""

    url: str

    async def is_ready(self) -> bool:
        """Connect anew, since a server that is starting refuses at the door."""
        import psycopg

        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                async with await psycopg.AsyncConnection.connect(self.url) as connection:
                    await connection.execute("SELECT 1")
        except (psycopg.Error, TimeoutError):
            return False
        return True
