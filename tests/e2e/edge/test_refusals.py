"""Errors, of servers and of the edge itself: one JSON shape, and no text that tells too much."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from core.contract import everything
from edge import limits
from medhub.auth.v1 import auth_service_pb2
from tests.support.edges import Front, Reply, call, front

pytestmark = pytest.mark.asyncio(loop_scope="session")
GET = "medhub.clinical.v1.PatientService/GetPatient"
LOGIN = "medhub.auth.v1.AuthService/Login"
GRPC_WEB = {"content_type": "application/grpc-web+proto", "x_grpc_web": "1"}
Context = Any


def reason(reply: Reply) -> tuple[int, int, str]:
    """HTTP status, code and reason of a refusal, whose shape is checked on the way."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json.keys() == {"code", "message", "details"}
    info = reply.json["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert info["domain"] == "medhub"
    return reply.status, reply.json["code"], info["reason"]


async def refuse(_: Message, context: Context) -> None:
    """As a server of ours refuses: with every kind of detail."""
    status = status_pb2.Status(code=5, message="There is no such object.")
    for detail in (
        error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="medhub", metadata={"a_b": "c"}),
        error_details_pb2.LocalizedMessage(locale="fr", message="Cet objet n'existe pas."),
        error_details_pb2.BadRequest(field_violations=[{"field": "patient.name"}]),
        error_details_pb2.PreconditionFailure(violations=[{"type": "T", "subject": "s"}]),
        error_details_pb2.RetryInfo(retry_delay={"seconds": 2}),
    ):
        status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    await context.abort(grpc.StatusCode.NOT_FOUND, status.message)


async def test_a_servers_refusal_comes_whole(edge: Front) -> None:
    """Code, message and all details are printed as JSON in the contract's spelling."""
    edge.backend.answers[GET] = refuse

    reply = await edge.call("GET", "/clinical/v1/patients/a")

    assert (reply.status, reply.json["code"]) == (404, 5)
    assert reply.json["message"] == "There is no such object."
    kinds = [detail["@type"].rpartition(".")[2] for detail in reply.json["details"]]
    assert kinds == [
        "ErrorInfo",
        "LocalizedMessage",
        "BadRequest",
        "PreconditionFailure",
        "RetryInfo",
    ]
    assert reply.json["details"][0]["metadata"] == {"a_b": "c"}
    assert reply.json["details"][2]["field_violations"][0]["field"] == "patient.name"
    assert reply.json["details"][4]["retry_delay"] == "2s"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("ABORTED", 409),
        ("FAILED_PRECONDITION", 400),
        ("RESOURCE_EXHAUSTED", 429),
        ("UNIMPLEMENTED", 501),
        ("INTERNAL", 500),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
async def test_each_code_has_its_http_status(edge: Front, code: str, status: int) -> None:
    """The mapping is that of google.rpc.Code, even for a status without details."""
    code_value = grpc.StatusCode[code]

    async def abort(_: Message, context: Context) -> None:
        await context.abort(code_value, "told")

    edge.backend.answers[GET] = abort

    reply = await edge.call("GET", "/clinical/v1/patients/a")

    assert reply.status == status
    assert reply.json == {"code": code_value.value[0], "message": "told", "details": []}


async def test_a_call_that_takes_too_long_is_ended(edge: Front) -> None:
    """The caller's own deadline is passed on, and kept by whoever sees it pass first: the edge, or
    the gRPC runtime of a server that does not keep it itself, which knows no details.
    """
    ended = asyncio.Event()

    async def sleep(_: Message, __: Context) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    edge.backend.answers[LOGIN] = sleep

    reply = await edge.call("POST", "/auth/login", {}, grpc_timeout="300m")

    assert (reply.status, reply.json["code"]) in ((504, 4), (503, 14))
    assert reply.json.keys() == {"code", "message", "details"}
    await asyncio.wait_for(ended.wait(), 60)


async def test_the_server_learns_the_deadline_of_the_contract(edge: Front) -> None:
    """A REST call has one too, and may have a shorter one."""
    await edge.call("POST", "/auth/login", {})
    await edge.call("GET", "/clinical/v1/patients/a")
    await edge.call("GET", "/clinical/v1/patients/a", grpc_timeout="4S")

    login, get, short = (call.seconds or 0 for call in edge.backend.calls)
    assert 13 < login <= 15
    assert 55 < get <= 60
    assert 3 < short <= 4


@pytest.mark.parametrize("given", ["zzz", "4", "S", "4s", "-1S", "1.5S", "123456789S", "1S,2S"])
async def test_a_deadline_that_cannot_be_read_is_refused(edge: Front, given: str) -> None:
    """MALFORMED_REQUEST for each kind of caller; a server would call it INTERNAL."""
    rest = await edge.call("GET", "/clinical/v1/patients/a", grpc_timeout=given)
    web = await edge.call("POST", f"/{LOGIN}", raw=b"\0\0\0\0\0", grpc_timeout=given, **GRPC_WEB)
    bare = await edge.call(
        "POST", f"/{LOGIN}", raw=bytes(5), content_type="application/grpc", grpc_timeout=given
    )

    assert reason(rest) == (400, 3, "MALFORMED_REQUEST")
    for told in (web, bare):
        details = base64.b64decode(told.headers["grpc-status-details-bin"] + "==")
        assert told.headers["grpc-status"] == "3"
        assert b"MALFORMED_REQUEST" in details
    assert edge.backend.calls == []


