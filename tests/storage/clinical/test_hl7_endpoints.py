"""Streams of messages, and the endpoints that they come to."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from clinical.domain.endpoints import EndpointExists, EndpointNotYours
from core import identity
from core.errors import EtagMismatch, InvalidField, NotFound, Unavailable
from core.identity import Kind
from core.ids import name_of, new_id
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint
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
