"""What a call can answer: its result, and each reason for which it can refuse."""

from collections import defaultdict
from typing import Any

from google.rpc import code_pb2

from core.contract import Contract, Method, Reason, refusals_of
from edge.refusals import message, reason_of

STATUS = "google.rpc.Status"
STATUS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": (
        "Every refusal. `details` always holds a google.rpc.ErrorInfo, whose `reason` programs may"
        " rely on; a google.rpc.LocalizedMessage for people in the language of `accept-language`"
        " (fr, de, en); a google.rpc.BadRequest that names the fields; a google.rpc.RetryInfo that"
        " says when to try again."
    ),
    "properties": {
        "code": {"type": "integer", "format": "int32", "description": "A google.rpc.Code."},
        "message": {"type": "string", "description": "For developers, in English."},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"@type": {"type": "string"}},
                "required": ["@type"],
            },
        },
    },
    "required": ["code", "message", "details"],
    "examples": [
        {
            "code": 5,
            "message": "There is no such object.",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "NOT_FOUND",
                    "domain": "medhub",
                    "metadata": {},
                }
            ],
        }
    ],
}


# What the edge answers by itself, whatever is called. Other statuses of its own come with no
# operation (404, 405), or with a server's reasons for the same.
_OF_THE_EDGE = (408, 413, 415, 431)


def answers_of_the_edge(contract: Contract) -> dict[str, Any]:
    """The answers that all operations share, by their names among the document's components."""
    told = ((status, reason_of(status, contract)) for status in _OF_THE_EDGE)
    return {
        _shared(status): {
            **_refusal([reason]),
            "description": _line(reason, message(status, reason)),
        }
        for status, reason in told
    }


def _shared(status: int) -> str:
    return f"edge.{status}"


def answers(method: Method, result: dict[str, Any], contract: Contract) -> dict[str, Any]:
    """The `responses` of an operation, by HTTP status."""
    by_status: dict[int, list[Reason]] = defaultdict(list)
    for name in refusals_of(method):
        reason = contract.reasons[name]
        by_status[reason.http_status].append(reason)
    shared = {
        status: {"$ref": f"#/components/responses/{_shared(status)}"} for status in _OF_THE_EDGE
    }
    own = {status: _refusal(reasons) for status, reasons in by_status.items()}
    return {
        "200": {"description": "Done.", "content": {"application/json": {"schema": result}}},
        **{str(status): answer for status, answer in sorted({**shared, **own}.items())},
    }


def _line(reason: Reason, text: str) -> str:
    return f"`{reason.name}`: {text}"


def _refusal(reasons: list[Reason]) -> dict[str, Any]:
    told = "\n\n".join(_line(reason, reason.texts["en"]) for reason in reasons)
    schema = {"$ref": f"#/components/schemas/{STATUS}"}
    return {
        "description": told,
        "content": {"application/json": {"schema": schema}},
        "x-medhub-reasons": [
            {
                "reason": reason.name,
                "code": code_pb2.Code.Name(code_pb2.Code.ValueType(reason.code)),
                "texts": reason.texts,
                "metadata": sorted(reason.metadata),
            }
            for reason in reasons
        ],
    }
