"""The MLLP gateway before a real clinical server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from clinical.formats.hl7v2.framing import DEFAULT_LIMIT, frame
from clinical.gateway.connection import SETTLE_SECONDS
from medhub.clinical.v1 import hl7_v2_service_pb2 as wire
from tests.support.hl7_messages import adt
from tests.support.mllp import codes, connected, control_ids, gateway


def admission(number: int) -> bytes:
    """A message about one and the same patient."""
    return adt("A28", control_id=f"C{number}").encode()


async def test_answers_come_in_the_order_of_the_messages(house: Any) -> None:
    """A pipelined sender gets one answer for each message, in order."""
    endpoint = await house.endpoint("ACK_POINT_STORED")
    async with (
        gateway(house.served, house.organization, endpoint) as opened,
        connected(opened) as sender,
    ):
        sender.put(*(admission(n) for n in range(100)), b"nonsense")

        answers = await sender.answers(101)

    assert control_ids(answers[:100]) == [f"C{n}" for n in range(100)]
    assert codes(answers) == ["AA"] * 100 + ["AR"]


async def test_a_processed_message_is_in_the_record_when_it_is_answered(house: Any) -> None:
    """At PROCESSED the facts are there with the answer."""
    async with (
        gateway(house.served, house.organization, await house.endpoint()) as opened,
        connected(opened) as sender,
    ):
        sender.put(admission(1))

        assert codes(await sender.answers(1)) == ["AA"]
        assert len(house.database.rows("SELECT * FROM patient")) == 1


async def test_half_a_message_then_silence_is_refused_and_closed(house: Any) -> None:
    """The sender reads AR; the fragment is kept as refused and never read as a message."""
    opened_with = {"frame_seconds": 0.6}
    endpoint = await house.endpoint()
    async with gateway(house.served, house.organization, endpoint, **opened_with) as opened:
        async with connected(opened) as sender:
            sender.writer.write(frame(admission(1))[:300])

            assert codes(await sender.answers(1)) == ["AR"]
            assert await sender.is_closed()
        await asyncio.sleep(0.3)

    [kept] = house.database.rows("SELECT * FROM hl7_message")
    assert kept["state"] == "REJECTED"
    assert house.database.rows("SELECT * FROM patient") == []


async def test_what_is_not_mllp_is_closed(house: Any) -> None:
    """Somebody who speaks HTTP is not kept waiting."""
    async with (
        gateway(house.served, house.organization, await house.endpoint()) as opened,
        connected(opened) as sender,
    ):
        sender.writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")

        assert await sender.is_closed()


async def test_one_host_does_not_shut_the_others_out(house: Any) -> None:
    """Beyond its share a host is turned away; who is connected goes on."""
    endpoint = await house.endpoint()
    limits = {"max_connections_per_host": 1}
    async with (
        gateway(house.served, house.organization, endpoint, **limits) as opened,
        connected(opened) as sender,
        connected(opened) as other,
    ):
        assert await other.is_closed()
        sender.put(admission(1))

        assert codes(await sender.answers(1)) == ["AA"]


async def test_a_message_too_large_is_refused_and_the_next_one_taken(house: Any) -> None:
    """The refusal names the message; the connection goes on."""
    endpoint = await house.endpoint()
    limits = {"max_frame_bytes": 2000}
    large = admission(1) + b"NTE|" + b"x" * 3000
    async with (
        gateway(house.served, house.organization, endpoint, **limits) as opened,
        connected(opened) as sender,
    ):
        sender.put(large)
        answers = await sender.answers(1)
        # Silence after it is no reason to hang up.
        await asyncio.sleep(2 * SETTLE_SECONDS)
        sender.put(admission(2))
        answers += await sender.answers(1)

    assert codes(answers) == ["AR", "AA"]
    assert control_ids(answers) == ["C1", "C2"]
    assert b"|207^Application error^HL70357|E|message.size^^medhub|" in answers[0]
    assert b"At most 2000 bytes are taken." in answers[0]


async def test_a_message_too_large_is_refused_in_enhanced_mode_too(house: Any) -> None:
    """Whoever asks for an accept acknowledgement reads CR."""
    endpoint = await house.endpoint()
    limits = {"max_frame_bytes": 2000}
    large = adt("A28", accept="AL", application="AL").encode() + b"NTE|" + b"x" * 3000
    async with (
        gateway(house.served, house.organization, endpoint, **limits) as opened,
        connected(opened) as sender,
    ):
        sender.put(large)

        assert codes(await sender.answers(1)) == ["CR"]


async def test_an_empty_or_too_large_message_does_not_end_the_stream(house: Any) -> None:
    """Each is answered for itself and kept; its neighbours are in the record."""
    endpoint = await house.endpoint()
    large = admission(3) + bytes([0x20]) * DEFAULT_LIMIT
    sent = [admission(1), b"", large, admission(2)]

    async def requests() -> AsyncIterator[wire.IngestMessagesRequest]:
        for number, message in enumerate(sent):
            yield wire.IngestMessagesRequest(endpoint=endpoint, message=message, sequence=number)

    call = house.hl7.IngestMessages(requests(), metadata=house.metadata)
    answers = {answer.sequence: answer async for answer in call}

    assert [answers[n].ack_code for n in range(4)] == ["AA", "AR", "AR", "AA"]
    assert f"At most {DEFAULT_LIMIT} bytes are taken.".encode() in answers[2].ack
    assert len(house.database.rows("SELECT * FROM hl7_message")) == 4


async def test_a_last_cr_that_never_comes_is_not_waited_for(house: Any) -> None:
    """Some senders leave it out and wait for their answer."""
    async with (
        gateway(house.served, house.organization, await house.endpoint()) as opened,
        connected(opened) as sender,
    ):
        sender.writer.write(frame(admission(1))[:-1])

        assert codes(await sender.answers(1)) == ["AA"]


async def test_nothing_is_acknowledged_without_the_services_word(house: Any) -> None:
    """Where no endpoint is, the sender's patience ends with a closed connection."""
    missing = "hl7Endpoints/00000000-0000-7000-8000-000000000000"
    settings = {"answer_seconds": 0.5}
    async with (
        gateway(house.served, house.organization, missing, **settings) as opened,
        connected(opened) as sender,
    ):
        sender.put(admission(1))

        assert await sender.is_closed()

    assert house.database.rows("SELECT * FROM hl7_message") == []


