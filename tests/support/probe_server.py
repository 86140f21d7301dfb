"""A server with every step in place, whose servicers do what a test tells them.

It serves the real contract of clinical, and a probe service of the tests' own that has a method
of each kind of handler. Behind it stand a small auth in memory and a real access recorder.
"""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from core import identity
from core.audit.refusals import Refusals
from core.contract import Contract, load
from core.contract.methods import method_of
from core.ids import new_id
from core.rpc.access_log import AccessLog
from core.rpc.admission import Admission
from core.rpc.around import Steps
from core.rpc.audit import Recorder
from core.rpc.health import Condition, Health
from core.rpc.live import LiveStreams
from core.rpc.server import Server
from core.settings import PAGE_KEY_BYTES, CoreSettings
from core.telemetry.metrics import Metrics
from core.telemetry.traces import Traces
from core.truth import Truth
from medhub.auth.v1 import auth_state_pb2 as wire
from medhub.options.v1 import data_pb2
from medhub.options.v1 import policy_pb2 as options
from tests.support.tokens import MemoryAuth, membership, role

PATIENTS = "medhub.clinical.v1.PatientService"
PROBE = "medhub.probe.v1.ProbeService"
# Who may do what in the tests: `doctor` all of it, `visitor` nothing.
GIVEN = {
    "doctor": ("probe.things.ask", "clinical.patients.read", "clinical.patients.create"),
    "visitor": ("clinical.units.read",),
}
METHODS = {
    "Ask": (False, False),
    "Download": (False, True),
    "Upload": (True, False),
    "Talk": (True, True),
}
_TEXT, _NUMBER = 9, 5


@cache
def contract() -> Contract:
    """Clinical's contract, and the probe's."""
    clinical = load("medhub.clinical.v1")
    service = _probe_file().services_by_name["ProbeService"]
    methods = [method_of(method) for method in service.methods]
    return Contract(
        methods={**clinical.methods, **{method.path: method for method in methods}},
        reasons=clinical.reasons,
    )


def thing(text: str = "", number: int = 0) -> Any:
    """The message that goes both ways through the probe."""
    return _thing()(text=text, number=number)


async def _nobody(_request: Any) -> Any:
    raise AssertionError("the servicer was reached")


@dataclass
class Servicer:
    """Answers as a test says; without a word it must not be reached."""

    ask: Callable[[Any], Awaitable[Any]] = _nobody
    download: Callable[[Any], AsyncIterator[Any]] = _nobody  # type: ignore[assignment]
    upload: Callable[[Any], Awaitable[Any]] = _nobody
    talk: Callable[[Any], AsyncIterator[Any]] = _nobody  # type: ignore[assignment]
    get: Callable[[Any], Awaitable[Any]] = _nobody
    create: Callable[[Any], Awaitable[Any]] = _nobody

    async def Ask(self, request: Any) -> Any:
        return await self.ask(request)

    async def Download(self, request: Any) -> AsyncIterator[Any]:
        async for response in self.download(request):
            yield response

    async def Upload(self, requests: Any) -> Any:
        return await self.upload(requests)

    async def Talk(self, requests: Any) -> AsyncIterator[Any]:
        async for response in self.talk(requests):
            yield response

    async def GetPatient(self, request: Any) -> Any:
        return await self.get(request)

    async def CreatePatient(self, request: Any) -> Any:
        return await self.create(request)

    def __getattr__(self, name: str) -> Any:
        """The rest of PatientService, which no test calls."""
        if name[0].isupper():
            return _nobody
        raise AttributeError(name)


