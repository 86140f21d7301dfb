"""Breaking the glass over the real servers: taken at auth, open at clinical, in the trail."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.type.date_pb2 import Date

from core.ids import id_from
from medhub.auth.v1 import access_grant_pb2, access_grant_service_pb2
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.clinical.v1 import record_service_pb2 as records
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1.audit_pb2 import AuditEvent
from tests.support.platform import Platform, Tenant, platform
from tests.support.servers import reason_of
from tests.support.tokens import access_grant

__all__ = ["platform"]
_PATIENTS = "medhub.clinical.v1.PatientService"
_RECORDS = "medhub.clinical.v1.RecordService"
_GRANTS = "medhub.auth.v1.AccessGrantService"
_TRAIL = "medhub.compliance.v1.AuditService/ListAuditEvents"
# Until an event is in the trail, on a machine that does much besides.
PATIENCE_SECONDS = 60.0
Grant = access_grant_pb2.AccessGrant


@dataclass
class Hospital:
    """A hospital whose patient nobody but the nurse is linked to, and another hospital."""

    platform: Platform
    tenant: Tenant
    patient: str

    async def call(self, who: str, method: str, request: Any, revision: int = 0) -> Any:
        """Call as somebody, of what auth knew at a revision."""
        channel = self.platform.channel(method.split(".")[1])
        known = _known(method)
        go: Any = channel.unary_unary(
            f"/{method}",
            request_serializer=known.request.SerializeToString,
            response_deserializer=known.response.FromString,
        )
        meta = [("authorization", f"Bearer {await self.platform.login(who)}")]
        if revision:
            meta.append(("x-medhub-min-auth-revision", str(revision)))
        return await go(request, metadata=meta, timeout=15.0)

    async def get(self, who: str, revision: int = 0) -> patient_pb2.Patient:
        """Read the patient."""
        request = patients.GetPatientRequest(name=self.patient)
        shown: patient_pb2.Patient = await self.call(
            who, f"{_PATIENTS}/GetPatient", request, revision
        )
        return shown

    async def listed(self, who: str, revision: int) -> list[str]:
        """The patients whom a list shows."""
        page = await self.call(
            who, f"{_PATIENTS}/ListPatients", patients.ListPatientsRequest(), revision
        )
        return [each.name for each in page.patients]

    async def break_glass(self, who: str) -> Grant:
        """Take access in an emergency."""
        request = access_grant_service_pb2.BreakGlassRequest(
            patient=self.patient, reason="Unconscious, no relatives"
        )
        made: Grant = await self.call(who, f"{_GRANTS}/BreakGlass", request)
        return made

    async def revoke(self, grant: Grant) -> Grant:
        """Take it back, as the data-protection officer."""
        request = access_grant_service_pb2.RevokeAccessGrantRequest(
            name=grant.name, etag=grant.etag
        )
        saved: Grant = await self.call(OFFICER, f"{_GRANTS}/RevokeAccessGrant", request)
        return saved

    async def trail(self, method: str) -> AuditEvent:
        """The newest event of a method about the patient, once it is there."""
        request = audit.ListAuditEventsRequest(page_size=1, method=method, subject=self.patient)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            page = await self.call(OFFICER, _TRAIL, request)
            if page.audit_events:
                event: AuditEvent = page.audit_events[0]
                return event
            await asyncio.sleep(0.05)
        raise TimeoutError


DOCTOR, NURSE = "doctor@alpha.example", "nurse@alpha.example"
OFFICER, CHIEF = "data_protection_officer@alpha.example", "administrator@alpha.example"
ELSEWHERE = "doctor@beta.example"


def _known(method: str) -> Any:
    from core.contract import everything

    return everything().methods[f"/{method}"]


@pytest.fixture
async def hospital(platform: Platform) -> Hospital:
    """With people of each role."""
    roles = ("doctor", "nurse", "data_protection_officer", "administrator")
    tenant = await platform.tenant("alpha", {role: [role] for role in roles})
    await platform.tenant("beta", {"doctor": ["doctor"]})
    made = Hospital(platform, tenant, "")
    patient = patient_pb2.Patient(
        birth_name="Lemoine", birth_date=Date(year=1950, month=3, day=4), sex=patient_pb2.SEX_FEMALE
    )
    request = patients.CreatePatientRequest(patient=patient)
    made.patient = (await made.call(NURSE, f"{_PATIENTS}/CreatePatient", request)).name
    return made


async def refused(call: Any) -> str:
    """The reason that a call is refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return reason_of(refusal.value)


