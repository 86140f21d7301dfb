"""The gateway before a service that ends the stream over a message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from clinical.formats.hl7v2.ack import Issue, Verdict, application_ack
from clinical.formats.hl7v2.header import Header
from clinical.gateway import uplink
from clinical.gateway.server import EndpointName, Gateway
from clinical.gateway.settings import EndpointSettings, GatewaySettings
from clinical.gateway.uplink import MOST_ALONE, Uplink
from core import clock
from core.ids import new_id
from core.rpc.endings import TrueEndings
from core.rpc.lasting import Lasting
from medhub.clinical.v1 import hl7_v2_service_pb2 as wire
from tests.support.hl7_messages import adt
from tests.support.mllp import AWAY, NOWHERE, codes, connected, control_ids
from tests.support.processes import eventually

BAD = b"BAD"
ENDPOINT = f"hl7Endpoints/{new_id()}"


@dataclass
class _Clinical(grpc.GenericRpcHandler):
    """Acknowledges messages, and ends the stream over those that say so, or for a time over all."""

    code: grpc.StatusCode = grpc.StatusCode.INTERNAL
    away: int = 0
    away_as: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    taken: list[bytes] = field(default_factory=list)
    bad: int = 0
    streams: int = 0
    ended_well: int = 0

    def service(self, details: Any) -> Any:
        return grpc.stream_stream_rpc_method_handler(
            self._ingest,
            request_deserializer=wire.IngestMessagesRequest.FromString,
            response_serializer=wire.IngestMessagesResponse.SerializeToString,
        )

    async def _ingest(
        self, requests: AsyncIterator[wire.IngestMessagesRequest], context: Any
    ) -> AsyncIterator[wire.IngestMessagesResponse]:
        self.streams += 1
        async for request in requests:
            if self.away:
                self.away -= 1
                await context.abort(self.away_as, "", (("told", "so"),))
            if BAD in request.message:
                self.bad += 1
                await context.abort(self.code, "", _details(self.code))
            if request.message not in self.taken:
                self.taken.append(request.message)
            issue = Issue(new_id().hex[-20:], clock.now())
            header = Header.of(request.message)
            yield wire.IngestMessagesResponse(
                sequence=request.sequence,
                message=f"hl7Messages/{new_id()}",
                ack=application_ack(header, Verdict.ACCEPTED, (), issue) or b"",
            )
        self.ended_well += 1


@asynccontextmanager
async def _channel(clinical: _Clinical) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((clinical,))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with grpc.aio.insecure_channel(target, interceptors=(TrueEndings(),)) as channel:
        yield channel
    await server.stop(0)


@asynccontextmanager
async def _gateway(clinical: _Clinical) -> AsyncIterator[Gateway]:
    listener = EndpointSettings(listen="127.0.0.1:0", service_key_path=NOWHERE, endpoint=ENDPOINT)
    made = Gateway(GatewaySettings(auth_target=AWAY, clinical_target=AWAY, endpoints=(listener,)))
    async with _channel(clinical) as channel:
        await made.serve(listener, channel)
        yield made
        await made.stop()


async def test_a_channel_that_is_closed_under_the_stream_loses_no_message() -> None:
    """As when the certificate is another: over the next channel the stream begins anew."""
    clinical, channels = _Clinical(), []
    async with _channel(clinical) as first, _channel(clinical) as second:
        channels.append(first)
        made = Uplink(cast("grpc.aio.Channel", Lasting(lambda: channels[-1])), lambda: ENDPOINT)
        made.start()
        await made.send(_message(1))

        channels.append(second)
        await first.close()
        async with asyncio.timeout(60):
            answer = await made.send(_message(2))
        await made.stop()

    assert answer.message
    assert clinical.taken == [_message(1), _message(2)]


def _details(code: grpc.StatusCode) -> tuple[tuple[str, bytes], ...]:
    """What a server of ours sends with a fault; gRPC's own refusals for size have nothing."""
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return ()
    status = status_pb2.Status(code=code.value[0])
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="FAULT", domain="medhub"))
    return (("grpc-status-details-bin", status.SerializeToString()),)


def _message(number: int) -> bytes:
    return adt("A28", control_id=f"C{number}").encode()


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ],
)
async def test_a_message_that_ends_the_stream_holds_up_no_other(code: grpc.StatusCode) -> None:
    """Its sender reads AR, its beginning is kept; its neighbours, of this sender and of others,
    are taken in their order.
    """
    clinical = _Clinical(code)
    sent = [_message(n) for n in range(20)]
    sent[7] += BAD
    async with _gateway(clinical) as opened, connected(opened) as one, connected(opened) as other:
        one.put(*sent)
        other.put(_message(20))
        answers = await one.answers(20)
        assert codes(await other.answers(1)) == ["AA"]

    assert codes(answers) == ["AA"] * 7 + ["AR"] + ["AA"] * 12
    assert control_ids(answers) == [f"C{n}" for n in range(20)]
    assert b"message.given-up" in answers[7]
    assert [one for one in clinical.taken if one in sent] == sent[:7] + sent[8:]


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
async def test_a_service_that_is_away_is_no_fault_of_a_message(code: grpc.StatusCode) -> None:
    """However often the stream ends so, without a reason, the message waits and is taken."""
    clinical = _Clinical(away=MOST_ALONE + 2, away_as=code)
    async with _gateway(clinical) as opened, connected(opened) as sender:
        sender.put(_message(1))

        assert codes(await sender.answers(1)) == ["AA"]


async def test_bytes_that_nobody_waits_for_are_given_up_too() -> None:
    """They are offered a few times, not for ever."""
    clinical = _Clinical()
    async with _channel(clinical) as channel:
        uplink = Uplink(channel, lambda: ENDPOINT)
        uplink.start()
        uplink.keep(BAD)
        answer = await asyncio.wait_for(uplink.send(_message(1)), 60)
        await eventually(lambda: uplink.waiting == 0)
        await uplink.stop()

    assert answer.message
    assert MOST_ALONE <= clinical.bad <= MOST_ALONE + 1


@pytest.mark.parametrize("held", [b"", b"\xff\xfe", b"elsewhere/1"])
def test_a_file_that_names_no_endpoint_yet_feeds_none(tmp_path: Path, held: bytes) -> None:
    """Nothing is sent in a name that the service would refuse for every message."""
    path = tmp_path / "endpoint"
    name = EndpointName("", path)
    before = name()
    path.write_bytes(held)
    between = name()
    path.write_text(f"{ENDPOINT}\n")

    assert (before, between, name()) == ("", "", ENDPOINT)


async def test_a_stream_is_renewed_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by itself before its token does; the next one takes what comes meanwhile."""
    monkeypatch.setattr(uplink, "STREAM_LIFE", 0.1)
    clinical = _Clinical()
    async with _gateway(clinical) as opened, connected(opened) as sender:
        for number in range(12):
            sender.put(_message(number))
            await asyncio.sleep(0.05)
        answers = await sender.answers(12)

    assert codes(answers) == ["AA"] * 12
    assert clinical.streams > 1
    assert clinical.ended_well >= clinical.streams - 1
