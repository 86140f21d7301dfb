"""What people entrust to the platform is told to nobody who only listens.

Canaries are put wherever a caller can put words: into names, numbers, passwords, tokens, headers
and messages, well-formed and not. Afterwards they stand in no log line, status, trailer or metric.
"""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from prometheus_client import generate_latest

from core.telemetry.logs import JsonLines
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import membership_pb2, role_pb2
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support import hl7_messages
from tests.support.matrix_platform import prepared
from tests.support.matrix_wire import bearer
from tests.support.matrix_world import HOSPITAL, World
from tests.support.platform import PASSWORD
from tests.support.postgres import Server

pytestmark = pytest.mark.asyncio(loop_scope="module")
CANARY = "Canaryq7x"
_AUTH = "medhub.auth.v1.AuthService"
_HL7 = "medhub.clinical.v1.Hl7V2Service"
_PATIENTS = "medhub.clinical.v1.PatientService"


@dataclass
class Ears:
    """What can be overheard: what the servers write, and what their callers see of a status."""

    written: io.StringIO = field(default_factory=io.StringIO)
    statuses: list[str] = field(default_factory=list)

    async def call(
        self, world: World, method: str, request: Message | bytes, metadata: Any = ()
    ) -> grpc.StatusCode:
        """Call with these bytes, and note all that comes back beside the answer."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        go: Any = world.platform.channel(method.split(".")[1]).unary_unary(f"/{method}")
        call = go(raw, metadata=metadata, timeout=20)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            self.statuses += [error.details() or "", error.debug_error_string() or ""]
            self.statuses.append(repr(error.trailing_metadata()))
        self.statuses.append(repr((await call.initial_metadata(), await call.trailing_metadata())))
        code: grpc.StatusCode = await call.code()
        return code


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    """Listening from before the servers start: to their streams, and to every logger of theirs."""
    heard = Ears()
    handler = logging.StreamHandler(heard.written)
    handler.setFormatter(JsonLines("all"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    with redirect_stdout(heard.written), redirect_stderr(heard.written):
        yield heard
    root.removeHandler(handler)
    root.setLevel(level)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    ears: Ears, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The prepared platform, overheard."""
    async with prepared(postgres, tmp_path_factory.mktemp("canaries")) as made:
        yield made


def _patient(**more: Any) -> patient_pb2.Patient:
    number = patient_pb2.PatientIdentifier(
        system=HOSPITAL, type=patient_pb2.IDENTIFIER_TYPE_PI, value=f"{CANARY}-1"
    )
    values = {"birth_name": CANARY.upper(), "birth_given_names": CANARY, "identifiers": [number]}
    return patient_pb2.Patient(**{**values, **more})


def _clinical(world: World) -> list[tuple[str, Message | bytes]]:
    create, search = patients.CreatePatientRequest, patients.SearchPatientsRequest
    mine = patients.UpdatePatientRequest(
        patient=patient_pb2.Patient(name=world.alpha.patient, used_name=CANARY, etag=CANARY),
        update_mask=FieldMask(paths=["used_name", CANARY]),
    )
    query = patients.IdentifierQuery(system=HOSPITAL, value=CANARY)
    return [
        (f"{_PATIENTS}/CreatePatient", create(patient=_patient())),
        (f"{_PATIENTS}/CreatePatient", create(patient=_patient())),
        (f"{_PATIENTS}/CreatePatient", create(patient=_patient(birth_name=CANARY * 200))),
        (f"{_PATIENTS}/CreatePatient", create(patient=_patient(birth_name=f"{CANARY}\0"))),
        (f"{_PATIENTS}/CreatePatient", create(patient=_patient(), request_id=CANARY)),
        (f"{_PATIENTS}/CreatePatient", b"\x0a\x40" + CANARY.encode() + b"\xff"),
        (f"{_PATIENTS}/GetPatient", patients.GetPatientRequest(name=f"patients/{CANARY}")),
        (f"{_PATIENTS}/ListPatients", patients.ListPatientsRequest(page_token=CANARY)),
        (f"{_PATIENTS}/SearchPatients", search(query=CANARY)),
        (f"{_PATIENTS}/SearchPatients", search(identifier=query)),
        (f"{_PATIENTS}/UpdatePatient", mine),
    ]


def _hl7(world: World) -> list[tuple[str, Message | bytes]]:
    person = replace(
        hl7_messages.ANNE,
        identifiers=(hl7_messages.ipp(f"{CANARY}2"),),
        names=f"{CANARY}^{CANARY}^{CANARY}^^^^L",
    )
    texts = [
        hl7_messages.adt("A01", person, control_id=f"{CANARY}3").encode(),
        hl7_messages.adt("A99", person).encode(),
        hl7_messages.oru([hl7_messages.obx(1, "NM", CANARY, CANARY)], person).encode(),
        f"MSH|{CANARY}".encode(),
        CANARY.encode() + b"\xff\xfe\0",
    ]
    endpoint = world.alpha.endpoint
    return [
        *(
            (f"{_HL7}/IngestMessage", hl7.IngestMessageRequest(endpoint=endpoint, message=text))
            for text in texts
        ),
        (f"{_HL7}/ListMessages", hl7.ListMessagesRequest(control_id=f"{CANARY}3")),
    ]


