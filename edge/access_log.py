"""What the edge writes down of each call: a line of JSON, in which nothing is a client's own text.

A line has the method's name, never a path, a query, a body or a credential.
"""

import itertools
import json
from collections.abc import Collection
from typing import Any

from edge.body_guard import GUARD

# What a client says of a call is told only where it has the form that it should have. A trace is a
# traceparent of W3C Trace Context, version 00.
_FORMS = {
    "trace": ("traceparent", "00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "verb": (":method", "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE"),
}


def access_logs() -> list[dict[str, Any]]:
    """Envoy's logs: one for each choice of what can be told, exactly one of which takes a call."""
    names = list(_FORMS)
    choices = (itertools.combinations(names, size) for size in range(len(names) + 1))
    return [_log(told) for told in itertools.chain.from_iterable(choices)]


def _log(told: Collection[str]) -> dict[str, Any]:
    fields = {name: text for name, text in _FIELDS.items() if name in told or name not in _FORMS}
    kind = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
    config = {"@type": f"type.googleapis.com/{kind}", "log_format": {"json_format": fields}}
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"and_filter": {"filters": [_has_form(name, name in told) for name in _FORMS]}},
        "typed_config": config,
    }


def _has_form(name: str, wanted: bool) -> dict[str, Any]:
    header, regex = _FORMS[name]
    matcher = {
        "name": header,
        "string_match": {"safe_regex": {"regex": regex}},
        "treat_missing_header_as_empty": True,
        "invert_match": not wanted,
    }
    return {"header_filter": {"header": matcher}}


def _first(*sources: tuple[str, str]) -> str:
    """The first of several sources that says something."""
    operators = [{"command": command, "param": name} for command, name in sources]
    return f"%COALESCE({json.dumps({'operators': operators})})%"


_FIELDS = {
    "time": "%START_TIME%",
    "event": "edge.call",
    "method": "%ROUTE_NAME%",
    # The transcoder makes each call of REST a POST; its route knows what it was.
    "verb": _first(("METADATA", f"ROUTE:{GUARD}:verb"), ("REQ", ":METHOD")),
    "status": "%RESPONSE_CODE%",
    # As it was said to the caller. Envoy's own GRPC_STATUS makes one up where none was.
    "grpc_status": _first(("TRAILER", "GRPC-STATUS"), ("RESP", "GRPC-STATUS")),
    "flags": "%RESPONSE_FLAGS%",
    "cause": "%RESPONSE_CODE_DETAILS%",
    "protocol": "%PROTOCOL%",
    "peer": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "server": "%UPSTREAM_HOST%",
    "milliseconds": "%DURATION%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "trace": "%REQ(TRACEPARENT)%",
}
