"""A patient asks for everything: it is gathered from every service, whole, and nobody else's."""

import asyncio
import hashlib
import json
from typing import Any, NoReturn

import pytest

from core.errors import Unavailable
from core.ids import id_from, name_of, new_id
from medhub.clinical.v1 import patient_service_pb2 as patients
from medhub.compliance.v1 import access_request_pb2 as access
from medhub.compliance.v1 import audit_service_pb2 as audit
from medhub.compliance.v1 import data_subject_request_service_pb2 as requests
from medhub.subject.v1 import subject_pb2
from medhub.subject.v1 import subject_service_pb2 as wire
from tests.support import matrix_access, matrix_billing
from tests.support.matrix_platform import world
from tests.support.matrix_subject import (
    GATHERED_SECONDS,
    entered,
    occasion,
    package,
    reaching,
)
from tests.support.matrix_wire import bearer
from tests.support.matrix_world import Side, World
from tests.support.platform import SERVICES
from tests.support.subject_canaries import Sown, sow

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
FIND = "medhub.subject.v1.SubjectService/FindSubject"
_COMPLETE = access.ACCESS_REQUEST_STATE_COMPLETE
_INCOMPLETE = access.ACCESS_REQUEST_STATE_INCOMPLETE
# Words of the platform's own, which the database holds to a list or a shape.
_OF_A_LIST = {
    "billing.invoice.currency_code",
    "billing.invoice.number",
    "billing.invoice.state",
    "billing.invoice_line.vat_category",
    "billing.invoice_tax.vat_category",
    "billing.payment.currency_code",
    "billing.payment.means",
    "clinical.care_link.kind",
    "clinical.encounter.status",
    "clinical.observation.status",
    "clinical.patient.identity_status",
    "clinical.patient.sex",
}


async def _merged(side: Side) -> str:
    """A second identity of the side's patient, found to be the same person."""
    duplicate = (await side.new_patient()).name
    request = patients.MergePatientsRequest(
        survivor=side.patient, duplicate=duplicate, reason="The same person."
    )
    await side.do("medhub.clinical.v1.PatientService/MergePatients", request)
    return duplicate


def _sow(world: World, side: Side, word: str) -> Sown:
    """A canary in every personal column about the side's patient."""
    sown = Sown()
    for service in SERVICES:
        database = world.platform.databases[service]
        patient = id_from(side.patient, "patients")
        one = sow(database, word, side.tenant.organization, patient)
        sown.canaries |= one.canaries
        sown.refused |= one.refused
        sown.empty |= one.empty
    return sown


def _sections(document: bytes) -> dict[str, str]:
    """The array of each service as it stands in the document."""
    text = document.decode()
    at = [(text.index(f'\n,"{name}":'), name) for name in json.loads(text) if name != "manifest"]
    ends = [start for start, _ in at[1:]] + [text.rindex("\n}")]
    return {
        name: text[start + len(f'\n,"{name}":') : end]
        for (start, name), end in zip(at, ends, strict=True)
    }


async def test_the_manifest_counts_and_digests_what_follows(world: World) -> None:
    """Whoever has the document alone can tell that it is whole."""
    side = world.alpha
    made = await entered(side)
    done = await reaching(side, made.name, _COMPLETE)

    document = await package(side, made.name)

    whole = json.loads(document)
    sections = _sections(document)
    told = whole["manifest"]["services"]
    assert set(sections) == set(told) == set(SERVICES)
    for service, text in sections.items():
        assert told[service]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert told[service]["record_count"] == len(whole[service])
        counted = {t["table"]: t["count"] for t in told[service]["tables"] if t["count"]}
        assert counted == _counted(whole[service])
    assert {one.service: one.sha256.hex() for one in done.services} == {
        service: one["sha256"] for service, one in told.items()
    }
    assert told["clinical"]["categories"]["observation"] > 0
    assert told["auth"]["record_count"] == 0


def _counted(records: list[dict[str, Any]]) -> dict[str, int]:
    tables = [record["table"] for record in records]
    return {table: tables.count(table) for table in tables}


