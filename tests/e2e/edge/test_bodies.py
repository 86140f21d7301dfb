"""What JSON bodies and queries may hold."""

import base64
import gzip
import json
from typing import Any

import pytest

from clinical.formats.hl7v2.framing import DEFAULT_LIMIT
from core.ids import new_id
from edge.limits import BODY_BYTES
from medhub.auth.v1 import auth_service_pb2
from medhub.clinical.v1 import patient_service_pb2
from medhub.clinical.v1.hl7_pb2 import Hl7Message
from medhub.clinical.v1.patient_pb2 import Sex
from medhub.compliance.v1 import audit_service_pb2
from medhub.event.v1.audit_event_pb2 import EventKind
from tests.support.edges import Front, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATIENTS = "/clinical/v1/patients"
WHOLE = "a whole number of 32 bits belongs here"
LONG = "a whole number of 64 bits belongs here"
SEX = "a name of the enum Sex, or its number, belongs here"
KIND = "a name of the enum EventKind, or its number, belongs here"
TIME = "a time such as 2000-12-31T23:59:59Z belongs here"
LOGIN = "/auth/login"
MESSAGE = "medhub.clinical.v1.Hl7V2Service/GetMessage"
SEARCH = "/medhub.clinical.v1.PatientService/SearchPatients"


def fault(reply: Reply) -> tuple[int, str, str]:
    """Status, field and sentence of a refused body."""
    assert reply.json["code"] == 3
    assert reply.json["details"][0]["reason"] == "MALFORMED_REQUEST"
    violation = reply.json["details"][2]["field_violations"][0]
    return reply.status, violation["field"], violation["description"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emial": "a"}, "emial"),
        ({"birth_name": "a", "constructor": 1}, "constructor"),
        ({"birth_date": {"yaer": 1}}, "birth_date.yaer"),
        ({"identifiers": [{"value": "1"}, {"foo": "2"}]}, "identifiers.foo"),
        ({'a b"c': 1}, "?"),
        ({"x" * 65: 1}, "?"),
    ],
)
async def test_an_unknown_field_is_refused_and_named(
    edge: Front, body: dict[str, Any], field: str
) -> None:
    """A misspelt field is an error, at any depth; what looks like no name is not repeated."""
    reply = await edge.call("POST", PATIENTS, body)

    assert fault(reply) == (400, field, "there is no such field")
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"null",
        b'"a"',
        b"{'email':'a'}",
        b"{email:1}",
        b'{"email":"a",}',
        b'{"email":"a"}x',
        b'{"email":01}',
        b'{"email":1.}',
        b'{"email":+1}',
        b'{"email":nan}',
        b'{"email":"a\nb"}',
        b'{"email":"\\x"}',
        b'{"email":"\x00"}',
        b'{"email":"\xff"}',
        b'{"email":"\\ud800"}',
        b'\xef\xbb\xbf{"email":"a"}',
        b'{"email":"a" "password":"b"}',
        b'{"email":{}}',
        b'{"email":5}',
        b'{"email":"a","email":"b"}',
        b'{"ema\\u0069l":"a"}',
        b"\0\0\0\0\0",
        b'{"a":' * 50_000,
    ],
)
async def test_what_is_not_json_of_the_contract_is_refused(edge: Front, raw: bytes) -> None:
    """Lenient JSON, wrong types, repeated fields and broken text get 400 and reach no server."""
    reply = await edge.call("POST", LOGIN, raw=raw)

    assert reply.status == 400
    assert reply.headers["content-type"] == "application/json"
    assert reply.json["details"][0]["reason"] == "MALFORMED_REQUEST"
    assert edge.backend.calls == []