def _credentials(world: World) -> list[tuple[str, Message | bytes]]:
    member = membership_pb2.Membership(email=f"{CANARY}@a.example", display_name=CANARY)
    role = role_pb2.Role(display_name=CANARY, permissions=["clinical.patients.read"])
    return [
        (f"{_AUTH}/Login", auth.LoginRequest(email=f"{CANARY}@a.example", password=CANARY)),
        (f"{_AUTH}/Login", auth.LoginRequest(email=world.alpha.email("nurse"), password=CANARY)),
        (f"{_AUTH}/RefreshToken", auth.RefreshTokenRequest(refresh_token=CANARY)),
        (f"{_AUTH}/ValidateToken", auth.ValidateTokenRequest(token=CANARY)),
        (f"{_AUTH}/ExchangeToken", auth.ExchangeTokenRequest(subject_token=CANARY, audience="x")),
        (f"{_AUTH}/IssueServiceToken", auth.IssueServiceTokenRequest(assertion=CANARY)),
        (
            f"{_AUTH}/ActivateAccount",
            auth.ActivateAccountRequest(activation_token=CANARY, password=CANARY * 2),
        ),
        (
            "medhub.auth.v1.MembershipService/CreateMembership",
            memberships.CreateMembershipRequest(membership=member),
        ),
        (
            "medhub.auth.v1.RoleService/CreateRole",
            roles.CreateRoleRequest(role_id=CANARY.lower(), role=role),
        ),
        (
            "medhub.compliance.v1.AuditService/ListAuditEvents",
            audit.ListAuditEventsRequest(subject=f"patients/{CANARY}", method=CANARY),
        ),
        ("medhub.compliance.v1.AuditService/ReadTile", audit.ReadTileRequest(path=CANARY)),
    ]


_SAID: list[Callable[[World], list[tuple[str, Message | bytes]]]] = [_clinical, _hl7, _credentials]


@pytest.mark.parametrize("said", _SAID)
async def test_what_a_request_holds_is_overheard_nowhere(
    world: World,
    ears: Ears,
    capfd: pytest.CaptureFixture[str],
    said: Callable[[World], list[tuple[str, Message | bytes]]],
) -> None:
    """Answered or refused: nothing of it is in a log, a status, a trailer or a metric."""
    codes = set()
    for method, request in said(world):
        codes.add(await ears.call(world, method, request, bearer(world.alpha.whole)))

    assert grpc.StatusCode.OK in codes
    assert grpc.StatusCode.INTERNAL not in codes
    await _assert_unheard(world, ears, capfd, CANARY)


async def test_what_a_header_holds_is_overheard_nowhere(
    world: World, ears: Ears, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither as a token, nor as a trace, a language, an address or anything else."""
    request = patients.GetPatientRequest(name=world.alpha.patient)
    named = [
        ("authorization", f"Bearer {CANARY}"),
        ("authorization", CANARY),
        ("traceparent", f"00-{CANARY}-01"),
        ("accept-language", CANARY),
        ("x-forwarded-for", CANARY),
        ("x-medhub-min-auth-revision", CANARY),
        ("x-request-id", CANARY),
        ("user-agent", CANARY),
    ]

    for pair in named:
        own = () if pair[0] == "authorization" else bearer(world.alpha.whole)
        await ears.call(world, f"{_PATIENTS}/GetPatient", request, (*own, pair))

    await _assert_unheard(world, ears, capfd, CANARY)


async def test_secrets_that_were_issued_are_overheard_nowhere(
    world: World, ears: Ears, capfd: pytest.CaptureFixture[str]
) -> None:
    """Passwords and tokens of those who were let in, their signatures and refresh tokens too."""
    session = await world.alpha.log_in("nurse")
    renewed = await world.answered(
        f"{_AUTH}/RefreshToken", auth.RefreshTokenRequest(refresh_token=session.refresh_token)
    )
    again = auth.RefreshTokenRequest(refresh_token=session.refresh_token, request_id="")
    await ears.call(world, f"{_AUTH}/RefreshToken", again)
    request = patients.GetPatientRequest(name=world.alpha.patient)
    await ears.call(world, f"{_PATIENTS}/GetPatient", request, bearer(renewed.access_token))

    secrets = [PASSWORD, session.refresh_token, renewed.refresh_token]
    for token in (session.access_token, renewed.access_token, *world.alpha.tokens.values()):
        secrets += [token, token.rpartition(".")[2]]
    await _assert_unheard(world, ears, capfd, *secrets)


async def _assert_unheard(
    world: World, ears: Ears, capfd: pytest.CaptureFixture[str], *words: str
) -> None:
    """The words are nowhere; and that something was written shows that somebody listened."""
    await asyncio.sleep(0.5)  # lines of the access log wait for up to 0.2 s
    registries = {id(s.metrics): s.metrics.registry for s in world.seam.steps.values()}
    metrics = [generate_latest(registry).decode() for registry in registries.values()]
    captured = capfd.readouterr()
    written = ears.written.getvalue()
    assert len(metrics) == len(world.platform.servers)
    assert '"logger":"access"' in written
    for place in (written, captured.out, captured.err, *metrics, *ears.statuses):
        for word in words:
            assert word.casefold() not in place.casefold()
