"""The MLLP gateway, under bytes that no sender should send, while others go on.

Frames are split and joined anywhere, with anything between them; messages are changed at each of
their levels. Whatever comes: answers that can be read, and each right message stored once.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clinical.formats.hl7v2.framing import Deframer, Frame
from clinical.formats.hl7v2.header import text_of
from clinical.gateway.server import Gateway
from clinical.server import build
from core.ids import new_id
from medhub.clinical.v1 import hl7_v2_service_pb2_grpc
from medhub.clinical.v1.hl7_pb2 import Hl7Endpoint
from medhub.clinical.v1.hl7_v2_service_pb2 import CreateEndpointRequest
from tests.support.campaign import SEED, rounds, told
from tests.support.ears import Ears, listening
from tests.support.fuzz_mllp import Sending, beacon, sending
from tests.support.mllp import codes, connected, control_ids, gateway
from tests.support.postgres import ServiceDatabase
from tests.support.servers import bearer, serving

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]
SECONDS, WHOLE_SECONDS = 30.0, 300.0
AT_ONCE = 6
# However loaded the machine: an answer comes within this time, or it does not come.
ANSWER_SECONDS = 60.0
QUIET_SECONDS = 60.0
CODES = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Listening from before the server starts."""
    with listening() as heard:
        yield heard


@dataclass
class Ward:
    """A gateway before a real clinical server, and what was acknowledged to its senders."""

    gateway: Gateway
    database: ServiceDatabase
    # What was said of the messages of each control id.
    heard: dict[str, list[str]] = field(default_factory=dict)

    async def send(self, what: Sending) -> list[str]:
        """Send the pieces, hang up for sending, and hear everything; tells the faults."""
        host, port = self.gateway.addresses[0]
        reader, writer = await asyncio.open_connection(host, port)
        heard = asyncio.ensure_future(reader.read())
        try:
            with suppress(ConnectionError):
                for piece in what.pieces:
                    writer.write(piece)
                    await writer.drain()
                writer.write_eof()
            async with asyncio.timeout(ANSWER_SECONDS):
                content = await heard
        except TimeoutError:
            return ["no end of the answers"]
        finally:
            heard.cancel()
            writer.close()
        return self._judged(what, content)

    def _judged(self, what: Sending, content: bytes) -> list[str]:
        events = Deframer().feed(content)
        answers = [one.payload for one in events if isinstance(one, Frame)]
        if len(answers) != len(events) or not all(map(_can_be_read, answers)):
            unread = [one for one in answers if not _can_be_read(one)]
            return [f"what cannot be read: {unread or content[:500]!r}"]
        told = [_told(answer) for answer in answers]
        for control, code in told:
            self.heard.setdefault(control, []).append(code)
        return [
            f"{one} was told {[code for control, code in told if control == one]}"
            for one in what.beacons
            if [code for control, code in told if control == one] != ["AA"]
        ]

    async def neighbour(self, stop: asyncio.Event) -> int:
        """A sender who does everything right, one message after the other."""
        served = 0
        async with connected(self.gateway) as sender:
            while not stop.is_set():
                control = f"N{served}"
                sender.put(beacon(control))
                [answer] = await sender.answers(1, ANSWER_SECONDS)
                assert (codes([answer]), control_ids([answer])) == (["AA"], [control])
                self.heard[control] = ["AA"]
                served += 1
                await asyncio.sleep(0.05)
        return served


def _told(answer: bytes) -> tuple[str, str]:
    """Of which message an acknowledgement speaks, and what it says of it, in its own delimiters."""
    separator = answer[3:4]
    line = answer.partition(b"\rMSA" + separator)[2].partition(b"\r")[0]
    code, _, rest = line.partition(separator)
    return text_of(rest.partition(separator)[0]), code.decode(errors="replace")


def _can_be_read(answer: bytes) -> bool:
    """An acknowledgement that says of which message it is, and what became of it."""
    return answer.startswith(b"MSH") and len(answer) > 3 and _told(answer)[1] in CODES


@pytest.fixture
async def ward(
    ears: Ears, database: Callable[[str], ServiceDatabase], tmp_path: Path
) -> AsyncIterator[Ward]:
    """Its organization's one endpoint answers when a message is processed."""
    made, organization = database("clinical"), new_id()
    async with serving("clinical", build, made, tmp_path) as served:
        opener = served.authority.token("clinical.hl7_endpoints.create", organization=organization)
        stub: Any = hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(served.channel)
        asked = Hl7Endpoint(label="GAM", ack_point="ACK_POINT_PROCESSED")
        request = CreateEndpointRequest(hl7_endpoint=asked)
        endpoint = await stub.CreateEndpoint(request, metadata=bearer(opener))
        limits = {"answer_seconds": ANSWER_SECONDS}
        async with gateway(served, organization, endpoint.name, **limits) as opened:
            yield Ward(opened, made)


async def test_whatever_is_sent_right_messages_are_stored_once(ward: Ward, ears: Ears) -> None:
    """Answers can be read, right messages are accepted, neighbours are served, nothing breaks."""
    stop, sent = asyncio.Event(), 0
    neighbour = asyncio.create_task(ward.neighbour(stop))

    for number in rounds(SECONDS, WHOLE_SECONDS):
        names = [f"S{number}-{n}" for n in range(AT_ONCE)]
        sendings = [sending(random.Random(f"{SEED}/{name}"), name) for name in names]
        found = await asyncio.gather(*map(ward.send, sendings))
        sent += len(sendings)
        for name, what, faults in zip(names, sendings, found, strict=True):
            assert faults == [], f"seed {SEED}, {name}: {what.told} {what.pieces!r:.3000}"
        assert ears.errors == [], f"seed {SEED}: {[what.told for what in sendings]}"
        assert not neighbour.done(), f"seed {SEED}: {neighbour}"

    stop.set()
    served = await neighbour
    told(f"{sent} senders and {served} messages of a neighbour")
    assert await _stored(ward) == {}, f"seed {SEED}"


async def _stored(ward: Ward) -> dict[str, list[str]]:
    """What was accepted and does not stand exactly once among the messages, and how it stands.

    A change may have made a control id that another message has: only those answered once, and
    of our making, say of which message they are.
    """
    async with asyncio.timeout(QUIET_SECONDS):
        while ward.database.rows("SELECT 1 FROM hl7_work LIMIT 1"):  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.1)
    kept: dict[str, list[str]] = {}
    for row in ward.database.rows("SELECT control_id, state FROM hl7_message"):
        kept.setdefault(row["control_id"], []).append(row["state"])
    wrong = {}
    for one, said in ward.heard.items():
        states = kept.get(one, [])
        if (
            one.startswith(("S", "N"))
            and said in (["AA"], ["CA"])
            and (len(states) != 1 or not _fits(said[0], states[0]))
        ):
            wrong[one] = [*said, *states]
    return wrong


def _fits(said: str, state: str) -> bool:
    """CA says that a message is kept; AA that it is worked into the record besides."""
    return state == "PROCESSED" or said == "CA"
