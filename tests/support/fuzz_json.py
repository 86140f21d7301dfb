"""JSON and HTTP requests mutated where they can be: values, paths, queries, headers, bodies."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from edge.bindings import Binding
from tests.support.fuzz_values import CANARY, Words

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63, -(2**70), 1e308, "", CANARY, "1", "true", "null", [], {}, [[]],
    [None], {"": None}, {"é": CANARY}, {"@type": "type.googleapis.com/google.rpc.Status"},
    ["*"] * 2000, f"{CANARY}\\u0000", "2026-02-30T25:61:61Z", "9999-12-31T23:59:59.999999999Z",
    "!!!not-base64!!!", "A" * 30_000,
)  # fmt: skip
# Where the edge stops reading is at 32.
_DEPTHS = (31, 33, 64, 500, 20_000)


@dataclass(frozen=True)
class Http:
    """One request as bytes will be made of it."""

    verb: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False
    told: tuple[str, ...] = field(default=(), compare=False)

    def saying(self, what: str, **changed: Any) -> "Http":
        """The request with a change, which it tells."""
        return replace(self, told=(*self.told, what), **changed)

    def encoded(self) -> bytes:
        """The bytes of HTTP/1.1."""
        query = "&".join(f"{quote(k, safe='.')}={quote(v)}" for k, v in self.query)
        target = f"{self.path}?{query}" if query else self.path
        sent = [("host", "edge"), ("connection", "close"), *self.headers]
        content = self.body or b""
        if self.chunked:
            sent.append(("transfer-encoding", "chunked"))
            content = _in_chunks(content)
        else:
            sent.append(("content-length", str(len(content))))
        lines = [f"{self.verb} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in sent)]
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + content

    def __str__(self) -> str:
        shown = (self.body or b"")[:300]
        return f"{self.verb} {self.path[:120]} {self.query} {shown!r} {'; '.join(self.told)}"


def _in_chunks(content: bytes) -> bytes:
    pieces = [content[at : at + 7] for at in range(0, min(len(content), 700), 7)]
    pieces.append(content[700:])
    framed = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces if piece]
    return b"".join(framed) + b"0\r\n\r\n"


def request_of(binding: Binding, message: Message) -> Http:
    """A right request by one of a method's HTTP bindings."""
    told = MessageToDict(message, preserving_proto_field_name=True)
    path = binding.template
    for variable in binding.variables:
        value = _taken(told, variable.field.split("."))
        before, after = binding.around
        path = f"{before}{value}{after}"
    body = told if binding.body == "*" else told.pop(binding.body, {}) if binding.body else None
    query = () if binding.body == "*" else tuple(_flat(told))
    content = None if body is None else json.dumps(body).encode()
    headers = (("content-type", "application/json"),) if body is not None else ()
    return Http(binding.verb, path, query, content, headers)


def _taken(told: dict[str, Any], path: list[str]) -> str:
    """A value out of its place, which is left without it."""
    here = told
    for step in path[:-1]:
        here = here.get(step, {})
    return str(here.pop(path[-1], ""))


def _flat(told: Any, at: str = "") -> list[tuple[str, str]]:
    """A message as the parameters of a query."""
    if isinstance(told, dict):
        return [pair for k, v in told.items() for pair in _flat(v, f"{at}.{k}" if at else k)]
    if isinstance(told, list):
        return [pair for one in told for pair in _flat(one, at)]
    return [(at, str(told))]


def mutated(chance: random.Random, http: Http, words: Words) -> Http:
    """The request with one thing changed."""
    changes: tuple[Callable[[random.Random, Http, Words], Http], ...] = (
        _value, _value, _value, _key, _nesting, _raw, _query, _path, _verb, _header,
    )  # fmt: skip
    return chance.choice(changes)(chance, http, words)


def _value(chance: random.Random, http: Http, words: Words) -> Http:
    """Another value somewhere in the body; of no body, another value in the query."""
    body = _read(http)
    if body is None:
        return _query(chance, http, words)
    holders = [one for one in _containers(body) if one]
    if not holders:
        return http.saying("body odd", body=json.dumps(chance.choice(_ODD)).encode())
    holder = chance.choice(holders)
    key = chance.choice(list(holder)) if isinstance(holder, dict) else 0
    value = chance.choice((chance.choice(_ODD), words.any(chance)))
    holder[key] = value
    return http.saying(f"{key} = {str(value)[:40]!r}", body=json.dumps(body).encode())


def _key(chance: random.Random, http: Http, words: Words) -> Http:
    body = _read(http)
    if not isinstance(body, dict):
        return _query(chance, http, words)
    key = chance.choice((f"{CANARY} ", "", "__proto__", "name", "constructor", "a" * 500, "\0"))
    holders = [one for one in _containers(body) if isinstance(one, dict)]
    chance.choice(holders)[key] = chance.choice(_ODD)
    return http.saying(f"key {key[:20]!r}", body=json.dumps(body).encode())