@pytest.mark.parametrize("given", ["99999999H", "30000000u", "9000m", "1M"])
async def test_a_deadline_in_any_unit_is_read(edge: Front, given: str) -> None:
    """Up to eight digits and a unit, as gRPC writes it."""
    reply = await edge.call("GET", "/clinical/v1/patients/a", grpc_timeout=given)

    assert (reply.status, len(edge.backend.calls)) == (200, 1)


async def test_no_caller_makes_the_edge_wait_longer_than_it_would(tmp_path: Path) -> None:
    """A caller asks for five hours of a server that never answers; the edge ends the call."""
    async with front(tmp_path, deadlines={f"/{LOGIN}": 0.2}) as running:
        running.backend.answers[LOGIN] = lambda *_: asyncio.sleep(60)

        reply = await running.call("POST", "/auth/login", {}, grpc_timeout="5H")

    assert reason(reply) == (504, 4, "DEADLINE_EXCEEDED")


async def test_an_answer_that_is_too_large_is_not_sent_in_part(edge: Front) -> None:
    """What is over the limit is an error of the platform, which says so."""
    sizes = iter((3_000_000, limits.ANSWER_BYTES))
    edge.backend.answers[LOGIN] = lambda *_: auth_service_pb2.LoginResponse(
        access_token="x" * next(sizes)
    )

    fits = await edge.call("POST", "/auth/login", {})
    over = await edge.call("POST", "/auth/login", {})

    assert (fits.status, len(fits.json["access_token"])) == (200, 3_000_000)
    assert reason(over) == (500, 13, "INTERNAL")
    assert str(limits.ANSWER_BYTES) in over.json["message"]


async def test_what_is_not_http_is_refused_in_the_same_shape(edge: Front) -> None:
    """Garbage and oversized headers get an answer and a closed connection."""
    garbage = await edge.send(b"GARBAGE\r\n\r\n")
    headers = await edge.send(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 40_000 + b"\r\n\r\n")

    assert reason(garbage) == (400, 3, "MALFORMED_REQUEST")
    assert reason(headers) == (431, 3, "REQUEST_TOO_LARGE")
    assert headers.json["details"][0]["metadata"] == {"max_bytes": "32768"}


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("es", "en"),
        ("*", "en"),
        ("xfr", "en"),
        ("fr", "fr"),
        ("de-CH", "de"),
        ("FR-fr,en;q=0.5", "fr"),
        ("it, fr;q=0.8, en;q=0.5", "fr"),
        ("en,fr", "en"),
        ("es;q=1,de", "de"),
        ("e, f ,,  de", "de"),
    ],
)
async def test_the_edge_speaks_the_language_that_a_server_would(
    edge: Front, asked: str, language: str
) -> None:
    """The first tag of which texts exist; the message for developers is English."""
    texts = everything().reasons["NOT_FOUND"].texts

    reply = await edge.call("GET", "/nowhere", accept_language=asked)

    assert reason(reply) == (404, 5, "NOT_FOUND")
    assert reply.json["message"] == texts["en"]
    assert reply.json["details"][1] == {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": language,
        "message": texts[language],
    }


async def test_faults_and_overload_are_told_in_the_callers_language(edge: Front) -> None:
    """What the guard has found too, beside the field that it names."""
    reply = await edge.call("POST", "/auth/login", {"emial": "a"}, accept_language="de")

    kinds = [detail["@type"].rpartition(".")[2] for detail in reply.json["details"]]
    assert kinds == ["ErrorInfo", "LocalizedMessage", "BadRequest"]
    assert reply.json["details"][1]["locale"] == "de"


async def test_a_service_that_is_away_is_unavailable_to_each_kind_of_caller(tmp_path: Path) -> None:
    """REST, gRPC and gRPC-Web callers get UNAVAILABLE; the other services go on; it comes back."""
    async with front(tmp_path) as running:
        await running.backend.servers["auth"].stop(None)

        rest = await running.call("POST", "/auth/login", {})
        web = await running.call("POST", f"/{LOGIN}", raw=b"\0\0\0\0\0", **GRPC_WEB)
        other = await running.call("GET", "/clinical/v1/patients")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call(channel, f"/{LOGIN}")
        await running.backend.start("auth", running.backend.ports["auth"])
        again = await running.call("POST", "/auth/login", {})

    assert reason(rest) == (503, 14, "UNAVAILABLE")
    assert b"127.0.0.1" not in rest.body
    assert web.headers["grpc-status"] == "14"
    assert other.status == 200
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert raised.value.details() == "The service is not available for the moment."
    assert again.status == 200


async def test_one_call_too_many_is_told_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RESOURCE_EXHAUSTED with RetryInfo, from the edge itself; other kinds of calls go on."""
    monkeypatch.setattr(limits, "CALLS", 1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Message, __: Context) -> None:
        begun.set()
        await go_on.wait()

    async with front(tmp_path) as running:
        running.backend.answers[GET] = hold
        held = asyncio.create_task(running.call("GET", "/clinical/v1/patients/a"))
        await begun.wait()

        rest = await running.call("GET", "/clinical/v1/patients/b")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call(channel, f"/{GET}")
        search = await running.call("POST", "/clinical/v1/patients:search", {})
        go_on.set()
        await held

    assert reason(rest) == (429, 8, "OVERLOADED")
    assert rest.json["details"][2]["retry_delay"] == "0.2s"
    told, retry = rpc_status.from_call(raised.value), error_details_pb2.RetryInfo()
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert told.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 200
    assert search.status == 200