async def test_the_patient_reads_who_was_shown_what_but_not_by_whom(world: World) -> None:
    """Each showing is told with its time, purpose and categories of data."""
    side = world.alpha
    request = patients.GetPatientRequest(name=side.patient)
    await side.do("medhub.clinical.v1.PatientService/GetPatient", request, side.tokens["doctor"])
    await _in_the_trail(side, "medhub.clinical.v1.PatientService/GetPatient")

    made = await entered(side)
    await reaching(side, made.name, _COMPLETE)
    document = json.loads(await package(side, made.name))

    events = [
        record["values"]
        for record in document["compliance"]
        if record["table"] == "compliance.audit_event"
    ]
    [shown] = [e for e in events if e["method"].endswith("PatientService/GetPatient")][-1:]
    assert shown["clear"]["kind"] == "EVENT_KIND_ACCESS"
    assert shown["clear"]["purpose"] == "care"
    assert shown["clear"]["categories"] == ["identity", "national_identifier"]
    assert shown["occurred_at"]
    assert "actor_ref" not in shown
    assert not {"actor", "peer", "session"} & shown["sealed"].keys()


async def _in_the_trail(side: Side, method: str) -> None:
    """Return when the relay has delivered an event of this method."""
    wanted = audit.ListAuditEventsRequest(method=method, subject=side.patient, page_size=1)
    service = "medhub.compliance.v1.AuditService/ListAuditEvents"
    async with asyncio.timeout(GATHERED_SECONDS):
        while not (await side.do(service, wanted)).audit_events:  # noqa: ASYNC110 - a test
            await asyncio.sleep(0.05)


async def test_a_service_that_is_away_keeps_the_request_open(world: World) -> None:
    """It is named, tried again, and the request completes by itself when it is back."""
    side = world.alpha
    await world.platform.stop("clinical")
    try:
        made = await entered(side)
        waiting = await reaching(side, made.name, _INCOMPLETE)
        answers = {one.service: one for one in waiting.services}
        fetch = "medhub.compliance.v1.DataSubjectRequestService/GetAccessPackage"
        refused = await world.invoke(
            fetch, requests.GetAccessPackageRequest(name=made.name), bearer(side.whole)
        )
    finally:
        await world.platform.start("clinical")
        await world.platform.ready()
    done = await reaching(side, made.name, _COMPLETE)

    missing = access.SERVICE_ANSWER_STATE_MISSING
    assert [name for name, one in answers.items() if one.state == missing] == ["clinical"]
    assert answers["clinical"].last_failure == "UNAVAILABLE"
    assert waiting.HasField("retry_time")
    assert refused.reason == "ACCESS_PACKAGE_NOT_READY"
    assert not done.HasField("retry_time")
    assert json.loads(await package(side, made.name))["clinical"]


async def test_nobody_is_never_answered_as_somebody(world: World) -> None:
    """Of another organization's patient and of one who does not exist there is no package."""
    for name in (world.beta.patient, name_of("patients", new_id())):
        made = await entered(world.alpha, name)

        found = await reaching(
            world.alpha, made.name, _COMPLETE, access.ACCESS_REQUEST_STATE_UNKNOWN_PERSON
        )

        assert found.state == access.ACCESS_REQUEST_STATE_UNKNOWN_PERSON


async def test_what_is_held_under_a_name_that_nobody_registered_is_handed_over(
    world: World,
) -> None:
    """Billing took an invoice for a patient whom clinical does not know: it is about somebody."""
    request = await matrix_billing.create_invoice(world.alpha)
    request.invoice.patient = name_of("patients", new_id())
    await world.alpha.do(f"{matrix_billing.INVOICES}/CreateInvoice", request)

    made = await entered(world.alpha, request.invoice.patient)
    await reaching(world.alpha, made.name, _COMPLETE)

    document = json.loads(await package(world.alpha, made.name))
    assert request.invoice.buyer.display_name in json.dumps(document["billing"])


async def _away(_request: object) -> NoReturn:
    raise Unavailable(retry_after=0.1)


async def test_what_was_gathered_under_fewer_identities_is_gathered_anew(world: World) -> None:
    """A second identity that a service tells of later than another was asked is not left out."""
    side = world.beta
    with world.seam.serving(f"{FIND}@clinical", run=_away):
        made = await entered(side)
        waiting = await reaching(side, made.name, _INCOMPLETE)
        duplicate = await _merged(side)

    await reaching(side, made.name, _COMPLETE)

    gathered = access.SERVICE_ANSWER_STATE_GATHERED
    answered = [one.service for one in waiting.services if one.state == gathered]
    assert answered == sorted(set(SERVICES) - {"clinical"})
    manifest = json.loads(await package(side, made.name))["manifest"]
    assert set(manifest["identities"]) == {side.patient, duplicate}


