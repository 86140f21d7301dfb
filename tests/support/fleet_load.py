"""Callers who use every service all the time, once each: nobody here tries again.

What tries again is the product: the platform's own channels, and the edge.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlencode
from uuid import uuid4

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from core.contract import everything
from core.ids import new_id
from core.rpc.carrying import carrying
from core.rpc.channel import open_channel
from core.rpc.endings import named
from hub.services import Service
from medhub.analytics.v1 import metric_service_pb2 as metrics
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support.fleet import Fleet
from tests.support.matrix_billing import consultation

ADMIN = "admin@saint-luc.example"
BILLER = "facturation@saint-luc.example"
CALL_SECONDS = 20.0
# What a caller waits between two calls. Writes are slower: each leaves
# rows, and those of auth are told to every server.
PAUSE_SECONDS = 0.02
WRITE_PAUSE_SECONDS = 0.1
_PATIENT = f"patients/{new_id()}"


@dataclass(frozen=True)
class Use:
    """A call of a service: by gRPC, and by REST where `path` is given."""

    who: str
    method: str
    make: Callable[[], Message]
    verb: str = "GET"
    path: str = ""
    # The field of the request that is the body.
    body: str = ""

    @property
    def pause(self) -> float:
        """What a caller waits between two calls."""
        return WRITE_PAUSE_SECONDS if self.body else PAUSE_SECONDS


def _role() -> Message:
    word = f"r{uuid4().hex[:20]}"
    role = {"display_name": word, "permissions": ["clinical.patients.read"]}
    return roles.CreateRoleRequest(role_id=word, role=role, request_id=str(uuid4()))


def _patient() -> Message:
    person = patient_pb2.Patient(birth_name=f"ROLLING{uuid4().hex[:8].upper()}")
    return patients.CreatePatientRequest(patient=person, request_id=str(uuid4()))


def _invoice() -> Message:
    invoice = {
        "patient": _PATIENT,
        "buyer": {"display_name": "Buyer", "city": "Lyon"},
        "currency_code": "EUR",
        "series": "F2026",
        "lines": [consultation()],
    }
    return invoices.CreateInvoiceRequest(invoice=invoice, request_id=str(uuid4()))


USES: dict[Service, tuple[Use, ...]] = {
    Service.AUTH: (
        Use(ADMIN, "RoleService/ListRoles", roles.ListRolesRequest, path="/auth/v1/roles"),
        Use(ADMIN, "RoleService/CreateRole", _role, "POST", "/auth/v1/roles", "role"),
    ),
    Service.CLINICAL: (
        Use(ADMIN, "PatientService/ListPatients", patients.ListPatientsRequest,
            path="/clinical/v1/patients"),
        Use(ADMIN, "PatientService/CreatePatient", _patient, "POST", "/clinical/v1/patients",
            "patient"),
    ),
    Service.BILLING: (
        Use(BILLER, "InvoiceService/ListInvoices",
            lambda: invoices.ListInvoicesRequest(patient=_PATIENT, page_size=5),
            path="/billing/v1/invoices"),
        Use(BILLER, "InvoiceService/CreateInvoice", _invoice, "POST", "/billing/v1/invoices",
            "invoice"),
    ),
    Service.COMPLIANCE: (
        Use(ADMIN, "AuditService/ListAuditEvents",
            lambda: audit.ListAuditEventsRequest(page_size=5), path="/compliance/v1/auditEvents"),
        Use(ADMIN, "AuditService/GetCheckpoint", audit.GetCheckpointRequest,
            path="/compliance/v1/auditLog/checkpoint"),
    ),
    Service.ANALYTICS: (
        Use(ADMIN, "MetricService/ListMetrics", metrics.ListMetricsRequest,
            path="/analytics/v1/metrics"),
    ),
}  # fmt: skip


class _Session:
    """The token of somebody who has logged in, as a channel carries it."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def get(self) -> str:
        """The token."""
        return self.token

    def refused(self, token: str) -> None:
        """The call that was refused says so itself."""


Call: TypeAlias = Callable[[], Awaitable[str]]


@dataclass
class FleetLoad:
    """What the callers were told."""

    fleet: Fleet
    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    async def keep_calling(self, name: str, call: Call, pause: float) -> None:
        """One call after the other."""
        while True:
            fault = await call()
            self.answered[name] += not fault
            if fault:
                self.failed.append(f"{name}: {fault}")
            await asyncio.sleep(pause)

    def by_channel(self, channel: grpc.aio.Channel, service: Service, use: Use) -> Call:
        """A call by a channel of the platform; tells what was wrong with the answer."""
        method = everything().methods[f"/medhub.{service}.v1.{use.method}"]
        response: Any = method.response
        rpc: Any = channel.unary_unary(
            method.path, method.request.SerializeToString, response.FromString
        )

        async def call() -> str:
            try:
                await rpc(use.make(), timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                return f"{named(error)} {error.details()}"
            return ""

        return call

    def by_rest(self, use: Use, token: str) -> Call:
        """The same by the edge."""

        async def call() -> str:
            request = MessageToDict(use.make(), preserving_proto_field_name=True)
            body = request.pop(use.body) if use.body else None
            path = f"{use.path}?{urlencode(request)}"
            try:
                answer = await asyncio.to_thread(
                    self.fleet.whole.http, use.verb, path, body, token=token
                )
            except OSError as error:
                return f"{type(error).__name__} {error}"
            return "" if answer.status == 200 else f"{answer.status} {answer.body[:300]!r}"

        return call


@asynccontextmanager
async def calling(fleet: Fleet, services: tuple[Service, ...]) -> AsyncIterator[FleetLoad]:
    """Use these services for the length of a block, both ways."""
    load = FleetLoad(fleet)
    people = {use.who for service in services for use in USES[service]}
    tokens = {who: await asyncio.to_thread(fleet.whole.token, who) for who in people}
    channels: list[grpc.aio.Channel] = []
    callers: list[asyncio.Task[None]] = []
    for service in services:
        for use in USES[service]:
            session = _Session(tokens[use.who])
            channel = open_channel(fleet.target(service), everything(), carrying(session))
            channels.append(channel)
            ways = (load.by_channel(channel, service, use), load.by_rest(use, session.token))
            for way, call in zip(("channel", "REST"), ways, strict=True):
                work = load.keep_calling(f"{use.method} by {way}", call, use.pause)
                callers.append(asyncio.create_task(work))
    try:
        yield load
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        for channel in channels:
            await channel.close()
