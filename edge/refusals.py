"""What the edge says when it refuses by itself: one JSON shape, google.rpc.Status, and no data.

Envoy's own texts are dropped: they name addresses, and its JSON parser quotes what it could not
read. Codes and texts are those of the contract's shared reasons.
"""

import base64
from typing import Any

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from core.contract import Contract, Reason
from edge import limits

DOMAIN = "medhub"
# Where the guard of JSON bodies leaves what it found: `field`, a path, and `fault`, a sentence.
FAULT = "medhub.edge"
# The status of gRPC that a refusal of the edge is to have, on its way to the caller.
OWN_STATUS = "x-own-grpc-status"

# The reason for which the edge gives an HTTP status.
_REASONS = {
    400: "MALFORMED_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "NOT_SERVED",
    408: "DEADLINE_EXCEEDED",
    413: "REQUEST_TOO_LARGE",
    414: "MALFORMED_REQUEST",
    415: "MALFORMED_REQUEST",
    426: "MALFORMED_REQUEST",
    429: "OVERLOADED",
    431: "REQUEST_TOO_LARGE",
    500: "INTERNAL",
    501: "NOT_SERVED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# What a developer is told beyond the reason's text; it is the message of the status, in English
# like every message of a status (AIP-193).
_HINTS = {
    400: "The path, the query, the JSON body or grpc-timeout does not fit the contract.",
    413: f"At most {limits.BODY_BYTES} bytes are taken.",
    415: "Send the body as application/json.",
    405: "The path exists; the Allow header has its methods.",
    431: f"At most {limits.HEADER_COUNT} headers of {limits.HEADER_KIB} KiB in all are taken.",
    500: f"The answer cannot be written as JSON of at most {limits.ANSWER_BYTES} bytes.",
}
# The limits that are told with their refusals.
_METADATA = {
    413: {"max_bytes": str(limits.BODY_BYTES)},
    431: {"max_bytes": str(limits.HEADER_KIB * 1024)},
}
# What gRPC makes of an HTTP status of the edge (doc/http-grpc-status-mapping.md of gRPC), where a
# reason of the contract has the same code. Details with another code would contradict the status.
_GRPC_REASONS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_SERVED",
                 502: "UNAVAILABLE", 503: "UNAVAILABLE"}  # fmt: skip
# The edge has as many calls of the service in progress as it may.
_OVERFLOW = {"response_flag_filter": {"flags": ["UO"]}}
_OVERLOADED_STATUS = 429
# A call that came as gRPC. One that the transcoder has made of JSON has the header in which it
# notes the path as it came; from a client that header never gets here.
_GRPC = [
    {
        "name": "content-type",
        "string_match": {"safe_regex": {"regex": r"application/grpc([+;].*)?"}},
    },
    {"name": "x-envoy-original-path", "present_match": False},
]
# The guard has found a fault.
_FAULT_FOUND = {
    "metadata_filter": {
        "matcher": {
            "filter": FAULT,
            "path": [{"key": "fault"}],
            "value": {"present_match": True},
        },
        "match_if_key_not_found": False,
    }
}
# A tag of `accept-language` before the one that counts: the servers take the first of which texts
# exist, and look at its first two letters.
_PASSED_OVER = r"[ \t]*([^def, \t][^,]*|d[^e,][^,]*|e[^n,][^,]*|f[^r,][^,]*|[def]?),"
# English is for everybody else, so no header is looked at for it.
_ASKED_BY_HEADER = ("fr", "de")
_HARDENING = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def local_replies(contract: Contract) -> dict[str, Any]:
    """Envoy's `local_reply_config`: every answer of its own with a status from 400 on."""
    malformed = contract.reasons["MALFORMED_REQUEST"]
    mappers = [_frame_fault(malformed), *_body_fault(malformed)]
    mappers.extend(_overflow(contract.reasons["OVERLOADED"]))
    for status, name in _REASONS.items():
        mappers.append(_for_grpc(status, contract.reasons[_GRPC_REASONS.get(status, name)]))
        mappers.extend(_for_json(_comparison("EQ", status), status, contract.reasons[name]))
    # What Envoy may think of beyond these.
    for status, name in ((500, "INTERNAL"), (400, "MALFORMED_REQUEST")):
        mappers.extend(_for_json(_comparison("GE", status), status, contract.reasons[name]))
    return {"mappers": mappers}


def reason_of(status: int, contract: Contract) -> Reason:
    """The reason for which the edge gives an HTTP status."""
    return contract.reasons[_REASONS[status]]


def message(status: int, reason: Reason) -> str:
    """What a developer is told: the reason's text, and what would fit."""
    return " ".join(filter(None, (reason.texts["en"], _HINTS.get(status))))


def _if_grpc(condition: dict[str, Any]) -> dict[str, Any]:
    grpc = ({"header_filter": {"header": header}} for header in _GRPC)
    return {"and_filter": {"filters": [condition, *grpc]}}