async def test_a_package_is_sealed_where_it_lies(world: World) -> None:
    """The parts at rest show nothing of what is in them."""
    side = world.alpha
    made = await entered(side)
    await reaching(side, made.name, _COMPLETE)

    rows = world.platform.databases["compliance"].rows(
        "SELECT content FROM access_package_part WHERE request_id = %s",
        id_from(made.name, "accessRequests"),
    )

    assert len(rows) >= 5
    assert all(b"clinical" not in row["content"] for row in rows)


async def _found(world: World, service: str, within: Side, subject: str) -> Any:
    """What a service finds of a person in an organization."""
    request = wire.FindSubjectRequest(
        organization_id=str(within.tenant.organization), subject=subject, occasion=occasion(within)
    )
    outcome = await world.invoke(f"{FIND}@{service}", request, bearer(world.gatherer))
    assert outcome.ok, outcome
    return outcome.response


async def test_a_person_is_found_within_the_organization_that_asks(world: World) -> None:
    """Asked for in another organization, a patient and a user are unknown, and nothing is held."""
    patient, user = world.alpha.patient, name_of("users", world.alpha.user("nurse"))
    registers = {"clinical": patient, "auth": user}

    for service, person in registers.items():
        own = await _found(world, service, world.alpha, person)
        foreign = await _found(world, service, world.beta, person)

        assert own.standing == subject_pb2.STANDING_KNOWN
        assert sum(table.count for table in own.tables) > 0
        assert foreign.standing == subject_pb2.STANDING_UNKNOWN
        assert [table.count for table in foreign.tables] == [0] * len(own.tables)
    elsewhere = await _found(world, "auth", world.alpha, patient)
    assert elsewhere.standing == subject_pb2.STANDING_NOT_REGISTERED_HERE
    assert [t.table for t in elsewhere.tables if t.count] == []


async def test_somebody_who_works_here_is_found_too(world: World) -> None:
    """An account, its memberships and its sessions here; secrets are told of and not shown."""
    found = await _found(world, "auth", world.alpha, name_of("users", world.alpha.user("nurse")))

    tables = {table.table: table for table in found.tables}
    assert set(tables) == {
        "auth.access_grant",
        "auth.app_user",
        "auth.external_identity",
        "auth.factor",
        "auth.membership",
        "auth.session",
    }
    assert tables["auth.membership"].count == tables["auth.app_user"].count == 1
    withheld = [one.column for one in tables["auth.app_user"].fields if one.withheld]
    assert withheld == ["password_hash"]


async def test_identities_of_another_kind_are_refused(world: World) -> None:
    """A user is not a patient by another name."""
    request = wire.FindSubjectRequest(
        organization_id=str(world.alpha.tenant.organization),
        subject=world.alpha.patient,
        also_known_as=[name_of("users", new_id())],
        occasion=occasion(world.alpha),
    )

    refused = await world.invoke(f"{FIND}@clinical", request, bearer(world.gatherer))

    assert refused.reason == "INVALID_FIELD"


async def test_the_package_holds_every_value_and_nobody_elses(world: World) -> None:
    """Each canary of the patient and each identity is in it; of others, of employees nothing is."""
    side, other = world.alpha, world.beta
    duplicate = await _merged(side)
    for one in (side, other):
        await matrix_billing.draft(one)
        await matrix_billing.payment(one)
        await one.do(
            "medhub.auth.v1.AccessGrantService/ReviewBreakGlass",
            await matrix_access.review_break_glass(one),
        )
    own, foreign = _sow(world, side, "Own"), _sow(world, other, "Foreign")
    neighbour = await side.new_patient()

    made = await entered(side)
    done = await reaching(side, made.name, _COMPLETE)
    document = await package(side, made.name)

    text = document.decode()
    assert own.refused == foreign.refused == _OF_A_LIST
    assert own.empty == set()
    assert len(own.canaries) > 20
    assert {canary for canary in own.canaries if canary not in text} == set()
    assert "Foreign-" not in text
    assert neighbour.birth_name not in text
    assert neighbour.name.partition("/")[2] not in text
    assert side.number in text  # sealed in its row
    assert "PID|" in text  # sealed as it arrived
    for somebody in world.alpha.tenant.members.values():
        assert str(somebody.user) not in text
    manifest = json.loads(text)["manifest"]
    assert set(manifest["identities"]) == {side.patient, duplicate}
    assert {one.service for one in done.services} == set(SERVICES)
