"""Every service that holds data of persons, asked by the subject contract."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, TypeAlias

import grpc

from core.errors import Unavailable
from core.rpc.endings import reason_of
from medhub.subject.v1 import subject_service_pb2 as wire
from medhub.subject.v1 import subject_service_pb2_grpc
from medhub.subject.v1.erasure_pb2 import ErasureReceipt

FIND_SECONDS = 10.0
"""For counting what a service holds of one person."""

ERASE_SECONDS = 30.0
"""For erasing what a service holds of one person. Less than a worker's lease."""

PIECE_SECONDS = 20.0
"""Between two messages of an export. Far less than a worker's lease."""

_CHANGED = "ERASURE_PLAN_CHANGED"

Query: TypeAlias = Mapping[str, Any]
"""What all requests ask: organization_id, subject, also_known_as, occasion."""


class Missing(Exception):
    """A service did not answer, or not whole; `failure` is the gRPC code that says it best."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class Changed(Exception):
    """What a service holds is not what its plan says; it has erased nothing."""


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

    async def plan(self, service: str, query: Query) -> wire.PlanErasureResponse:
        """What a service would erase. Raises Missing."""
        try:
            planned: wire.PlanErasureResponse = await self._stubs[service].PlanErasure(
                wire.PlanErasureRequest(**query), timeout=FIND_SECONDS
            )
        except (grpc.aio.AioRpcError, Unavailable) as trouble:
            raise Missing(_code(trouble)) from trouble
        return planned

    async def erase(self, service: str, query: Query) -> ErasureReceipt:
        """What a service has erased by its plan. Raises Missing and Changed."""
        try:
            receipt: ErasureReceipt = await self._stubs[service].ExecuteErasure(
                wire.ExecuteErasureRequest(**query), timeout=ERASE_SECONDS
            )
        except (grpc.aio.AioRpcError, Unavailable) as trouble:
            if isinstance(trouble, grpc.aio.AioRpcError) and reason_of(trouble) == _CHANGED:
                raise Changed from trouble
            raise Missing(_code(trouble)) from trouble
        return receipt

    async def restrict(self, service: str, query: Query) -> None:
        """Have a service keep what it holds without processing it. Raises Missing."""
        try:
            await self._stubs[service].RestrictSubject(
                wire.RestrictSubjectRequest(**query), timeout=FIND_SECONDS
            )
        except (grpc.aio.AioRpcError, Unavailable) as trouble:
            raise Missing(_code(trouble)) from trouble

    async def lift(self, service: str, query: Query) -> None:
        """End a restriction in a service. Raises Missing."""
        try:
            await self._stubs[service].LiftSubjectRestriction(
                wire.LiftSubjectRestrictionRequest(**query), timeout=FIND_SECONDS
            )
        except (grpc.aio.AioRpcError, Unavailable) as trouble:
            raise Missing(_code(trouble)) from trouble

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