async def test_too_many_senders_are_turned_away(house: Any) -> None:
    """Connections are bounded; a place that is free again is taken again."""
    endpoint = await house.endpoint()
    async with gateway(house.served, house.organization, endpoint, max_connections=1) as opened:
        async with connected(opened) as first:
            first.put(admission(1))
            await first.answers(1)
            async with connected(opened) as second:
                assert await second.is_closed()
        await asyncio.sleep(0.2)
        async with connected(opened) as third:
            third.put(admission(3))
            assert codes(await third.answers(1)) == ["AA"]


async def test_a_stop_waits_for_what_is_under_way(house: Any) -> None:
    """Messages that were taken are answered before the gateway goes."""
    endpoint = await house.endpoint("ACK_POINT_STORED")
    async with (
        gateway(house.served, house.organization, endpoint) as opened,
        connected(opened) as sender,
    ):
        sender.put(*(admission(n) for n in range(50)))
        first = await sender.answers(1)
        stopping = asyncio.create_task(opened.stop())
        rest = await sender.answers(50 - len(first))
        assert await sender.is_closed()
        await stopping

    assert codes(first + rest) == ["AA"] * 50


@pytest.mark.parametrize("point", ["ACK_POINT_STORED", "ACK_POINT_PROCESSED"])
async def test_a_database_that_goes_away_and_comes_back_loses_nothing(
    house: Any, point: str
) -> None:
    """Connections are cut in the middle; every message is answered once, and is there once."""
    endpoint = await house.endpoint(point)
    cut = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = '{house.database.name}' AND usename = 'medhub_clinical_app'"""
    async with (
        gateway(house.served, house.organization, endpoint) as opened,
        connected(opened) as sender,
    ):
        sent = [
            adt("A28", control_id=f"C{n}").replace("100001", f"P{n}").encode() for n in range(120)
        ]
        answers = []
        for step in range(4):
            sender.put(*sent[step * 30 : step * 30 + 30])
            house.database.rows(cut)
            answers += await sender.answers(30)

    assert codes(answers) == ["AA"] * 120
    assert control_ids(answers) == [f"C{n}" for n in range(120)]
    assert len(house.database.rows("SELECT * FROM hl7_message")) == 120


async def test_an_empty_frame_is_no_message(house: Any) -> None:
    """Senders keep connections open with it; whoever follows is answered."""
    async with (
        gateway(house.served, house.organization, await house.endpoint()) as opened,
        connected(opened) as sender,
    ):
        sender.put(b"", admission(1), b"", admission(2))

        answers = await sender.answers(2)

    assert control_ids(answers) == ["C1", "C2"]
    assert opened.counts.messages == 2


async def test_a_message_without_its_frame_is_refused_and_closed(house: Any) -> None:
    """Whoever forgot the frame reads so before the end, and the bytes are kept as refused."""
    async with gateway(house.served, house.organization, await house.endpoint()) as opened:
        async with connected(opened) as sender:
            sender.writer.write(admission(1))

            assert codes(await sender.answers(1)) == ["AR"]
            assert await sender.is_closed()
        await asyncio.sleep(0.3)

    [kept] = house.database.rows("SELECT * FROM hl7_message")
    assert kept["state"] == "REJECTED"
    assert house.database.rows("SELECT * FROM patient") == []