@dataclass
class Told:
    """A status as a caller reads it, with its details."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    locale: str = ""
    localized: str = ""
    violations: list[tuple[str, str]] = field(default_factory=list)
    retry_after: float | None = None
    trailers: str = ""


def told_by(error: grpc.aio.AioRpcError) -> Told:
    """Take a status apart."""
    told = Told(error.code(), error.details() or "", trailers=repr(error.trailing_metadata()))
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for packed in status_pb2.Status.FromString(value).details:
                _note(told, packed)
    return told


def _note(told: Told, packed: Any) -> None:
    info, text = error_details_pb2.ErrorInfo(), error_details_pb2.LocalizedMessage()
    bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    if packed.Unpack(info):
        told.reason, told.metadata = info.reason, dict(info.metadata)
    elif packed.Unpack(text):
        told.locale, told.localized = text.locale, text.message
    elif packed.Unpack(bad):
        told.violations = [(v.field, v.reason) for v in bad.field_violations]
    elif packed.Unpack(retry):
        told.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


@dataclass
class Served:
    """A running server, and what a test needs of it."""

    server: Server
    channel: grpc.aio.Channel
    auth: MemoryAuth
    truth: Truth
    servicer: Servicer
    steps: Steps
    strangers: Refusals
    lines: io.StringIO
    ward: UUID

    def token(self, *roles: str, organization: UUID | None = None, **claims: Any) -> str:
        """A token of somebody new with these roles in an organization (the ward, unsaid)."""
        place = organization or self.ward
        subject = self.auth.joins(claims.pop("subject", None), place, *roles)
        return self.auth.token(subject, place, **claims)

    async def call(self, method: str, request: Any, token: str | None = None, **more: Any) -> Any:
        """Make a unary call and return its response; raw bytes may stand for the request."""
        return await self.start(method, request, token, **more)

    def start(
        self,
        method: str,
        request: Any,
        token: str | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
        timeout: float | None = 10.0,
    ) -> Any:
        """The call in progress, of whichever kind the method is."""
        found = contract().methods[f"/{method}"]
        kind = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, False): self.channel.stream_unary,
            (True, True): self.channel.stream_stream,
        }[found.client_streaming, found.server_streaming]
        response: Any = found.response
        rpc: Any = kind(found.path, _written, response.FromString)
        credentials = () if token is None else (("authorization", f"Bearer {token}"),)
        return rpc(request, metadata=(*credentials, *metadata), timeout=timeout)

    async def refused(self, *call: Any, **more: Any) -> Told:
        """The status of a unary call that must be refused."""
        try:
            await self.call(*call, **more)
        except grpc.aio.AioRpcError as error:
            return told_by(error)
        raise AssertionError("the call was let in")

    def log(self) -> str:
        """What the access log holds so far."""
        self.steps.log.flush()
        return self.lines.getvalue()


@asynccontextmanager
async def serving(
    recorder: Recorder,
    *,
    events: tuple[wire.StateEvent, ...] = (),
    limits: dict[int, int] | None = None,
    traces: Traces | None = None,
    conditions: dict[str, Condition] | None = None,
    auth: MemoryAuth | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve on loopback for the length of a block; two servers may share an auth."""
    auth, servicer, lines = auth or MemoryAuth(), Servicer(), io.StringIO()
    given = (role(name, permissions) for name, permissions in GIVEN.items())
    truth = auth.truth(*given, *events)
    strangers = Refusals(recorder)
    told = settings_with(**settings)
    steps = Steps(
        contract=contract(),
        truth=truth,
        admission=Admission(limits),
        recorder=recorder,
        strangers=strangers,
        live=LiveStreams(truth),
        log=AccessLog("probe", lines),
        metrics=Metrics(),
        traces=traces,
        edges=None if told.tls is None else frozenset({told.tls_edges}),
    )
    servicers = {PATIENTS: servicer, PROBE: servicer}
    health = Health(servicers, conditions or {})
    server = Server(told, servicers, steps, health)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Served(server, channel, auth, truth, servicer, steps, strangers, lines, ward=new_id())
    await server.stop()


def settings_with(**changed: Any) -> CoreSettings:
    """Settings of a server on loopback that nothing stands behind."""
    nowhere: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "database_app_url": "",
        "database_relay_url": "",
        "auth_target": "127.0.0.1:1",
        "compliance_target": "127.0.0.1:1",
        "analytics_target": "127.0.0.1:1",
        "keyring_path": "/nowhere",
        "keyring_key_path": "/nowhere",
        "service_key_path": "/nowhere",
        "database_page_key": bytes(PAGE_KEY_BYTES),
        "drain_seconds": 0.0,
    }
    return CoreSettings.model_validate({**nowhere, **changed})


def joined(subject: UUID, organization: UUID, *roles: str) -> wire.StateEvent:
    """A membership as the stream tells it."""
    return membership(subject, organization, roles)


def caller_id() -> str:
    """Whom the running call takes itself to be made by."""
    caller = identity.caller()
    return f"{caller.organization}/{caller.subject}"


def _written(request: Any) -> bytes:
    return request if isinstance(request, bytes) else bytes(request.SerializeToString())


@cache
def _thing() -> Any:
    return GetMessageClass(_probe_file().message_types_by_name["Thing"])


@cache
def _probe_file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="medhub/probe/v1/probe_service.proto", package="medhub.probe.v1", syntax="proto3"
    )
    message = file.message_type.add(name="Thing")
    text = message.field.add(name="text", number=1, type=_TEXT, label=1)
    _classify(text, data_pb2.DATA_CLASS_HEALTH)
    number = message.field.add(name="number", number=2, type=_NUMBER, label=1)
    _classify(number, data_pb2.DATA_CLASS_OPERATIONAL)
    service = file.service.add(name="ProbeService")
    for name, (client, server) in METHODS.items():
        method = service.method.add(
            name=name,
            input_type=".medhub.probe.v1.Thing",
            output_type=".medhub.probe.v1.Thing",
            client_streaming=client,
            server_streaming=server,
        )
        extensions: Any = method.options.Extensions
        extensions[options.policy].CopyFrom(_policy(streams=client or server))
    pool: Any = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


def _classify(declared: Any, data_class: int) -> None:
    setattr(declared.options.Extensions[data_pb2.data], "class", data_class)


def _policy(*, streams: bool) -> options.MethodPolicy:
    policy = options.MethodPolicy(
        require=options.Require(permission="probe.things.ask"),
        freshness=options.FRESHNESS_WRITE,
        audit=options.Audit(kind=options.AUDIT_KIND_NONE, reason="Nothing is kept of a probe."),
        idempotency=options.IDEMPOTENCY_NO_SIDE_EFFECTS,
        exposure=options.EXPOSURE_INTERNAL,
    )
    load_class = options.LOAD_CLASS_STREAM if streams else options.LOAD_CLASS_WRITE
    setattr(policy.load, "class", load_class)
    policy.load.deadline.FromSeconds(2)
    return policy