async def _soon_refused(hospital: Hospital) -> str:
    """Read until that is refused; the reason."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            await hospital.get(DOCTOR)
        except grpc.aio.AioRpcError as refusal:
            return reason_of(refusal)
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_the_glass_is_broken_and_mended(hospital: Hospital) -> None:
    """Without a link nothing; with the revision of the grant at once; after its end nothing."""
    assert await refused(hospital.get(DOCTOR)) == "NOT_FOUND"

    grant = await hospital.break_glass(DOCTOR)
    shown = await hospital.get(DOCTOR, grant.auth_revision)
    stays = records.ListEncountersRequest(patient=hospital.patient)
    await hospital.call(DOCTOR, f"{_RECORDS}/ListEncounters", stays)
    # An emergency names the patient, so no list needs to.
    assert await hospital.listed(DOCTOR, grant.auth_revision) == []
    revoked = await hospital.revoke(grant)

    assert shown.birth_name == "Lemoine"
    assert await refused(hospital.get(DOCTOR, revoked.auth_revision)) == "NOT_FOUND"


async def test_the_trail_of_the_patient_tells_of_it(hospital: Hospital) -> None:
    """The act by itself, and each read that it opened; the nurse's own reads are none of those."""
    grant = await hospital.break_glass(DOCTOR)
    await hospital.get(DOCTOR, grant.auth_revision)

    doctor = f"users/{hospital.tenant.members['doctor'].user}"
    read = await hospital.trail(f"{_PATIENTS}/GetPatient")
    taken = await hospital.trail(f"{_GRANTS}/BreakGlass")
    assert (read.actor, read.break_glass) == (doctor, True)
    assert grant.name in read.detail
    assert taken.actor == doctor

    await hospital.get(NURSE)
    until = time.monotonic() + PATIENCE_SECONDS
    while (newest := await hospital.trail(f"{_PATIENTS}/GetPatient")).actor == doctor:
        assert time.monotonic() < until
    assert (newest.break_glass, newest.detail) == (False, "")


async def test_what_a_colleague_gave_is_listed_too(hospital: Hospital) -> None:
    """A list shows what a get does, and no change is open to it."""
    made = Grant(
        grantee=f"users/{hospital.tenant.members['doctor'].user}",
        patient=hospital.patient,
        reason="A second opinion",
    )
    made.end_time.FromSeconds(int(time.time()) + 3600)
    request = access_grant_service_pb2.CreateAccessGrantRequest(access_grant=made)
    grant = await hospital.call(CHIEF, f"{_GRANTS}/CreateAccessGrant", request)

    shown = await hospital.get(DOCTOR, grant.auth_revision)
    assert await hospital.listed(DOCTOR, grant.auth_revision) == [hospital.patient]
    change = patients.UpdatePatientRequest(patient=shown, update_mask={"paths": ["used_name"]})
    assert await refused(hospital.call(DOCTOR, f"{_PATIENTS}/UpdatePatient", change)) == "NOT_FOUND"
    revoked = await hospital.revoke(grant)
    assert await hospital.listed(DOCTOR, revoked.auth_revision) == []


async def test_another_organizations_grant_opens_nothing(hospital: Hospital) -> None:
    """Whoever names a patient of another hospital takes what is not there."""
    grant = await hospital.break_glass(ELSEWHERE)

    assert await refused(hospital.get(ELSEWHERE, grant.auth_revision)) == "NOT_FOUND"
    assert await refused(hospital.get(DOCTOR, grant.auth_revision)) == "NOT_FOUND"


async def test_a_grant_ends_by_itself(hospital: Hospital) -> None:
    """No server is told that an hour is over: the clock of each says so."""
    grant = await hospital.break_glass(DOCTOR)
    await hospital.get(DOCTOR, grant.auth_revision)

    # A token lives for minutes, so it is the grant alone whose end is brought near.
    state = hospital.platform.servers["clinical"]._steps.truth.state
    told = access_grant(
        hospital.tenant.members["doctor"].user,
        hospital.tenant.organization,
        id_from(hospital.patient, "patients"),
        of=id_from(grant.name, "accessGrants"),
        break_glass=True,
        life=timedelta(seconds=1),
    )
    state.grants.take(told.access_grant_changed)
    state.version += 1

    assert await _soon_refused(hospital) == "NOT_FOUND"


async def test_the_officer_looks_into_it(hospital: Hospital) -> None:
    """Who took it says nothing of it; who protects the data does."""
    grant = await hospital.break_glass(DOCTOR)
    review = access_grant_service_pb2.ReviewBreakGlassRequest(
        name=grant.name,
        etag=grant.etag,
        finding=access_grant_pb2.BREAK_GLASS_FINDING_NOT_JUSTIFIED,
        note="The patient was awake",
    )
    listing = access_grant_service_pb2.ListAccessGrantsRequest(unreviewed_only=True)

    waiting = await hospital.call(OFFICER, f"{_GRANTS}/ListAccessGrants", listing)
    denied = await refused(hospital.call(DOCTOR, f"{_GRANTS}/ReviewBreakGlass", review))
    saved = await hospital.call(OFFICER, f"{_GRANTS}/ReviewBreakGlass", review)
    rest = await hospital.call(OFFICER, f"{_GRANTS}/ListAccessGrants", listing)

    assert [each.name for each in waiting.access_grants] == [grant.name]
    assert denied == "PERMISSION_DENIED"
    assert saved.reviewed_by == f"users/{hospital.tenant.members['data_protection_officer'].user}"
    assert list(rest.access_grants) == []
