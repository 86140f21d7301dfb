"""Every service that holds data of persons, asked by the subject contract."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeAlias

import grpc

from core.errors import Unavailable
from medhub.subject.v1 import subject_service_pb2 as wire
from medhub.subject.v1 import subject_service_pb2_grpc

FIND_SECONDS = 10.0
"""For counting what a service holds of one person."""

PIECE_SECONDS = 20.0
"""Between two messages of an export. Far less than a worker's lease."""

Query: TypeAlias = Mapping[str, Any]
"""What both requests ask: organization_id, subject, also_known_as, occasion."""


class Missing(Exception):
    """A service did not answer, or not whole; `failure` is the gRPC code that says it best."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class SubjectServices:
    """The services by name, each by a channel that carries compliance's own account."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel]) -> None:
        self._stubs: dict[str, Any] = {
            name: subject_service_pb2_grpc.SubjectServiceStub(channel)
            for name, channel in channels.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every service that must answer, sorted."""
        return tuple(sorted(self._stubs))

    async def find(self, service: str, query: Query) -> wire.FindSubjectResponse:
        """What a service holds. Raises Missing."""
        try:
            found: wire.FindSubjectResponse = await self._stubs[service].FindSubject(
                wire.FindSubjectRequest(**query), timeout=FIND_SECONDS
            )
        except (grpc.aio.AioRpcError, Unavailable) as trouble:
            raise Missing(_code(trouble)) from trouble
        return found

    async def export(
        self, service: str, query: Query
    ) -> AsyncGenerator[wire.ExportSubjectResponse]:
        """Everything that a service hands over, message by message. Raises Missing."""
        stream = self._stubs[service].ExportSubject(wire.ExportSubjectRequest(**query))
        try:
            while True:
                async with asyncio.timeout(PIECE_SECONDS):
                    message = await stream.read()
                if message is grpc.aio.EOF:
                    return
                yield message
        except (grpc.aio.AioRpcError, Unavailable, TimeoutError) as trouble:
            raise Missing(_code(trouble)) from trouble
        finally:
            stream.cancel()


def _code(trouble: Exception) -> str:
    if isinstance(trouble, grpc.aio.AioRpcError):
        return str(trouble.code().name)
    return "DEADLINE_EXCEEDED" if isinstance(trouble, TimeoutError) else "UNAVAILABLE"