def _nesting(chance: random.Random, http: Http, _: Words) -> Http:
    depth, (opens, closes) = chance.choice(_DEPTHS), chance.choice((("[", "]"), ('{"a":', "}")))
    deep = opens * depth + "1" + closes * depth
    body = chance.choice((deep, f'{{"name": {deep}}}', opens * depth))
    return http.saying(f"nested {depth} deep", body=body.encode())


def _raw(chance: random.Random, http: Http, _: Words) -> Http:
    """Bytes that are no longer quite JSON, or another kind of body."""
    body = http.body or b"{}"
    cut = body[: chance.randrange(len(body) + 1)]
    made = chance.choice((
        cut, body + b"x", body * 2, b"\xef\xbb\xbf" + body,
        body.decode(errors="replace").encode("utf-16"),
        b"", b"\0" * 20, b"\xff" * 20, b"'a'", b'{"a": 1, "a": 2}', b"[1,]", b"NaN", b"-",
        b'"\\ud800"', f'{{"name": "{CANARY}\\ud83d"}}'.encode(), b" " * 100_000 + body,
        chance.randbytes(50), b"a" * 1_100_000,
    ))  # fmt: skip
    return http.saying(f"raw {made[:20]!r} ({len(made)})", body=made)


def _query(chance: random.Random, http: Http, words: Words) -> Http:
    known = [key for key, _ in http.query] or ["name"]
    key = chance.choice((
        *known, *known, "page_size", "page_token", "show_deleted", f"{CANARY}-x", "a.b.c", "",
        "name",
        "pageSize", "birth_date.year", "%00", "filter",
    ))  # fmt: skip
    value = chance.choice((words.any(chance), "-1", "99999999999999999999", "1.5", "true", "\0"))
    pairs = ((key, value),) * chance.choice((1, 1, 2, 50))
    return http.saying(f"?{key}={value[:40]!r} {len(pairs)}", query=(*http.query, *pairs))


def _path(chance: random.Random, http: Http, words: Words) -> Http:
    path = http.path
    word = quote(words.any(chance), safe="/")[:2000]
    made = chance.choice((
        f"{path}/", f"/{path}", path.upper(), f"{path}/{word}", f"{path}:{word}", path[:-1],
        path.replace("/v1/", "/v1/../v1/"), path.replace("/", "//"), f"{path}%00", f"{path}%2e%2e",
        f"{path}%", path.rsplit("/", 1)[0] + f"/{word}", "/", "*", f"{path};a=b", f"{path}#x",
        f"/{word}", "/medhub.clinical.v1.PatientService/GetPatient", "/health/x", "/api/x",
    ))  # fmt: skip
    made = "".join(one for one in made if one > " ") or "/"
    return http.saying("another path", path=made)


def _verb(chance: random.Random, http: Http, _: Words) -> Http:
    verb = chance.choice((
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "get",
    ))  # fmt: skip
    return http.saying(f"verb {verb}", verb=verb)


def _header(chance: random.Random, http: Http, _: Words) -> Http:
    if chance.random() < 0.3:
        return http.saying("chunked", chunked=True)
    name, value = chance.choice((
        ("content-type", "text/plain"), ("content-type", "application/json; charset=utf-16"),
        ("content-type", "application/grpc"), ("content-type", "application/grpc-web+json"),
        ("content-type", "application/x-www-form-urlencoded"), ("content-type", CANARY),
        ("content-encoding", "gzip"), ("accept", "text/html"), ("accept-encoding", "br"),
        ("authorization", "Basic YTpi"), ("x-medhub-tenant", CANARY),
        ("te", "trailers"), ("grpc-timeout", "1n"), ("grpc-timeout", "99999999H"),
        ("grpc-encoding", CANARY), ("grpc-accept-encoding", CANARY), ("grpc-tags-bin", "!"),
        ("x-any-bin", "!!!"), ("grpc-internal-encoding-request", CANARY), ("grpc-message", "%"),
        ("x-http-method-override", "DELETE"), ("range", "bytes=0-1"),
        ("if-none-match", "*"), ("cookie", CANARY * 50), ("x-envoy-original-path", "/"),
        ("upgrade", "websocket"), ("grpc-status", "0"), ("origin", f"https://{CANARY}"),
        ("x-envoy-upstream-rq-timeout-ms", "1"), ("x-forwarded-host", CANARY),
    ))  # fmt: skip
    kept = tuple(pair for pair in http.headers if pair[0] != name)
    return http.saying(f"{name}: {value[:30]}", headers=(*kept, (name, value)))


def _read(http: Http) -> Any:
    try:
        return json.loads(http.body or b"null")
    except (ValueError, RecursionError):
        return None


def _containers(value: Any, levels: int = 8) -> list[Any]:
    """Objects and lists in a body, down to the depth of any message of the contract."""
    if not isinstance(value, (dict, list)) or not levels:
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for one in inner for found in _containers(one, levels - 1))]
