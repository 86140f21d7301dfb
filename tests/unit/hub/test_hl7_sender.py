"""The MLLP sender against real sockets that answer well, badly, out of order or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hub.hl7_files import control_id
from hub.hl7_sender import Outcome, Sender

MESSAGES = [
    f"MSH|^~\\&|GAM|NICE|MEDHUB|NICE|20260101||ADT^A01|C{number}|P|2.5\r".encode()
    for number in range(50)
]


@dataclass
class Endpoint:
    """An MLLP endpoint. `answer` makes the acknowledgements of one message; None hangs up."""

    answer: Callable[[bytes, int], list[bytes] | None]
    received: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                frame = await reader.readuntil(b"\x1c\r")
                self.received.append(control_id(frame[1:-2]))
                acks = self.answer(self.received[-1], len(self.received))
                if acks is None:
                    return
                writer.writelines(b"\x0b" + ack + b"\x1c\r" for ack in acks)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[Endpoint]:
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", endpoint.port)
    endpoint.port = server.sockets[0].getsockname()[1]
    async with server:
        yield endpoint


def ack(identifier: bytes, code: bytes = b"AA") -> bytes:
    return b"MSH|^~\\&|MEDHUB|NICE|GAM|NICE|20260101||ACK|9|P|2.5\rMSA|" + code + b"|" + identifier


async def sent(endpoint: Endpoint, *, patience: float = 5.0, window: int = 8) -> Outcome:
    sender = Sender("127.0.0.1", endpoint.port, window=window, patience=patience)
    return await sender.send(MESSAGES)


async def test_each_message_is_sent_once_and_counted() -> None:
    """When all goes well each message is accepted, in order."""
    async with listening(Endpoint(lambda identifier, _: [ack(identifier)])) as endpoint:
        outcome = await sent(endpoint)

    assert outcome == Outcome(accepted=50)
    assert endpoint.received == [control_id(message) for message in MESSAGES]


async def test_a_refused_message_is_counted_and_not_sent_again() -> None:
    """A NAK is an answer: the outcome is no success, and names the message and the code."""

    def answer(identifier: bytes, _: int) -> list[bytes]:
        return [ack(identifier, b"AR" if identifier == b"C7" else b"AA")]

    async with listening(Endpoint(answer)) as endpoint:
        outcome = await sent(endpoint)

    assert outcome == Outcome(accepted=49, refused=[(b"C7", "AR")])
    assert not outcome.is_success
    assert len(endpoint.received) == 50


async def test_unanswered_messages_are_sent_again_after_the_connection_breaks() -> None:
    """The same control ids arrive again, and each message is accepted once."""

    def answer(identifier: bytes, count: int) -> list[bytes] | None:
        return None if count == 20 else [ack(identifier)]

    async with listening(Endpoint(answer)) as endpoint:
        outcome = await sent(endpoint)

    assert outcome == Outcome(accepted=50, reconnects=1)
    assert endpoint.received.count(b"C19") == 2
    assert set(endpoint.received) == {control_id(message) for message in MESSAGES}


async def test_answers_out_of_order_find_their_messages() -> None:
    """MSA-2 decides which message was answered, not the order."""
    held: list[bytes] = []

    def answer(identifier: bytes, _: int) -> list[bytes]:
        held.append(identifier)
        if len(held) < 5:
            return []
        answers = [ack(each) for each in reversed(held)]
        held.clear()
        return answers

    async with listening(Endpoint(answer)) as endpoint:
        outcome = await sent(endpoint)

    assert outcome == Outcome(accepted=50)


async def test_a_silent_endpoint_is_given_up_after_the_patience() -> None:
    """Nobody waits for ever, and what was not answered is not called sent."""
    async with listening(Endpoint(lambda *_: [])) as endpoint:
        outcome = await sent(endpoint, patience=1.0)

    assert outcome.accepted == 0
    assert outcome.unanswered == 50
    assert not outcome.is_success


async def test_no_more_than_the_window_is_in_flight() -> None:
    """An endpoint that does not answer gets a window full, not the file."""
    async with listening(Endpoint(lambda *_: [])) as endpoint:
        await sent(endpoint, patience=1.0, window=4)

    assert len(endpoint.received) == 4


async def test_an_answer_to_nothing_is_not_taken_for_success() -> None:
    """An acknowledgement with a foreign control id accepts nothing."""
    async with listening(Endpoint(lambda *_: [ack(b"OTHER")])) as endpoint:
        outcome = await sent(endpoint, patience=1.0, window=4)

    assert outcome.accepted == 0
    assert outcome.unmatched == 4


def _port_of_nobody() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


async def test_an_address_where_nobody_listens_is_given_up_soon_and_named() -> None:
    """Not after the whole patience, which is for receivers that have been there."""
    sender = Sender("127.0.0.1", _port_of_nobody(), window=8, patience=3600.0)

    async with asyncio.timeout(60):
        outcome = await sender.send(MESSAGES)

    assert outcome == Outcome(unanswered=50, unconnected="connection refused: nobody listens there")
    assert not outcome.is_success


async def test_a_receiver_that_starts_a_moment_later_is_found() -> None:
    """One refused connection is not the end."""
    endpoint = Endpoint(lambda identifier, _: [ack(identifier)], port=_port_of_nobody())
    sending = asyncio.create_task(sent(endpoint))
    await asyncio.sleep(0.1)

    async with listening(endpoint):
        outcome = await sending

    assert outcome == Outcome(accepted=50)
