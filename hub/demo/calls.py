"""How the story calls the platform: as any client would, by gRPC, by REST and over MLLP."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from hub.hl7_sender import Outcome, Sender
from hub.run_file import Running
from medhub.analytics.v1 import metric_service_pb2_grpc
from medhub.auth.v1 import (
    access_grant_service_pb2_grpc,
    auth_service_pb2,
    auth_service_pb2_grpc,
)
from medhub.billing.v1 import invoice_service_pb2_grpc
from medhub.clinical.v1 import patient_service_pb2_grpc, record_service_pb2_grpc
from medhub.compliance.v1 import audit_service_pb2_grpc, data_subject_request_service_pb2_grpc

# One call of the story may take this long; the platform is on this machine.
CALL_SECONDS = 10.0
# Acknowledgements may take this long altogether.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Refused:
    """How a call was refused: what the caller reads, whole."""

    code: str
    reason: str
    message: str


class Clients:
    """Stubs for the running platform. Close it when done."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._channels = {name: grpc.insecure_channel(at) for name, at in running.grpc.items()}
        clinical, compliance = self._channels["clinical"], self._channels["compliance"]
        self.auth: Any = auth_service_pb2_grpc.AuthServiceStub(self._channels["auth"])
        self.grants: Any = access_grant_service_pb2_grpc.AccessGrantServiceStub(
            self._channels["auth"]
        )
        self.patients: Any = patient_service_pb2_grpc.PatientServiceStub(clinical)
        self.records: Any = record_service_pb2_grpc.RecordServiceStub(clinical)
        self.audit: Any = audit_service_pb2_grpc.AuditServiceStub(compliance)
        self.requests: Any = data_subject_request_service_pb2_grpc.DataSubjectRequestServiceStub(
            compliance
        )
        self.invoices: Any = invoice_service_pb2_grpc.InvoiceServiceStub(self._channels["billing"])
        self.metrics: Any = metric_service_pb2_grpc.MetricServiceStub(self._channels["analytics"])

    def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            channel.close()

    def login(self, email: str) -> "Session":
        """Log a user of the demonstration in."""
        users = (u for o in self._running.organizations for u in o["users"])
        user = next(u for u in users if u["email"] == email)
        request = auth_service_pb2.LoginRequest(email=email, password=user["password"])
        answer = self.auth.Login(request, timeout=CALL_SECONDS)
        return Session(answer.access_token, self._running.http)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    token: str
    edge: str

    def call(self, method: Any, request: Any, *, revision: int = 0) -> Any:
        """Call by gRPC; `revision` is one of auth that whoever decides has to know of."""
        metadata = (
            ("authorization", f"Bearer {self.token}"),
            ("x-medhub-min-auth-revision", str(revision)),
        )
        return method(request, metadata=metadata, timeout=CALL_SECONDS)

    def refused(self, method: Any, request: Any, *, revision: int = 0) -> Refused:
        """Call by gRPC what must be refused. Raises AssertionError when it is not."""
        try:
            self.call(method, request, revision=revision)
        except grpc.RpcError as error:
            return refusal_of(error)
        raise AssertionError("the call was not refused")

    def get(self, path: str) -> dict[str, Any]:
        """Call by REST."""
        request = urllib.request.Request(  # noqa: S310 - the edge's own address
            f"{self.edge}{path}", headers={"authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found

    def status_of(self, path: str) -> int:
        """The HTTP status of a call by REST that is refused."""
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code
        return 200


def refusal_of(error: Any) -> Refused:
    """What a refused caller reads."""
    status = status_pb2.Status()
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            status.ParseFromString(value)
    reason = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Is(reason.DESCRIPTOR):
            detail.Unpack(reason)
    return Refused(error.code().name, reason.reason, error.details())


async def send(running: Running, messages: list[bytes]) -> Outcome:
    """Send HL7 messages over MLLP, one after the other, and wait for their acknowledgements."""
    sender = Sender(running.mllp_host, running.mllp_port, window=1, patience=PATIENCE_SECONDS)
    return await sender.send(messages)
