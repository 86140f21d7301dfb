"""Headers: those of clients that are believed, those of answers, and what pages may call."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from medhub.auth.v1.membership_pb2 import Membership
from tests.support.edges import Front, front

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/clinical/v1/patients/a"
PREFLIGHT: dict[str, Any] = {
    "access_control_request_method": "POST",
    "access_control_request_headers": "authorization",
}


async def test_headers_of_the_platform_are_stripped_and_those_of_clients_pass(edge: Front) -> None:
    """Only what a client may say arrives."""
    lies = {
        "x-medhub-subject": "mallory",
        "X-MedHub-Organization": "x",
        "x-medhub-on-behalf": "y",
        "x-forwarded-client-cert": "Hash=1",
        "x-forwarded-for": "9.9.9.9",
        "forwarded": "for=9.9.9.9",
        "x-real-ip": "9.9.9.9",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-original-path": "/x",
        "x-forwarded-host": "evil",
        "x-http-method-override": "DELETE",
        "x-kept-min-auth-revision": "9",
        "x_medhub_subject": "mallory",
    }
    said = {
        "authorization": "Bearer t",
        "accept-language": "fr",
        "x-medhub-min-auth-revision": "7",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**lies, **said}.items())

    reply = await edge.send(f"GET {PATH} HTTP/1.1\r\nhost: edge\r\n{lines}\r\n".encode())

    seen = edge.backend.calls[-1].headers
    assert reply.status == 200
    assert {name: seen.get(name) for name in said} == said
    assert "9.9.9.9" not in str(seen)
    own = {name for name in seen if name.startswith(("x-", "forwarded"))}
    assert own - said.keys() == {
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-envoy-internal",
        "x-envoy-original-path",
        "x-envoy-original-method",
    }
    assert seen["x-envoy-original-path"] == PATH


async def test_the_revision_header_is_not_made_up(edge: Front) -> None:
    """A client that says nothing of a revision sends none, and cannot smuggle one in."""
    await edge.call("GET", PATH, x_kept_min_auth_revision="9")

    assert "x-medhub-min-auth-revision" not in edge.backend.calls[-1].headers


@pytest.mark.parametrize("path", [PATH, "/nope", "/auth/login", "/clinical/v1/patients?foo=1"])
async def test_answers_are_hardened(edge: Front, path: str) -> None:
    """No answer is cached, sniffed or framed, of whatever status; none names Envoy."""
    reply = await edge.call("GET", path)

    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert reply.headers["server"] == "medhub"
    assert "strict-transport-security" not in reply.headers
    assert not [name for name in reply.headers if name.startswith("x-envoy")]


async def test_the_revision_of_a_change_is_told_and_pages_may_read_it(edge: Front) -> None:
    """What a server says before its answer is a header of REST."""

    async def changed(_request: Message, context: Any) -> Message:
        await context.send_initial_metadata((("x-medhub-auth-revision", "7"),))
        return Membership(name="memberships/a")

    edge.backend.answers["medhub.auth.v1.MembershipService/SuspendMembership"] = changed

    reply = await edge.call(
        "POST",
        "/auth/v1/memberships/a:suspend",
        {"etag": "1"},
        origin="http://localhost:3000",
    )

    assert (reply.status, reply.headers["x-medhub-auth-revision"]) == (200, "7")
    assert reply.json["name"] == "memberships/a"
    readable = reply.headers["access-control-expose-headers"].split(",")
    assert "x-medhub-auth-revision" in readable


async def test_a_page_of_this_machine_may_call_in_development(edge: Front) -> None:
    """Preflight and call name the origin; another origin is not named."""
    local, other = "http://localhost:3000", "http://localhost.evil.example"

    asked = await edge.call("OPTIONS", "/auth/login", origin=local, **PREFLIGHT)
    called = await edge.call("GET", PATH, origin=local)
    strange = await edge.call("OPTIONS", "/auth/login", origin=other, **PREFLIGHT)
    stranger = await edge.call("GET", PATH, origin=other)

    allowed = [
        r.headers.get("access-control-allow-origin") for r in (asked, called, strange, stranger)
    ]
    assert allowed == [local, local, None, None]
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    assert len(edge.backend.calls) == 2


async def test_production_lets_in_the_pages_it_was_told_of(tmp_path: Path) -> None:
    """An exact origin may call, and this machine's pages may not."""
    async with front(tmp_path, origins=("https://portal.example.org",)) as running:
        names = []
        for origin in ("https://portal.example.org", "http://localhost:3000"):
            reply = await running.call("OPTIONS", "/auth/login", origin=origin, **PREFLIGHT)
            names.append(reply.headers.get("access-control-allow-origin"))

    assert names == ["https://portal.example.org", None]


async def test_the_access_log_holds_no_data(tmp_path: Path) -> None:
    """A line names the method and what came of it; no query, body, path or credential is in it."""
    async with front(tmp_path) as running:
        await running.call("GET", f"{PATH}anary", authorization="Bearer canary-token")
        await running.call("GET", "/clinical/v1/patients?page_token=canary")
        await running.call("POST", "/auth/login", {"password": "canary", "canary": 1})
        await running.call("GET", "/canary", user_agent="canary")
    log = running.log.read_text("utf-8")

    lines: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines() if line[0] == "{"]
    assert "anary" not in log
    assert [(line["method"], line["status"]) for line in lines[-4:]] == [
        ("medhub.clinical.v1.PatientService/GetPatient", 200),
        ("medhub.clinical.v1.PatientService/ListPatients", 200),
        ("medhub.auth.v1.AuthService/Login", 400),
        ("edge/404", 404),
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("grpc-encoding", "klingon"), ("grpc-tags-bin", "!"), ("x-any-bin", "!!!")]
)
async def test_headers_that_only_grpc_reads_are_not_passed_on(
    edge: Front, name: str, value: str
) -> None:
    """A server would answer what it cannot decode as a fault of its own."""
    reply = await edge.send(
        f"GET {PATH} HTTP/1.1\r\nhost: edge\r\n{name}: {value}\r\n\r\n".encode()
    )

    assert reply.status == 200
    assert name not in edge.backend.calls[-1].headers


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer " + "t" * 20_000},
        {"x_foo": "y" * 12_000},
        {"x_foo": "y" * 32_000},
        {f"x_{number}": "y" * 550 for number in range(56)},
    ],
)
async def test_what_the_edge_lets_in_no_server_finds_too_large(
    edge: Front, headers: dict[str, Any]
) -> None:
    """Up to 32 KiB of headers arrive; gRPC alone would refuse them from 8 KiB on."""
    reply = await edge.call("GET", PATH, **headers)

    assert reply.status == 200
    seen = edge.backend.calls[-1].headers
    assert {name: seen[name.replace("_", "-")] for name in headers} == headers


async def test_more_headers_than_the_edge_takes_are_refused_by_it(edge: Front) -> None:
    """One limit, told with its reason, whether one header is too long or there are too many."""
    numbered: dict[str, Any] = {f"x_{number}": "y" for number in range(64)}

    long = await edge.call("GET", PATH, x_foo="y" * 33_000)
    many = await edge.call("GET", PATH, **numbered)

    for refused in (long, many):
        assert refused.status == 431
        assert refused.json["details"][0]["reason"] == "REQUEST_TOO_LARGE"
    assert edge.backend.calls == []
