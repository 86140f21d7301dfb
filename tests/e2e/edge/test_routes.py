"""Every route of the contract through the real Envoy, and nothing besides."""

import re
from typing import Any

import pytest

from core.contract import everything
from edge.bindings import Binding, operations
from medhub.options.v1 import policy_pb2 as options
from tests.support.edges import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")
GRPC_WEB = {"content_type": "application/grpc-web+proto", "x_grpc_web": "1"}
EMPTY_FRAME = b"\0\0\0\0\0"
BOUND = [(o.method.name, b) for o in operations(everything()) for b in o.bindings]
HIDDEN = [
    method.path
    for method in everything().methods.values()
    if method.policy.exposure != options.EXPOSURE_PUBLIC_API
]


def path_of(binding: Binding) -> str:
    """The path with an id in the place of each wildcard."""
    return re.sub(r"\{\w+\}", "0198c6f2-7d4a-7c31-9b1e-3f5a2c8d6e47", binding.documented)


async def ask(edge: Front, binding: Binding) -> Any:
    """Calls a binding with an empty body where it has one."""
    return await edge.call(binding.verb, path_of(binding), {} if binding.body else None)


async def test_each_binding_reaches_its_method_and_the_path_is_in_the_request(edge: Front) -> None:
    """REST calls arrive at the method they are bound to, with the fields of the path set."""
    for name, binding in BOUND:
        reply = await ask(edge, binding)

        assert (reply.status, name) == (200, edge.backend.calls[-1].method), reply.body
        for variable in binding.variables:
            value: Any = edge.backend.calls[-1].request
            for part in variable.field.split("."):
                value = getattr(value, part)
            assert path_of(binding).find(value) > 0
    assert len(edge.backend.calls) == len(BOUND)


async def test_each_exposed_method_answers_grpc_web(edge: Front) -> None:
    """A page can call every method of the public API by gRPC-Web."""
    for operation in operations(everything()):
        reply = await edge.call("POST", operation.method.path, raw=EMPTY_FRAME, **GRPC_WEB)

        assert reply.status == 200
        assert b"grpc-status:0" in reply.body, operation.method.path


@pytest.mark.parametrize("path", HIDDEN)
async def test_internal_methods_and_streams_are_not_there(edge: Front, path: str) -> None:
    """They answer like any unknown path, by REST and by gRPC-Web alike."""
    unknown = await edge.call("POST", "/no.such.v1.Service/Method", {})

    by_web = await edge.call("POST", path, raw=EMPTY_FRAME, **GRPC_WEB)
    by_text = await edge.call(
        "POST", path, raw=b"AAAAAAA=", content_type="application/grpc-web-text"
    )
    by_rest = await edge.call("POST", path, {})

    assert [r.status for r in (unknown, by_web, by_text, by_rest)] == [404] * 4
    assert unknown.json == by_web.json == by_text.json == by_rest.json
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/auth/v1",
        "/clinical/v1/patients/",
        "/clinical/v1/patients/a/b",
        "/clinical/v1/patients/a:unknown",
        "/clinical/v1/patients/%ff",
        "/clinical/v1/patients/a%3Ab",
        "/CLINICAL/v1/patients",
        "/clinical/v1/../../x",
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/api/docs/../../etc/passwd",
    ],
)
async def test_an_unknown_path_is_not_found(edge: Front, path: str) -> None:
    """The answer is a google.rpc.Status with a reason, and no server is asked."""
    reply = await edge.call("GET", path)

    assert reply.status == 404
    assert reply.headers["content-type"] == "application/json"
    assert reply.json["code"] == 5
    assert reply.json["details"][0]["reason"] == "NOT_FOUND"
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("verb", "path", "allow"),
    [
        ("GET", "/auth/login", "POST"),
        ("PUT", "/clinical/v1/patients", "GET, POST"),
        ("POST", "/clinical/v1/patients/a", "DELETE, GET, PATCH"),
        ("GET", "/medhub.auth.v1.AuthService/Login", "POST"),
        ("POST", "/api/docs", "GET, HEAD"),
        ("POST", "/health/", "GET"),
        ("OPTIONS", "/auth/login", "POST"),
    ],
)
async def test_a_known_path_with_another_verb_names_the_right_ones(
    edge: Front, verb: str, path: str, allow: str
) -> None:
    """405 carries Allow (RFC 9110 15.5.6)."""
    reply = await edge.call(verb, path)

    assert (reply.status, reply.headers["allow"]) == (405, allow)
    assert reply.json["details"][0]["reason"] == "NOT_SERVED"


@pytest.mark.parametrize("path", ["/clinical/v1/patients/a%2Fb", "/clinical/v1/patients/a%00b"])
async def test_a_path_that_hides_something_is_refused(edge: Front, path: str) -> None:
    """Escaped slashes and zero bytes are refused before any route is looked for."""
    reply = await edge.call("GET", path)

    assert (reply.status, reply.json["code"]) == (400, 3)
