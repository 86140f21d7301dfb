"""The clinical server with every step around it, and an organization to call it for."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from clinical.server import build
from core.ids import new_id
from medhub.clinical.v1 import (
    care_link_service_pb2_grpc,
    hl7_v2_service_pb2_grpc,
    patient_service_pb2_grpc,
    practitioner_service_pb2_grpc,
    record_service_pb2_grpc,
)
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint
from medhub.clinical.v1.hl7_v2_service_pb2 import CreateEndpointRequest
from tests.support.postgres import ServiceDatabase
from tests.support.servers import Served, bearer, serving

PERMISSIONS = (
    "clinical.patients.create",
    "clinical.patients.read",
    "clinical.patients.update",
    "clinical.patients.delete",
    "clinical.patients.merge",
    "clinical.identities.read",
    "clinical.care_links.create",
    "clinical.care_links.read",
    "clinical.care_links.end",
    "clinical.records.read",
    "clinical.practitioners.create",
    "clinical.practitioners.read",
    "clinical.units.create",
    "clinical.units.read",
    "clinical.hl7.ingest",
    "clinical.hl7.read",
    "clinical.hl7.read_unattributed",
    "clinical.hl7_endpoints.create",
    "clinical.hl7_endpoints.read",
    "clinical.hl7_endpoints.update",
)


@dataclass(frozen=True, slots=True)
class House:
    """An organization at the clinical server, and somebody in it who may do everything."""

    served: Served
    database: ServiceDatabase
    organization: UUID
    user: UUID
    metadata: tuple[tuple[str, str], ...]
    patients: Any
    links: Any
    practitioners: Any
    records: Any
    hl7: Any

    async def endpoint(self, ack_point: str = "ACK_POINT_PROCESSED") -> str:
        """A new endpoint's name."""
        asked = Hl7Endpoint(label=f"GAM {new_id()}", ack_point=ack_point)
        request = CreateEndpointRequest(hl7_endpoint=asked)
        made = await self.hl7.CreateEndpoint(request, metadata=self.metadata)
        return str(made.name)


@pytest.fixture
async def house(database: Callable[[str], ServiceDatabase], tmp_path: Path) -> AsyncIterator[House]:
    """A house whose caller is a user."""
    made = database("clinical")
    async with serving("clinical", build, made, tmp_path) as served:
        organization, user = new_id(), new_id()
        token = served.authority.token(*PERMISSIONS, organization=organization, subject=user)
        channel = served.channel
        yield House(
            served,
            made,
            organization,
            user,
            bearer(token),
            patient_service_pb2_grpc.PatientServiceStub(channel),
            care_link_service_pb2_grpc.CareLinkServiceStub(channel),
            practitioner_service_pb2_grpc.PractitionerServiceStub(channel),
            record_service_pb2_grpc.RecordServiceStub(channel),
            hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(channel),
        )
