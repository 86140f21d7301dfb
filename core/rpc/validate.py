"""Whether a request is well formed: its bytes, its text, and the rules of its contract."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import protovalidate
from google.protobuf.message import DecodeError, Message

from core.errors import FieldViolation, Refusal
from core.rpc.limits import MAX_MESSAGE_BYTES

# More violations than this help nobody.
MAX_VIOLATIONS = 20

_validator = protovalidate.Validator()


class MalformedRequest(Refusal):
    """The bytes are not a message of the method's type."""

    reason = "MALFORMED_REQUEST"


class RequestTooLarge(Refusal):
    """The message is larger than any method takes."""

    reason = "REQUEST_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__(metadata={"max_bytes": str(MAX_MESSAGE_BYTES)})


class InvalidFields(Refusal):
    """Fields of the request break rules of the contract."""

    reason = "INVALID_FIELD"


def parse(kind: Any, raw: bytes) -> Message:
    """The message in the bytes. Raises RequestTooLarge, MalformedRequest (broken UTF-8 too)."""
    if len(raw) > MAX_MESSAGE_BYTES:
        raise RequestTooLarge
    try:
        message: Message = kind.FromString(raw)
    except (DecodeError, RecursionError):
        raise MalformedRequest from None
    return message


def validate(message: Message, raw: bytes) -> None:
    """Hold a request against its contract. Raises InvalidFields, which names each field."""
    violations = _validator.collect_violations(message)
    if violations:
        raise InvalidFields(violations=tuple(_told(v) for v in violations[:MAX_VIOLATIONS]))
    # PostgreSQL stores no NUL in text. The byte is common in encoded numbers, so only a message
    # whose bytes hold one is walked.
    if b"\0" in raw:
        found = tuple(FieldViolation(path, "string.no_nul") for path in _with_nul(message, ""))
        if found:
            raise InvalidFields(violations=found[:MAX_VIOLATIONS])


def warm(kind: Any) -> None:
    """Compile the rules of a message type, which takes milliseconds the first time."""
    _validator.collect_violations(kind())


def _told(violation: Any) -> FieldViolation:
    proto = violation.proto
    path = ".".join(
        f"{e.field_name}[{e.subscript.value}]" if _indexed(e) else e.field_name
        for e in (proto.field.elements if proto.field else ())
    )
    return FieldViolation(path, proto.rule_id, proto.message)


def _indexed(element: Any) -> bool:
    subscript = getattr(element, "subscript", None)
    return subscript is not None and isinstance(getattr(subscript, "value", None), int)


def _several(field: Any, value: Any) -> Iterable[Any]:
    """The values of a field; of a map its keys too."""
    if not field.is_repeated:
        return (value,)
    return (*value.keys(), *value.values()) if isinstance(value, Mapping) else value


def _with_nul(message: Message, prefix: str) -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        for one in _several(field, value):
            if isinstance(one, Message):
                yield from _with_nul(one, f"{path}.")
            elif isinstance(one, str) and "\0" in one:
                yield path