@pytest.mark.parametrize("body", [{"birth_date": {"year": "x"}}, {"sex": "SEX_NONE"}, {"sex": {}}])
async def test_a_value_of_another_type_is_refused_without_being_quoted(
    edge: Front, body: dict[str, Any]
) -> None:
    """The parser's own text, which quotes what it could not read, is dropped."""
    reply = await edge.call("POST", PATIENTS, {**body, "birth_name": "Canary"})

    assert (reply.status, reply.json["code"]) == (400, 3)
    assert b"Canary" not in reply.body
    assert b"SEX_NONE" not in reply.body


@pytest.mark.parametrize(
    ("body", "field", "belongs"),
    [
        ({"birth_name": 5}, "birth_name", "text belongs here"),
        ({"birthName": ["a"]}, "birth_name", "text belongs here"),
        ({"sex": "FOO"}, "sex", SEX),
        ({"sex": 2**31}, "sex", SEX),
        ({"birth_date": 5}, "birth_date", "an object belongs here"),
        ({"birth_date": {"year": "x"}}, "birth_date.year", WHOLE),
        ({"birth_date": {"year": 1.5}}, "birth_date.year", WHOLE),
        ({"birth_date": {"year": -(2**31) - 1}}, "birth_date.year", WHOLE),
        ({"birth_date": {"year": True}}, "birth_date.year", WHOLE),
        ({"identifiers": {}}, "identifiers", "a list belongs here"),
        ({"identifiers": [None]}, "identifiers", "an object belongs here"),
        ({"identifiers": [{"value": True}]}, "identifiers.value", "text belongs here"),
        ({"create_time": "yesterday"}, "create_time", TIME),
        ({"create_time": "2023-02-29T00:00:00Z"}, "create_time", TIME),
        ({"create_time": "2023-02-28T24:00:00Z"}, "create_time", TIME),
        ({"create_time": "2023-02-28T00:00:00.1234567890Z"}, "create_time", TIME),
        ({"create_time": "2023-02-28T00:00:00+25:00"}, "create_time", TIME),
        ({"birth_date": {"year": "1.0"}}, "birth_date.year", WHOLE),
        ({"birth_date": {"year": "0" * 900_000 + "x"}}, "birth_date.year", WHOLE),
        ({"create_time": "1" * 900_000}, "create_time", TIME),
    ],
)
async def test_what_belongs_in_a_field_is_said(
    edge: Front, body: dict[str, Any], field: str, belongs: str
) -> None:
    """A value of another type is refused with the field's path, at any depth."""
    reply = await edge.call("POST", PATIENTS, body)

    assert fault(reply) == (400, field, belongs)
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("body", "year", "sex"),
    [
        ({"birth_date": {"year": "1970"}, "sex": "SEX_FEMALE"}, 1970, "SEX_FEMALE"),
        ({"birth_date": {"year": 1970.0}, "sex": 1}, 1970, 1),
        ({"birth_date": {"year": -(2**31)}, "sex": 99}, -(2**31), 99),
        ({"birth_date": {"year": "2147483647"}, "sex": None}, 2**31 - 1, 0),
        ({"birth_name": None, "birth_date": None, "identifiers": None}, 0, 0),
        ({"create_time": "2024-02-29T23:59:59.123+01:00"}, 0, 0),
        ({"create_time": "2024-02-29T23:59:59Z", "identifiers": []}, 0, 0),
    ],
)
async def test_each_form_that_json_has_for_a_value_is_taken(
    edge: Front, body: dict[str, Any], year: int, sex: str | int
) -> None:
    """Whole numbers as text or with a zero fraction, enums by number, null for what is not set."""
    await edge.call("POST", PATIENTS, body)

    request = edge.backend.calls[-1].request
    assert isinstance(request, patient_service_pb2.CreatePatientRequest)
    expected = Sex.Value(sex) if isinstance(sex, str) else sex
    assert (request.patient.birth_date.year, request.patient.sex) == (year, expected)


