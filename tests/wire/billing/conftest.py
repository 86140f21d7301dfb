"""The billing server with every step around it, and a clerk to call it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from auth.domain.roles import BUILT_IN
from billing.server import build
from core.ids import name_of, new_id
from medhub.billing.v1 import (
    invoice_service_pb2_grpc,
    ledger_service_pb2_grpc,
    payment_service_pb2_grpc,
)
from tests.support.postgres import ServiceDatabase
from tests.support.servers import bearer, serving


@dataclass(frozen=True, slots=True)
class Desk:
    """A billing clerk of an organization, and a patient of it."""

    database: ServiceDatabase
    organization: UUID
    patient: str
    metadata: tuple[tuple[str, str], ...]
    invoices: Any
    ledger: Any
    payments: Any

    async def call(self, method: Any, request: Any) -> Any:
        """Call as the clerk."""
        return await method(request, metadata=self.metadata, timeout=20)


@pytest.fixture
async def desk(database: Callable[[str], ServiceDatabase], tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose clerk holds what the role gives."""
    made = database("billing")
    async with serving("billing", build, made, tmp_path) as served:
        organization = new_id()
        token = served.authority.token(*BUILT_IN["biller"], organization=organization)
        yield Desk(
            made,
            organization,
            name_of("patients", new_id()),
            bearer(token),
            invoice_service_pb2_grpc.InvoiceServiceStub(served.channel),
            ledger_service_pb2_grpc.LedgerServiceStub(served.channel),
            payment_service_pb2_grpc.PaymentServiceStub(served.channel),
        )
