"""The guard of requests as JSON: strict syntax, bounded depth, no field that the contract lacks.

Envoy's transcoder drops unknown fields in silence and has no option to refuse them, and its parser
is lenient (bare keys, single quotes). So a script of ours reads each request first, against the
names of the contract's messages. What passes it is read by the transcoder as usual.

It also sees to it that a call of gRPC-Web is whole: a server would wait for the rest.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from edge import limits
from edge.bindings import Binding, Operation
from edge.refusals import FAULT

# The name of the filter; a script finds what a route tells it under its filter's name.
GUARD = "envoy.filters.http.lua"
_SCRIPT = Path(__file__).parent / "body_guard.lua"
# In the place of a message's name: the body is the one frame of a unary call of gRPC-Web.
FRAME = "frame"
# Messages whose JSON may hold anything.
_OPEN = frozenset({"Any", "Struct", "Value", "ListValue"})


def route_metadata(operation: Operation, binding: Binding) -> dict[str, Any]:
    """What tells the guard which message the body of a route is, and what the path says already.

    A field that stands in the path may stand in the body with the same value, and in no query: the
    transcoder would let the body or the query win.
    """
    told = {"body": _body_name(operation, binding)}
    for variable in binding.variables:
        before, after = binding.around
        told |= {"field": variable.field, "before": before, "after": after}
        inside = "" if binding.body == "*" else f"{binding.body}."
        if binding.body and variable.field.startswith(inside):
            told["bound"] = variable.field.removeprefix(inside)
    return {"metadata": {"filter_metadata": {GUARD: told}}}


def _body_name(operation: Operation, binding: Binding) -> str:
    body = operation.body_of(binding)
    if body is None:
        return ""
    message = body.message_type if isinstance(body, FieldDescriptor) else body
    if message is None:
        raise ValueError(f"{operation.method.name}: the body is a scalar")
    return str(message.full_name)


def script(operations: Iterable[Operation]) -> str:
    """The whole Lua program: the messages that bodies can hold, then the reader."""
    messages: dict[str, Descriptor] = {}
    for operation in operations:
        for binding in operation.bindings:
            body = operation.body_of(binding)
            start = body.message_type if isinstance(body, FieldDescriptor) else body
            _collect(start, messages)
    tables = ",\n".join(_table(messages[name]) for name in sorted(messages))
    facts = f"local MAX_DEPTH = {limits.JSON_DEPTH}\nlocal FAULT = {json.dumps(FAULT)}\n"
    facts += f"local FRAME = {json.dumps(FRAME)}\n"
    return f"{facts}local MESSAGES = {{\n{tables}\n}}\n{_SCRIPT.read_text('utf-8')}"


def _collect(message: Descriptor | None, found: dict[str, Descriptor]) -> None:
    if message is None or message.full_name in found or _is_special(message):
        return
    found[message.full_name] = message
    for each in message.fields:
        _collect(_value_type(each), found)


def _is_special(message: Descriptor) -> bool:
    return message.file.package == "google.protobuf"


def _value_type(each: FieldDescriptor) -> Descriptor | None:
    message: Descriptor | None = each.message_type
    if message is not None and message.GetOptions().map_entry:
        inner: Descriptor | None = message.fields_by_name["value"].message_type
        return inner
    return message


def _table(message: Descriptor) -> str:
    """A message: its fields under both names that JSON may use, the proto's and lowerCamelCase."""
    rows = []
    for each in message.fields:
        row = f'{{name="{each.name}",kind="{_kind(each)}"}}'
        names = sorted({each.name, each.json_name})
        rows += [f'["{name}"]={row}' for name in names]
    return f'["{message.full_name}"]={{{",".join(rows)}}}'


def _kind(each: FieldDescriptor) -> str:
    """`scalar`, `open`, `map`, `map:` with a message, or a message; lists need no mark."""
    message = each.message_type
    if message is None:
        return "scalar"
    if message.GetOptions().map_entry:
        inner = _value_type(each)
        return f"map:{inner.full_name}" if inner is not None else "map:scalar"
    if _is_special(message):
        return "open" if message.name in _OPEN else "scalar"
    return str(message.full_name)
