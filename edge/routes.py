"""The route list: each HTTP binding, each gRPC path, what the edge serves itself, and refusals."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from edge import limits
from edge.bindings import Binding, Operation
from edge.body_guard import FRAME, GUARD, route_metadata
from edge.documents import Document
from edge.settings import Edge
from medhub.options.v1 import policy_pb2 as options

Route: TypeAlias = dict[str, Any]

GRPC_WEB = "envoy.filters.http.grpc_web"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
HEALTH_PATHS = ("/health/", "/health")

_FILTER = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
_OFF = {"@type": _FILTER, "disabled": True}
# A filter that is off for all is on for a route that has any configuration for it.
_ON = {"@type": _FILTER, "config": {}}
# What speaks of gRPC's own framing, which the transcoder makes: a server reads these before it
# knows of any call, and answers what it cannot read as its own fault.
_FRAMING = ("grpc-encoding", "grpc-accept-encoding", "grpc-internal-encoding-request")
_SHORT = (options.LOAD_CLASS_READ, options.LOAD_CLASS_WRITE)
_GET = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
# Media types have no case (RFC 9110, 8.3.1). gRPC's keep theirs: Envoy's filters and the servers
# know them as gRPC writes them, and would fail on others.
_JSON_TYPE = r"(?i)application/json([ \t]*;.*)?"
_GRPC_TYPE = r"application/grpc(\+proto)?([ \t]*;.*)?"
_GRPC_WEB_TYPE = r"application/grpc-web(-text)?(\+proto)?([ \t]*;.*)?"


def matcher(
    operations: Iterable[Operation], documents: Iterable[Document], edge: Edge
) -> dict[str, Any]:
    """How Envoy finds a route: a prefix tree over paths, then the few routes that share a prefix.

    Envoy tries a list one by one, headers first; one list of all routes costs 0.2 ms a call.
    """
    exposed = tuple(operations)
    every = [
        *(route for document in documents for route in _document(document)),
        *(route for operation in exposed for route in _grpc(operation, edge.deadlines)),
        *_rest(exposed, edge.deadlines),
        *(route for path in HEALTH_PATHS for route in _health(path)),
    ]
    homes: dict[str, list[Route]] = defaultdict(list)
    for route in every:
        homes[_home(route["match"])].append(route)
    first, last = [*_preflight(edge), _ILL_TIMED], _refusal({"prefix": "/"}, 404)
    lists = {home: _list([*first, *some, last]) for home, some in sorted(homes.items())}
    return {
        "matcher_tree": {"input": _PATH_INPUT, "prefix_match_map": {"map": lists}},
        "on_no_match": _list([*first, last]),
    }


# A deadline that nobody can read. gRPC, in a server, would answer that the fault is its own, and a
# caller who sets a deadline should not go without one unknowingly.
_ILL_TIMED: Route = {
    "name": "edge/400",
    "match": {
        "prefix": "/",
        "headers": [
            {
                "name": "grpc-timeout",
                "string_match": {"safe_regex": {"regex": "[0-9]{1,8}[HMSmun]"}},
                "invert_match": True,
            }
        ],
    },
    "direct_response": {"status": 400},
}
_PATH_INPUT = {
    "name": "path",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": ":path",
    },
}


def _list(some: list[Route]) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.config.route.v3.RouteList"
    return {"action": {"name": "routes", "typed_config": {"@type": kind, "routes": some}}}


def _home(match: Mapping[str, Any]) -> str:
    """What begins the paths of a route: `/clinical/v1/patients`, or a gRPC service."""
    path: str = match["path"] if "path" in match else match["safe_regex"]["regex"]
    if path.startswith("/medhub."):
        return path[: path.rindex("/") + 1]
    return _HOME.match(path)[0]  # type: ignore[index]


# Up to three segments, without a custom verb. No expression of ours begins before the fourth.
_HOME = re.compile(r"(/[A-Za-z0-9.]+){1,3}")


def _preflight(edge: Edge) -> list[Route]:
    """Where pages may call: browsers ask first, and the CORS filter answers.

    It leaves out the paths that the edge answers itself, so these questions go "to a service";
    none gets there, since the filter is told to forward nothing.
    """
    if not (edge.origins or edge.loopback_origins):
        return []
    asks = [
        {"name": ":method", "string_match": {"exact": "OPTIONS"}},
        {"name": "origin", "present_match": True},
        {"name": "access-control-request-method", "present_match": True},
    ]
    match = {"prefix": "/", "headers": asks}
    return [{"name": "edge/preflight", "match": match, "route": {"cluster": min(edge.services)}}]


def _rest(exposed: Iterable[Operation], deadlines: Mapping[str, float]) -> Iterator[Route]:
    """Each path with its verbs, then the refusals of other bodies and other verbs on it."""
    paths: dict[str, list[tuple[Operation, Binding]]] = defaultdict(list)
    for operation in exposed:
        for binding in operation.bindings:
            paths[binding.regex].append((operation, binding))
    # A literal is cheaper to try than an expression.
    for _, bound in sorted(paths.items(), key=lambda item: (not item[1][0][1].is_literal, item[0])):
        for operation, binding in bound:
            yield from _bound(operation, binding, deadlines)
        allowed = sorted({binding.verb for _, binding in bound})
        yield _refusal(_path(bound[0][1]), 405, ", ".join(allowed))


def _bound(
    operation: Operation, binding: Binding, deadlines: Mapping[str, float]
) -> Iterator[Route]:
    verb = {"name": ":method", "string_match": {"exact": binding.verb}}
    json_only = {
        "name": "content-type",
        "string_match": {"safe_regex": {"regex": _JSON_TYPE}},
        # A call without a body says nothing of its type.
        "treat_missing_header_as_empty": False,
    }
    unsaid = {"name": "content-type", "present_match": False}
    served = {
        "name": operation.method.name,
        "route": _towards(operation, deadlines),
        "request_headers_to_add": [_deadline(operation, deadlines)],
        "request_headers_to_remove": _FRAMING,
        "typed_per_filter_config": {TRANSCODER: _ON, GUARD: _ON, GRPC_WEB: _OFF},
        **route_metadata(operation, binding),
        **_kept(binding),
    }
    for kind in (json_only, unsaid):
        yield {**served, "match": {**_path(binding), "headers": [verb, kind]}}
    yield _refusal({**_path(binding), "headers": [verb]}, 415)


def _grpc(operation: Operation, deadlines: Mapping[str, float]) -> Iterator[Route]:
    post = {"name": ":method", "string_match": {"exact": "POST"}}
    path = {"path": operation.method.path}
    served = {
        "name": operation.method.name,
        "route": _towards(operation, deadlines),
        "request_headers_to_add": [_deadline(operation, deadlines)],
    }
    yield {**served, "match": {**path, "headers": [post, _type(_GRPC_TYPE)]}}
    yield {
        **served,
        "match": {**path, "headers": [post, _type(_GRPC_WEB_TYPE)]},
        "typed_per_filter_config": {GUARD: _ON},
        "metadata": {"filter_metadata": {GUARD: {"body": FRAME}}},
    }
    yield _refusal({**path, "headers": [post]}, 415)
    yield _refusal(path, 405, "POST")


def _type(regex: str) -> dict[str, Any]:
    return {"name": "content-type", "string_match": {"safe_regex": {"regex": regex}}}


def _seconds(operation: Operation, deadlines: Mapping[str, float]) -> float:
    longest = operation.method.deadline
    return min(longest, deadlines.get(operation.method.path, longest))


def _towards(operation: Operation, deadlines: Mapping[str, float]) -> dict[str, Any]:
    longest = _seconds(operation, deadlines)
    return {
        "cluster": operation.cluster,
        # Places of their own: searches and log-ins, which take long, take none from them.
        "priority": "HIGH" if operation.method.load in _SHORT else "DEFAULT",
        "timeout": f"{longest + limits.GRACE_SECONDS:g}s",
        # A caller's own grpc-timeout counts where it is shorter.
        "max_stream_duration": {
            "max_stream_duration": f"{longest + limits.GRACE_SECONDS:g}s",
            "grpc_timeout_header_max": f"{longest:g}s",
        },
        # Only what surely was not begun is sent again: no call happens twice.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream",
            "num_retries": 2,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            "host_selection_retry_max_attempts": 3,
        },
    }


def _deadline(operation: Operation, deadlines: Mapping[str, float]) -> dict[str, Any]:
    """The server learns how long the edge will wait, unless the caller said how long it will."""
    milliseconds = int(_seconds(operation, deadlines) * 1000)
    return {
        "header": {"key": "grpc-timeout", "value": f"{milliseconds}m"},
        "append_action": "ADD_IF_ABSENT",
    }


def _path(binding: Binding) -> dict[str, Any]:
    if binding.is_literal:
        return {"path": binding.template}
    return {"safe_regex": {"regex": binding.regex}}


def _health(path: str) -> Iterator[Route]:
    """A filter answers before the route does, which gives the call its name alone."""
    yield {**_refusal({"path": path, "headers": [_GET]}, 503), "name": f"edge{path}"}
    yield _refusal({"path": path}, 405, "GET")


def _document(document: Document) -> Iterator[Route]:
    for path in document.paths:
        yield {
            "name": f"edge{path}",
            "match": {"path": path, "headers": [_GET]},
            "direct_response": {"status": 200, "body": {"filename": str(document.file)}},
            "response_headers_to_add": [
                {"header": {"key": key, "value": value}, "append_action": _REPLACE}
                for key, value in document.headers.items()
            ],
        }
        yield _refusal({"path": path}, 405, "GET, HEAD")


_REPLACE = "OVERWRITE_IF_EXISTS_OR_ADD"
# Whoever verifies tokens by themselves may keep the keys for this long, in seconds: less than a
# key is published before it signs, so a key is never met that the next look would not find. A
# route says it of a refusal too: who keeps that one as well looks again after as long.
_KEPT_SECONDS = 30
_KEY_SETS = frozenset({"/.well-known/jwks.json", "/auth/v1/keySet"})


def _kept(binding: Binding) -> dict[str, Any]:
    """What a route says of how long its answer may be kept; of all others it may not be."""
    if binding.template not in _KEY_SETS:
        return {}
    header = {"key": "cache-control", "value": f"public, max-age={_KEPT_SECONDS}"}
    return {"response_headers_to_add": [{"header": header, "append_action": _REPLACE}]}


def _refusal(match: dict[str, Any], status: int, allow: str = "") -> Route:
    route: Route = {
        "name": f"edge/{status}",
        "match": match,
        "direct_response": {"status": status},
        # Left on, gRPC-Web would turn the HTTP status into 200 with a gRPC status.
        "typed_per_filter_config": {GRPC_WEB: _OFF},
    }
    if allow:
        header = {"header": {"key": "allow", "value": allow}, "append_action": _REPLACE}
        route["response_headers_to_add"] = [header]
    return route
