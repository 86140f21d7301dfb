"""The edge's log: what it tells is true, and nothing in it is a client's own text."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from edge import limits
from medhub.clinical.v1 import patient_pb2
from tests.support.edges import HOST, Front, call, front

pytestmark = pytest.mark.asyncio(loop_scope="session")
GET = "medhub.clinical.v1.PatientService/GetPatient"
LOGIN = "medhub.auth.v1.AuthService/Login"
PATH = "/clinical/v1/patients/a"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# The type of the frame that begins a request or an answer (RFC 9113, 6.2).
HEADERS = b"\1"
Context = Any


def lines_of(running: Front, count: int) -> list[dict[str, Any]]:
    """The last lines of a log, of an edge that has ended."""
    log = running.log.read_text("utf-8")
    return [json.loads(line) for line in log.splitlines() if line[0] == "{"][-count:]


async def strange(running: Front, method: str) -> None:
    """A request of HTTP/2 with a method that HTTP does not know, up to its answer."""
    fields = {":method": method, ":scheme": "http", ":authority": "edge", ":path": PATH}
    block = b"".join(
        b"\0" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()
        for name, value in fields.items()
    )
    reader, writer = await asyncio.open_connection(HOST, running.port)
    settings = bytes(3) + b"\4" + bytes(5)
    headers = len(block).to_bytes(3) + HEADERS + b"\5" + (1).to_bytes(4) + block
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers)
    kind = b""
    async with asyncio.timeout(60):
        while kind != HEADERS:
            frame = await reader.readexactly(9)
            kind = frame[3:4]
            await reader.readexactly(int.from_bytes(frame[:3]))
    writer.close()


async def test_a_clients_own_words_are_not_written_down(tmp_path: Path) -> None:
    """A trace that has not the form of one is left out, even where no route was looked for."""
    nowhere = b"GET /x HTTP/1.1\r\ntraceparent: canary\r\nx-envoy-original-method: canary\r\n\r\n"
    async with front(tmp_path) as running:
        await running.call("GET", PATH, traceparent=TRACE)
        for wrong in ("canary", f"{TRACE}-canary", "00-canary", TRACE.upper()):
            await running.call("GET", PATH, traceparent=wrong)
        await running.send(nowhere)
        await strange(running, "CANARY")

    lines = lines_of(running, 7)
    assert "canary" not in running.log.read_text("utf-8").lower()
    assert [line.get("trace") for line in lines] == [TRACE, *[None] * 6]
    assert [line.get("verb") for line in lines] == [*["GET"] * 6, None]


async def test_a_call_is_called_what_it_was(tmp_path: Path) -> None:
    """The verb that the client sent, and the name of what answered."""
    async with front(tmp_path) as running:
        await running.call("GET", PATH)
        await running.call("DELETE", PATH)
        await running.call("POST", f"/{LOGIN}", raw=bytes(5), content_type="application/grpc")
        await running.call("GET", "/health/")
        await running.call("HEAD", "/health")
        await running.call("DELETE", "/health/")

    told = [(line["verb"], line["method"], line["status"]) for line in lines_of(running, 6)]
    assert told == [
        ("GET", GET, 200),
        ("DELETE", "medhub.clinical.v1.PatientService/DeletePatient", 200),
        ("POST", LOGIN, 200),
        ("GET", "edge/health/", 200),
        ("HEAD", "edge/health", 200),
        ("DELETE", "edge/405", 405),
    ]


async def test_the_status_of_grpc_is_the_one_that_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To gRPC callers a number, of servers and of the edge itself; to others none."""
    monkeypatch.setattr(limits, "CALLS", 1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Message, __: Context) -> Message:
        begun.set()
        await go_on.wait()
        return patient_pb2.Patient()

    async with front(tmp_path) as running:
        running.backend.answers[GET] = hold
        async with grpc.aio.insecure_channel(f"{HOST}:{running.port}") as channel:
            held = asyncio.create_task(call(channel, f"/{GET}"))
            await begun.wait()
            await running.call("GET", PATH)
            with pytest.raises(grpc.aio.AioRpcError):
                await call(channel, f"/{GET}")
            go_on.set()
            await held
        await running.call("GET", "/nowhere")

    told = [(line["status"], line["grpc_status"]) for line in lines_of(running, 4)]
    assert told == [(429, None), (200, "8"), (200, "0"), (404, None)]