@pytest.mark.parametrize("depth", [33, 100, 10_000, 200_000])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"birth_date":', b"}")])
async def test_deep_nesting_is_refused_and_the_edge_lives(
    edge: Front, depth: int, pair: tuple[bytes, bytes]
) -> None:
    """However deep, the answer is 400 (413 where it is also too large), and the next call works."""
    deep = b'{"birth_date":' + pair[0] * depth + b"1" + pair[1] * depth + b"}"

    reply = await edge.call("POST", PATIENTS, raw=deep)
    after = await edge.call("GET", PATIENTS)

    assert reply.status == (413 if len(deep) > 1 << 20 else 400)
    assert (after.status, len(edge.backend.calls)) == (200, 1)


async def test_more_than_a_mebibyte_is_refused(edge: Front) -> None:
    """Just under the limit passes; over it the answer is 413, whether announced or in chunks."""
    under = await edge.call("POST", PATIENTS, {"birth_name": "x" * ((1 << 20) - 100)})
    over = await edge.call("POST", PATIENTS, {"birth_name": "x" * (1 << 20)})
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    head = f"POST {PATIENTS} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    chunked = await edge.send(head.encode() + chunk * 2 + b"0\r\n\r\n")

    assert [reply.status for reply in (under, over, chunked)] == [200, 413, 413]
    for refused in (over, chunked):
        assert refused.json["details"][0]["reason"] == "REQUEST_TOO_LARGE"
        assert refused.json["details"][0]["metadata"] == {"max_bytes": "1048576"}
        assert "1048576" in refused.json["message"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\0\0\0", b"\0\0\0\0\5ab", b"\0\0\0\0\0x", b"\0\xff\xff\xff\xff", b"\0\0\0\0\1a" * 2],
)
@pytest.mark.parametrize("text", [False, True])
async def test_a_call_of_grpc_web_that_is_not_whole_is_refused_at_once(
    edge: Front, raw: bytes, text: bool
) -> None:
    """The server would wait for the rest of it for as long as a call may take."""
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    sent = base64.b64encode(raw) if text else raw

    reply = await edge.call("POST", SEARCH, raw=sent, content_type=kind)

    assert (reply.status, reply.headers["grpc-status"]) == (400, "3")
    assert b"MALFORMED_REQUEST" in base64.b64decode(reply.headers["grpc-status-details-bin"] + "==")
    assert edge.backend.calls == []


@pytest.mark.parametrize("flag", [b"\1", b"\2", b"\x80", b"\x81"])
async def test_a_call_of_grpc_web_whose_flag_means_nothing_here_is_refused(
    edge: Front, flag: bytes
) -> None:
    """Compressed without a word how, or no data at all: the fault is the caller's."""
    kind = "application/grpc-web+proto"

    reply = await edge.call("POST", SEARCH, raw=flag + bytes(4), content_type=kind)

    assert (reply.status, reply.headers["grpc-status"]) == (400, "3")
    assert b"MALFORMED_REQUEST" in base64.b64decode(reply.headers["grpc-status-details-bin"] + "==")
    assert edge.backend.calls == []


async def test_a_call_of_grpc_web_that_says_how_it_is_compressed_is_read(edge: Front) -> None:
    """The encoding and the flag belong together, as in gRPC itself."""
    packed = gzip.compress(auth_service_pb2.LoginRequest(email="a@example.org").SerializeToString())

    reply = await edge.call(
        "POST",
        "/medhub.auth.v1.AuthService/Login",
        raw=b"\1" + len(packed).to_bytes(4) + packed,
        content_type="application/grpc-web+proto",
        grpc_encoding="gzip",
    )

    assert reply.status == 200
    assert edge.backend.calls[-1].request == auth_service_pb2.LoginRequest(email="a@example.org")


async def test_a_call_of_grpc_web_is_no_larger_than_one_of_rest(edge: Front) -> None:
    """It is read whole before it is sent on; the refusal says how much is taken."""
    kind = "application/grpc-web+proto"
    length = 2 * BODY_BYTES

    reply = await edge.call(
        "POST", SEARCH, raw=b"\0" + length.to_bytes(4) + bytes(length), content_type=kind
    )

    details = base64.b64decode(reply.headers["grpc-status-details-bin"] + "==")
    assert (reply.status, reply.headers["grpc-status"]) == (413, "3")
    assert b"REQUEST_TOO_LARGE" in details
    assert str(BODY_BYTES).encode() in details


