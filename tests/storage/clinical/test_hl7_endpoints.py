"""Streams of messages, and the endpoints that they come to."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from clinical.domain.endpoints import EndpointExists, EndpointNotYours
from core import identity
from core.database.migrations import migrate
from core.errors import EtagMismatch, InvalidField, NotFound, Unavailable
from core.identity import Kind
from core.ids import name_of, new_id
from medhub.clinical.v1.hl7_pb2 import HL7_MESSAGE_STATE_REJECTED, Hl7Endpoint
from medhub.clinical.v1.hl7_v2_service_pb2 import (
    CreateEndpointRequest,
    IngestMessagesRequest,
    IngestMessagesResponse,
    ListEndpointsRequest,
    ListMessagesRequest,
    UpdateEndpointRequest,
)
from tests.support.clinics import clinic
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import (
    ANNE,
    adt,
    ipp,
)

__all__ = ["clinic", "hl7"]


async def talk(hl7: HL7, messages: list[bytes], endpoint: str = "") -> list[IngestMessagesResponse]:
    """Send messages over one stream, all at once; the answers in the order of sending."""

    async def requests() -> AsyncIterator[IngestMessagesRequest]:
        for sequence, raw in enumerate(messages):
            yield IngestMessagesRequest(
                endpoint=endpoint or hl7.endpoint, message=raw, sequence=sequence
            )

    answers = [answer async for answer in hl7.servicer.IngestMessages(requests())]
    return sorted(answers, key=lambda answer: answer.sequence)


@pytest.mark.parametrize("point", ["ACK_POINT_STORED", "ACK_POINT_PROCESSED"])
async def test_a_stream_answers_every_message(hl7: HL7, point: str) -> None:
    """Groups form by themselves; repetitions within one find each other."""
    await hl7.open(point, "stream")
    people = [replace(ANNE, identifiers=(ipp(str(n)),)) for n in range(150)]
    sent = [adt("A28", one, control_id=str(n)).encode() for n, one in enumerate(people)]

    answers = await talk(hl7, [*sent, sent[0], b"nonsense"])

    assert [one.ack_code for one in answers] == ["AA"] * 151 + ["AR"]
    assert answers[150].ack == answers[0].ack
    assert answers[150].message == answers[0].message
    await hl7.emptied()
    assert len(hl7.clinic.database.rows("SELECT * FROM patient")) == 150


async def test_nothing_is_promised_while_the_database_is_away(
    hl7: HL7, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stream and call end without an acknowledgement; sending again succeeds."""

    async def away(*_: object, **__: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr("clinical.storage.hl7_messages.Hl7Messages.store", away)
        with pytest.raises(Unavailable):
            await talk(hl7, [adt("A28").encode()])
        with pytest.raises(Unavailable):
            await hl7.send(adt("A28"))

    assert (await hl7.send(adt("A28"))).ack_code == "AA"


async def test_an_endpoint_belongs_to_one_account(hl7: HL7) -> None:
    """It takes messages of the account that it names alone; a missing one is not found."""
    account = new_id()
    made = await hl7.servicer.CreateEndpoint(
        CreateEndpointRequest(
            hl7_endpoint=Hl7Endpoint(
                label="own", service_account=name_of("serviceAccounts", account)
            )
        )
    )
    call = identity.call()
    hl7.endpoint = made.name
    call.caller = replace(call.caller, kind=Kind.SERVICE, subject=account)
    assert (await hl7.send(adt("A28"))).ack_code == "AA"
    call.caller = replace(call.caller, subject=new_id())
    with pytest.raises(EndpointNotYours):
        await hl7.send(adt("A28"))
    with pytest.raises(EndpointNotYours):
        await talk(hl7, [adt("A28").encode()])
    call.caller = replace(call.caller, kind=Kind.USER)
    with pytest.raises(EndpointNotYours):
        await hl7.send(adt("A28"))
    hl7.endpoint = name_of("hl7Endpoints", new_id())
    with pytest.raises(NotFound):
        await hl7.send(adt("A28"))


async def test_endpoints_are_changed_with_care(hl7: HL7) -> None:
    """Labels are unique, zones are known, etags are checked."""
    with pytest.raises(EndpointExists):
        await hl7.open(label="GAM")
    with pytest.raises(InvalidField):
        await hl7.open(label="")
    for wrong in (
        Hl7Endpoint(name=hl7.endpoint, time_zone="Mars/Olympus"),
        Hl7Endpoint(name=hl7.endpoint, charset_fallback="KLINGON"),
    ):
        with pytest.raises(InvalidField):
            await hl7.servicer.UpdateEndpoint(UpdateEndpointRequest(hl7_endpoint=wrong))
    change = Hl7Endpoint(name=hl7.endpoint, etag="1", time_zone="Indian/Reunion")
    after = await hl7.servicer.UpdateEndpoint(UpdateEndpointRequest(hl7_endpoint=change))
    assert (after.label, after.time_zone, after.etag) == ("GAM", "Indian/Reunion", "2")
    with pytest.raises(EtagMismatch):
        await hl7.servicer.UpdateEndpoint(UpdateEndpointRequest(hl7_endpoint=change))
    listed = await hl7.servicer.ListEndpoints(ListEndpointsRequest())
    assert list(listed.hl7_endpoints) == [after]


async def require(hl7: HL7, *rules: str) -> Hl7Endpoint:
    """Have the endpoint reject what breaks these rules, and no others."""
    return await hl7.servicer.UpdateEndpoint(
        UpdateEndpointRequest(
            hl7_endpoint=Hl7Endpoint(name=hl7.endpoint, rejected_rules=rules),
            update_mask=FieldMask(paths=["rejected_rules"]),
        )
    )


async def test_an_endpoint_rejects_what_breaks_its_rules(
    hl7: HL7, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rule of the envelope, one of the content; elsewhere both are findings, as they were."""
    monkeypatch.setattr("clinical.servicers.hl7_desk.TERMS_SECONDS", -1.0)
    strange = adt("A28", replace(ANNE, sex="2"))
    asked = Hl7Endpoint(label="strict", rejected_rules=["msh12.required", "pid8.table"])
    made = await hl7.servicer.CreateEndpoint(CreateEndpointRequest(hl7_endpoint=asked))
    assert (await hl7.send(strange)).ack_code == "AA"
    hl7.endpoint = made.name

    refused = await hl7.send(strange)
    at_once = await hl7.send(adt("A28", control_id="2").replace("2.5^FRA^2.11", ""))
    listed = await hl7.servicer.ListEndpoints(ListEndpointsRequest())
    lenient = await require(hl7)
    taken = await hl7.send(adt("A28", replace(ANNE, sex="2"), control_id="3"))

    assert list(made.rejected_rules) == ["msh12.required", "pid8.table"]
    assert list(listed.hl7_endpoints)[1] == made
    assert not lenient.rejected_rules
    assert [one.ack_code for one in (refused, at_once, taken)] == ["AE", "AE", "AA"]
    assert b"pid8.table" in refused.ack
    assert b"msh12.required" in at_once.ack
    kept = await hl7.kept(refused.message)
    assert [(one.rule, one.severity) for one in kept.findings] == [("pid8.table", "E")]


@pytest.mark.parametrize("processing", ["T", "D"])
async def test_a_site_may_refuse_what_is_not_production(
    hl7: HL7, monkeypatch: pytest.MonkeyPatch, processing: str
) -> None:
    """AR with 202, by one call; before it there is a finding, and the record is written."""
    monkeypatch.setattr("clinical.servicers.hl7_desk.TERMS_SECONDS", -1.0)
    taken = await hl7.send(adt("A28").replace("|P|2.5", f"|{processing}|2.5"))
    await require(hl7, "msh11.production")

    refused = await hl7.send(adt("A28", control_id="2").replace("|P|2.5", f"|{processing}|2.5"))

    assert [one.ack_code for one in (taken, refused)] == ["AA", "AR"]
    assert b"ERR||MSH^1^11|202^Unsupported processing id^HL70357|E|msh11.production" in refused.ack
    kept = await hl7.kept(taken.message)
    [found] = kept.findings
    assert (found.rule, found.severity, found.code) == ("msh11.production", "W", "202")
    assert (await hl7.send(adt("A28", control_id="3"))).ack_code == "AA"


async def test_what_waits_is_held_to_the_rules_of_its_turn(
    hl7: HL7, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that arrived before its endpoint became strict is refused for what is wrong."""
    monkeypatch.setattr("clinical.servicers.hl7_desk.TERMS_SECONDS", -1.0)
    await hl7.open("ACK_POINT_STORED", "waiting")
    promised = await hl7.send(adt("A28").replace("2.5^FRA^2.11", ""))
    await require(hl7, "msh12.required")

    await hl7.emptied()

    kept = await hl7.kept(promised.message)
    assert (kept.state, kept.ack_code) == (HL7_MESSAGE_STATE_REJECTED, "AA")
    assert [(one.rule, one.severity) for one in kept.findings] == [
        ("msh12.required", "W"),
        ("msh12.required", "E"),
    ]


@pytest.mark.parametrize("rule", ["pid8.tabel", "pid3.required", "patient.birth-date"])
async def test_a_rule_that_cannot_be_set_is_refused(hl7: HL7, rule: str) -> None:
    """A typing error, a check that rejects everywhere, and what is no check of a message."""
    wrong = Hl7Endpoint(label="wrong", rejected_rules=["pid8.table", rule])

    for refused in (
        hl7.servicer.CreateEndpoint(CreateEndpointRequest(hl7_endpoint=wrong)),
        require(hl7, rule),
    ):
        with pytest.raises(InvalidField) as raised:
            await refused
        assert [one.field for one in raised.value.violations] == ["hl7_endpoint.rejected_rules"]


async def test_a_server_goes_on_under_a_rule_that_it_does_not_know(
    hl7: HL7, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While servers are upgraded, a newer one may have set it."""
    known = frozenset({"pid99.new", "pid8.table"})
    monkeypatch.setattr("clinical.servicers.hl7_messages.RAISABLE", known)
    await require(hl7, *known)

    assert (await hl7.send(adt("A28"))).ack_code == "AA"
    assert (await hl7.send(adt("A28", replace(ANNE, sex="2"), control_id="2"))).ack_code == "AE"


async def test_endpoints_of_before_have_no_rules(hl7: HL7) -> None:
    """An upgrade adds the column to the table, and what sets it is recorded."""
    database = hl7.clinic.database
    assert database.urls.owner is not None
    database.rows("ALTER TABLE hl7_endpoint DROP COLUMN rejected_rules")
    database.rows("UPDATE medhub.alembic_version SET version_num = '0006'")

    migrate("clinical", database.urls.owner)

    assert (await hl7.send(adt("A28", replace(ANNE, sex="2")))).ack_code == "AA"
    assert list((await require(hl7, "pid8.table")).rejected_rules) == ["pid8.table"]
    [change] = database.rows(
        "SELECT after -> 'rejected_rules' AS set FROM medhub.audit_outbox"
        " WHERE entity = 'hl7_endpoint' ORDER BY seq DESC LIMIT 1"
    )
    assert change["set"] == ["pid8.table"]


async def test_messages_are_listed_by_state_and_control_id(hl7: HL7) -> None:
    """Newest first, without bytes."""
    await hl7.send(adt("A28", control_id="good"))
    await hl7.send(b"nonsense")

    bad = await hl7.servicer.ListMessages(ListMessagesRequest(state="HL7_MESSAGE_STATE_REJECTED"))
    good = await hl7.servicer.ListMessages(
        ListMessagesRequest(control_id="good", endpoint=hl7.endpoint)
    )
    every = await hl7.servicer.ListMessages(ListMessagesRequest(page_size=1))

    assert [one.ack_code for one in bad.hl7_messages] == ["AR"]
    assert [one.message_type for one in good.hl7_messages] == ["ADT^A28"]
    assert good.hl7_messages[0].raw == b""
    assert every.next_page_token
