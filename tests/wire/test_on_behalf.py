"""A server that calls another for its caller: with what both may do, and both in the trail."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date

from auth.operation import disable_server
from core import identity
from core.contract import everything
from core.errors import Refusal
from core.ids import id_from
from core.rpc.channel import Channels, ServiceKey
from core.truth.refusals import Unauthenticated
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from medhub.clinical.v1 import patient_pb2, patient_service_pb2_grpc
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1.audit_pb2 import AuditEvent
from tests.support.platform import Platform, platform
from tests.support.servers import reason_of

__all__ = ["platform"]
_CLINICAL = "medhub.clinical.v1.PatientService"
_EXCHANGE = "medhub.auth.v1.AuthService/ExchangeToken"
_TRAIL = "medhub.compliance.v1.AuditService/ListAuditEvents"
# Until an event is in the trail or a revocation at a server, on a machine that does much besides.
PATIENCE_SECONDS = 60.0
BORN = Date(year=1950, month=3, day=4)
LOOKUP = patients.LookupPatientIdentitiesRequest(query="Lemoine", birth_date=BORN)


class Acting:
    """Compliance's server, as a servicer of its would call clinical and auth."""

    def __init__(self, platform: Platform, channels: Channels, key: ServiceKey) -> None:
        self.platform, self.account = platform, key.account
        self.clinical: Any = patient_service_pb2_grpc.PatientServiceStub(
            channels.for_caller("clinical")
        )
        self.auth: Any = auth_service_pb2_grpc.AuthServiceStub(channels.for_caller("auth"))

    async def serve(self, word: str) -> str:
        """Go on in a call of this member of the organization; their token."""
        token = await self.platform.login(f"{word}@alpha.example")
        identity.enter(identity.Call(method="medhub.test/Serve", credential=token))
        return token


@pytest.fixture
async def acting(platform: Platform) -> AsyncIterator[Acting]:
    """With people whom it may act for, and a patient whom the doctor took in."""
    roles = ("data_protection_officer", "doctor", "auditor")
    await platform.tenant("alpha", {role: [role] for role in roles})
    key = ServiceKey.read(platform.home / "compliance.service-key.json")
    targets = {service: platform.target(service) for service in ("auth", "clinical")}
    channels = Channels(targets, key, everything())
    made = Acting(platform, channels, key)
    patient = patient_pb2.Patient(birth_name="Lemoine", birth_date=BORN)
    await platform.call(
        f"{_CLINICAL}/CreatePatient",
        patients.CreatePatientRequest(patient=patient),
        token=await made.serve("doctor"),
    )
    yield made
    await channels.close()


async def _refused(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return refusal.value.code().name, reason_of(refusal.value)


async def _soon_refused(call: Any) -> str:
    """Call until it is refused: by the server that is called, or before that by auth."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            await call()
        except grpc.aio.AioRpcError as refusal:
            if refusal.code() is not grpc.StatusCode.UNAVAILABLE:
                return reason_of(refusal)
        except Refusal as refusal:
            if isinstance(refusal, Unauthenticated):
                return refusal.reason
        await asyncio.sleep(0.05)
    raise TimeoutError


async def _traced(acting: Acting, method: str) -> AuditEvent:
    """The newest event of a method in the trail of the organization, once it is there."""
    token = await acting.platform.login("auditor@alpha.example")
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        request = audit.ListAuditEventsRequest(page_size=1, method=method)
        page = await acting.platform.call(_TRAIL, request, token=token)
        if page.audit_events:
            event: AuditEvent = page.audit_events[0]
            return event
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_it_may_do_what_both_may(acting: Acting) -> None:
    """Whom its caller may find, it finds; the trail of the organization names both."""
    await acting.serve("data_protection_officer")

    found = await acting.clinical.LookupPatientIdentities(LOOKUP)

    assert [one.birth_name for one in found.identities] == ["Lemoine"]
    (officer,) = acting.platform.databases["auth"].rows(
        "SELECT id FROM app_user WHERE email = 'data_protection_officer@alpha.example'"
    )
    shown = await _traced(acting, f"{_CLINICAL}/LookupPatientIdentities")
    assert (shown.actor, shown.on_behalf) == (f"users/{officer['id']}", acting.account)
    exchanged = await _traced(acting, _EXCHANGE)
    assert (exchanged.actor, exchanged.subject) == (acting.account, f"users/{officer['id']}")


async def test_neither_does_more_through_the_other(acting: Acting) -> None:
    """Not a doctor's right that the server lacks, not the server's that its caller lacks."""
    await acting.serve("doctor")
    denied = ("PERMISSION_DENIED", "PERMISSION_DENIED")
    assert await _refused(acting.clinical.ListPatients(patients.ListPatientsRequest())) == denied

    await acting.serve("auditor")
    assert await _refused(acting.clinical.LookupPatientIdentities(LOOKUP)) == denied


async def test_people_act_on_their_own_account_themselves(acting: Acting) -> None:
    """Nobody ends their session for them, or gets another token of theirs."""
    token = await acting.serve("doctor")
    denied = ("PERMISSION_DENIED", "PERMISSION_DENIED")
    elsewhere = auth_service_pb2.SwitchOrganizationRequest(
        organization=f"organizations/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    )

    assert await _refused(acting.auth.Logout(auth_service_pb2.LogoutRequest())) == denied
    assert await _refused(acting.auth.SwitchOrganization(elsewhere)) == denied
    once_more = auth_service_pb2.ExchangeTokenRequest(subject_token=token, audience="clinical")
    assert await _refused(acting.auth.ExchangeToken(once_more)) == denied


async def test_the_end_of_the_session_is_its_end(acting: Acting) -> None:
    """What was exchanged before dies with it, and nothing is exchanged any more."""
    token = await acting.serve("data_protection_officer")
    await acting.clinical.LookupPatientIdentities(LOOKUP)
    logout = "medhub.auth.v1.AuthService/Logout"

    await acting.platform.call(logout, auth_service_pb2.LogoutRequest(), token=token)

    told = await _soon_refused(lambda: acting.clinical.LookupPatientIdentities(LOOKUP))
    assert told == "UNAUTHENTICATED"


async def test_the_end_of_the_server_is_its_end(acting: Acting) -> None:
    """An operator shuts its account out: it acts for nobody any more."""
    await acting.serve("data_protection_officer")
    await acting.clinical.LookupPatientIdentities(LOOKUP)

    await disable_server(acting.platform.stores, id_from(acting.account, "serviceAccounts"))

    told = await _soon_refused(lambda: acting.clinical.LookupPatientIdentities(LOOKUP))
    assert told == "UNAUTHENTICATED"