async def test_both_spellings_of_a_field_are_read_and_the_protos_is_written(edge: Front) -> None:
    """lowerCamelCase is understood too; answers keep snake_case and print what is empty."""
    reply = await edge.call("POST", PATIENTS, {"birthName": "Durand", "used_name": "Martin"})

    request = edge.backend.calls[-1].request
    assert isinstance(request, patient_service_pb2.CreatePatientRequest)
    assert (request.patient.birth_name, request.patient.used_name) == ("Durand", "Martin")
    assert {"birth_name", "identity_status"} <= reply.json.keys()
    assert "birthName" not in reply.json


async def test_a_body_may_repeat_the_path_and_not_contradict_it(edge: Front) -> None:
    """The path says which object is meant."""
    path = f"{PATIENTS}/a"

    same = await edge.call("PATCH", path, {"name": "patients/a", "birth_name": "x"})
    other = await edge.call("PATCH", path, {"name": "patients/b"})
    merge = await edge.call("POST", f"{path}:merge", {"survivor": "patients/b"})

    assert same.status == 200
    assert fault(other) == (400, "name", "the path says otherwise")
    assert fault(merge) == (400, "survivor", "the path says otherwise")


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "page_size=x",
        "page_token=%ff",
        "page_token=%00",
        "page_token=%c0%80",
        "p%61ge_size=1",
        "=1",
        "patients.name=a",
    ],
)
async def test_a_query_that_does_not_fit_is_refused(edge: Front, query: str) -> None:
    """Unknown parameters, wrong types and broken text are errors, not ignored."""
    reply = await edge.call("GET", f"{PATIENTS}?{query}")

    assert (reply.status, reply.json["code"]) == (400, 3)
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("query", "field", "belongs"),
    [
        ("page_size=abc", "page_size", WHOLE),
        ("page_size=", "page_size", WHOLE),
        ("page_size=1.0", "page_size", WHOLE),
        ("page_size", "page_size", WHOLE),
        ("pageSize=99999999999", "page_size", WHOLE),
        ("pagesize=3", "pagesize", "there is no such field"),
        ("page_size.x=3", "page_size", "the field has no fields in a query"),
        ("page_size=3&page_size=4", "page_size", "the parameter stands here twice"),
        ("page_size=3&pageSize=3", "page_size", "the parameter stands here twice"),
        ("show_deleted=maybe", "show_deleted", "true or false belongs here"),
        ("page_token=%ff", "page_token", "a value in the query is not text"),
    ],
)
async def test_what_belongs_in_a_parameter_is_said(
    edge: Front, query: str, field: str, belongs: str
) -> None:
    """A parameter that is unknown, repeated or of another type is refused by its name."""
    reply = await edge.call("GET", f"{PATIENTS}?{query}")

    assert fault(reply) == (400, field, belongs)
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", f"{PATIENTS}/a?name=patients/b"),
        ("PATCH", f"{PATIENTS}/a?patient.name=patients/b"),
        ("PATCH", "/clinical/v1/hl7Endpoints/a?hl7Endpoint.name=hl7Endpoints/b"),
    ],
)
async def test_a_query_does_not_contradict_the_path(edge: Front, verb: str, path: str) -> None:
    """The transcoder would let the query win; the guard does not let it come so far."""
    reply = await edge.call(verb, path, {} if verb == "PATCH" else None)

    assert fault(reply)[2] == "the path says it already"
    assert edge.backend.calls == []