def _for_grpc(status: int, reason: Reason) -> dict[str, Any]:
    """The text goes to grpc-message; the details travel as they do from a server."""
    mapper: dict[str, Any] = {
        "filter": _if_grpc(_comparison("EQ", status)),
        "body_format_override": {"text_format_source": {"inline_string": reason.texts["en"]}},
    }
    if status in _GRPC_REASONS:
        mapper["headers_to_add"] = [_header("grpc-status-details-bin", _details(reason))]
    else:
        mapper["headers_to_add"] = _grpc_status(reason, _METADATA.get(status))
    return mapper


def _grpc_status(
    reason: Reason, metadata: dict[str, str] | None = None, *more: Message
) -> list[dict[str, Any]]:
    """The reason's own status, where gRPC would make another one of the HTTP status.

    Envoy writes `grpc-status` after these headers, so the last filter puts it in its place.
    """
    return [
        _header(OWN_STATUS, str(reason.code)),
        _header("grpc-status-details-bin", _details(reason, metadata, *more)),
    ]


def _for_json(condition: dict[str, Any], status: int, reason: Reason) -> list[dict[str, Any]]:
    told = _status(reason, message(status, reason), _METADATA.get(status))
    return _in_each_language(condition, told, reason)


def _in_each_language(
    condition: dict[str, Any], status: dict[str, Any], reason: Reason
) -> list[dict[str, Any]]:
    """A status as JSON for each language; the first that fits a request is taken."""
    asked = [{"and_filter": {"filters": [condition, _asks_for(tag)]}} for tag in _ASKED_BY_HEADER]
    return [
        {
            "filter": each,
            "body_format_override": {"json_format": _localized(status, reason, language)},
            "headers_to_add": [_header(key, value) for key, value in _HARDENING.items()],
        }
        for each, language in zip((*asked, condition), (*_ASKED_BY_HEADER, "en"), strict=True)
    ]


def _asks_for(language: str) -> dict[str, Any]:
    regex = rf"(?i)({_PASSED_OVER})*[ \t]*{language}.*"
    header = {"name": "accept-language", "string_match": {"safe_regex": {"regex": regex}}}
    return {"header_filter": {"header": header}}


def _localized(status: dict[str, Any], reason: Reason, language: str) -> dict[str, Any]:
    """The status with the reason's text for people, second of its details as from a server."""
    text = {
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": language,
        "message": reason.texts[language],
    }
    info, *more = status["details"]
    return {**status, "details": [info, text, *more]}


def _frame_fault(reason: Reason) -> dict[str, Any]:
    """A call of gRPC-Web that the guard has refused; Envoy alone would make INTERNAL of it."""
    return {
        "filter": _if_grpc(_FAULT_FOUND),
        "body_format_override": {"text_format_source": {"inline_string": reason.texts["en"]}},
        "headers_to_add": _grpc_status(reason),
    }


def _body_fault(reason: Reason) -> list[dict[str, Any]]:
    """A JSON body that the guard has refused: which field, and why."""
    violation = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "field_violations": [
            {
                "field": f"%DYNAMIC_METADATA({FAULT}:field)%",
                "description": f"%DYNAMIC_METADATA({FAULT}:fault)%",
            }
        ],
    }
    status = _status(reason, reason.texts["en"])
    status["details"].append(violation)
    return _in_each_language(_FAULT_FOUND, status, reason)


def _overflow(reason: Reason) -> list[dict[str, Any]]:
    """One call too many, which Envoy alone would call unavailable; it is told when to come back."""
    delay = f"{limits.RETRY_SECONDS:g}s"
    status = _status(reason, reason.texts["en"])
    status["details"].append({"@type": "type.googleapis.com/google.rpc.RetryInfo",
                              "retry_delay": delay})  # fmt: skip
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(round(limits.RETRY_SECONDS * 1000))
    return [
        {
            "filter": _if_grpc(_OVERFLOW),
            "body_format_override": {"text_format_source": {"inline_string": reason.texts["en"]}},
            "headers_to_add": _grpc_status(reason, None, retry),
        },
        *(
            {**mapper, "status_code": _OVERLOADED_STATUS}
            for mapper in _in_each_language(_OVERFLOW, status, reason)
        ),
    ]


def _status(reason: Reason, message: str, metadata: dict[str, str] | None = None) -> dict[str, Any]:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason.name,
        "domain": DOMAIN,
        "metadata": metadata or {},
    }
    return {"code": reason.code, "message": message, "details": [detail]}


def _details(reason: Reason, metadata: dict[str, str] | None = None, *more: Message) -> str:
    status = status_pb2.Status(code=reason.code, message=reason.texts["en"])
    info = error_details_pb2.ErrorInfo(reason=reason.name, domain=DOMAIN, metadata=metadata)
    for detail in (info, *more):
        status.details.add().Pack(detail)
    # gRPC sends binary headers without padding.
    return base64.b64encode(status.SerializeToString()).decode("ascii").rstrip("=")


def _header(key: str, value: str) -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _comparison(op: str, status: int) -> dict[str, Any]:
    # Envoy wants a name by which an operator could move the number at run time.
    value = {"default_value": status, "runtime_key": f"medhub.edge.{op.lower()}.{status}"}
    return {"status_code_filter": {"comparison": {"op": op, "value": value}}}
