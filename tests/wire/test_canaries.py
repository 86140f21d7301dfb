"""What people entrust to the platform is told to nobody who only listens.

Canaries are put wherever a caller can put words: into names, numbers, passwords, tokens, headers
and messages, well-formed and not. Afterwards they stand in no log line, status, trailer or metric.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.date_pb2 import Date

from medhub.auth.v1 import access_grant_service_pb2 as grants
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import membership_pb2, role_pb2
from medhub.auth.v1 import membership_service_pb2 as memberships
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.billing.v1 import invoice_pb2, payment_pb2
from medhub.billing.v1 import invoice_service_pb2 as invoices
from medhub.billing.v1 import ledger_service_pb2 as ledger
from medhub.billing.v1 import payment_service_pb2 as payments
from medhub.clinical.v1 import hl7_v2_service_pb2 as hl7
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import audit_service_pb2 as audit
from tests.support import hl7_messages
from tests.support.ears import Ears, heard_of, listening, metrics_of
from tests.support.matrix_billing import INVOICES, LEDGER, PAYMENTS, consultation, euros
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


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    """Listening from before the servers start."""
    with listening() as heard:
        yield heard


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
        *(
            (
                "medhub.auth.v1.AccessGrantService/BreakGlass",
                grants.BreakGlassRequest(patient=patient, reason=f"{CANARY} {CANARY}"),
            )
            for patient in (world.alpha.patient, f"patients/{CANARY}")
        ),
        (
            "medhub.compliance.v1.AuditService/ListAuditEvents",
            audit.ListAuditEventsRequest(subject=f"patients/{CANARY}", method=CANARY),
        ),
        ("medhub.compliance.v1.AuditService/ReadTile", audit.ReadTileRequest(path=CANARY)),
    ]


def _billing(world: World) -> list[tuple[str, Message | bytes]]:
    create, own = f"{INVOICES}/CreateInvoice", world.alpha.patient
    asked = []
    for text in (CANARY, f"{CANARY}\0", CANARY * 100):
        line = consultation()
        line.description = text
        buyer = invoice_pb2.Buyer(display_name=CANARY, street=CANARY, country_code=text[:2])
        asked += [
            invoice_pb2.Invoice(
                patient=own, buyer=invoice_pb2.Buyer(display_name=text), currency_code="EUR",
                series="CANARY", lines=[line],
            ),
            invoice_pb2.Invoice(patient=f"patients/{CANARY}", buyer=buyer, series=CANARY),
        ]  # fmt: skip
    payment = payment_pb2.Payment(
        amount=euros(1), means=payment_pb2.PAYMENT_MEANS_CASH,
        receive_date=Date(year=2026, month=3, day=2), reference=CANARY,
    )  # fmt: skip
    return [
        *((create, invoices.CreateInvoiceRequest(invoice=one)) for one in asked),
        (f"{PAYMENTS}/RecordPayment", payments.RecordPaymentRequest(payment=payment)),
        (f"{LEDGER}/ListEntries", ledger.ListEntriesRequest(source=f"invoices/{CANARY}")),
    ]


_SAID: list[Callable[[World], list[tuple[str, Message | bytes]]]] = [
    _clinical,
    _hl7,
    _credentials,
    _billing,
]


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
    metrics = metrics_of(world.seam)
    captured = capfd.readouterr()
    written = ears.written.getvalue()
    assert len(metrics) == len(world.platform.databases)
    assert '"logger":"access"' in written
    places = (written, captured.out, captured.err, *metrics, *ears.statuses)
    assert heard_of(words, places) == []