@pytest.mark.parametrize(
    ("query", "field", "belongs"),
    [
        ("auditLog:proveConsistency?from_size=9223372036854775808", "from_size", LONG),
        ("auditLog:proveConsistency?from_size=1&to_size=0x10", "to_size", LONG),
        ("auditEvents?kind=FOO", "kind", KIND),
        ("auditEvents?kind=99", "kind", KIND),
        ("auditEvents?start_time=2000-13-01T00:00:00Z", "start_time", TIME),
        ("auditEvents?start_time.seconds=1", "start_time", "the field has no fields in a query"),
    ],
)
async def test_sizes_kinds_and_times_are_read_alike_in_a_query(
    edge: Front, query: str, field: str, belongs: str
) -> None:
    """A query has the types of a body, whatever the field."""
    reply = await edge.call("GET", f"/compliance/v1/{query}")

    assert fault(reply) == (400, field, belongs)
    assert edge.backend.calls == []


async def test_a_query_holds_the_largest_size_a_kind_and_a_time(edge: Front) -> None:
    """What fits arrives whole: 64 bits, an enum's name, a time with its offset escaped."""
    await edge.call("GET", "/compliance/v1/auditLog:proveConsistency?from_size=9223372036854775807")
    proof = edge.backend.calls[-1].request
    query = "kind=EVENT_KIND_ACCESS&start_time=2000-12-31T23:59:59%2B01:00"
    await edge.call("GET", f"/compliance/v1/auditEvents?{query}")
    listed = edge.backend.calls[-1].request

    assert isinstance(proof, audit_service_pb2.GetConsistencyProofRequest)
    assert proof.from_size == 2**63 - 1
    assert isinstance(listed, audit_service_pb2.ListAuditEventsRequest)
    assert listed.kind == EventKind.EVENT_KIND_ACCESS
    assert listed.start_time.ToJsonString() == "2000-12-31T22:59:59Z"


async def test_a_query_is_read_into_the_request(edge: Front) -> None:
    """Numbers, text, booleans and masks in the contract's spelling arrive as they were meant."""
    await edge.call("GET", f"{PATIENTS}?page_size=7&page_token=%C3%A9%20a&show_deleted=true")
    listed = edge.backend.calls[-1].request
    await edge.call("PATCH", f"{PATIENTS}/a?update_mask=birth_name,sex", {"birth_name": "x"})
    updated = edge.backend.calls[-1].request

    assert isinstance(listed, patient_service_pb2.ListPatientsRequest)
    assert (listed.page_size, listed.page_token, listed.show_deleted) == (7, "é a", True)
    assert isinstance(updated, patient_service_pb2.UpdatePatientRequest)
    assert list(updated.update_mask.paths) == ["birth_name", "sex"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/grpc", 200),
    ],
)
async def test_only_json_is_taken(edge: Front, kind: str, status: int) -> None:
    """Another type of body is refused with 415; gRPC callers are told in their own way."""
    body = json.dumps({"email": "a"}).encode()

    reply = await edge.call("POST", LOGIN, raw=body, content_type=kind)

    assert reply.status == status
    if kind == "application/grpc":
        assert reply.headers["grpc-status"] == "3"
        assert edge.backend.calls == []
    if status == 415:
        assert reply.json["details"][0]["reason"] == "MALFORMED_REQUEST"


async def test_a_call_without_a_body_is_an_empty_request(edge: Front) -> None:
    """Logging out needs nothing but the token."""
    reply = await edge.call("POST", "/auth/logout")

    assert reply.status == 200
    assert edge.backend.calls[-1].request == auth_service_pb2.LogoutRequest()


async def test_the_largest_message_is_answered(edge: Front) -> None:
    """An HL7 message as large as the gateway takes it, whose bytes JSON writes as base64."""
    raw = b"x" * DEFAULT_LIMIT
    edge.backend.answers[MESSAGE] = lambda *_: Hl7Message(raw=raw)

    reply = await edge.call("GET", f"/clinical/v1/hl7Messages/{new_id()}")

    assert (reply.status, base64.b64decode(reply.json["raw"]) == raw) == (200, True)
