"""The guard of requests as JSON: strict syntax, bounded depth, the contract's fields and types.

Envoy's transcoder drops unknown fields in silence and has no option to refuse them, and its parser
is lenient (bare keys, single quotes). So a script of ours reads each request first, against the
names and types of the contract's messages, and names the field that does not fit: the transcoder
names none. What passes it is read by the transcoder as usual.

It also sees to it that a call of gRPC-Web is whole (a server would wait for the rest) and is not
called compressed where nothing says how.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

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
# Messages that JSON writes as text, and types of fields: the guard's words for them.
_WRITTEN = {"Timestamp": "time", "Duration": "duration", "FieldMask": "mask"}
_SIMPLE = {
    FieldDescriptor.CPPTYPE_STRING: "text",
    FieldDescriptor.CPPTYPE_BOOL: "bool",
    FieldDescriptor.CPPTYPE_INT32: "int32",
    FieldDescriptor.CPPTYPE_INT64: "int64",
    FieldDescriptor.CPPTYPE_UINT32: "uint32",
    FieldDescriptor.CPPTYPE_UINT64: "uint64",
    FieldDescriptor.CPPTYPE_DOUBLE: "number",
    FieldDescriptor.CPPTYPE_FLOAT: "number",
}


def route_metadata(operation: Operation, binding: Binding) -> dict[str, Any]:
    """What tells the guard which messages body and query of a route are, and what the path says.

    A field that stands in the path may stand in the body with the same value, and in no query: the
    transcoder would let the body or the query win.
    """
    request = operation.descriptor.input_type.full_name
    told = {"body": _body_name(operation, binding), "query": request, "verb": binding.verb}
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
    """The whole Lua program: the messages that requests can hold, then the reader."""
    messages: dict[str, Descriptor] = {}
    for operation in operations:
        _collect(operation.descriptor.input_type, messages)
    fields = [each for name in sorted(messages) for each in messages[name].fields]
    kinds = {name: {f.name: _kind(f) for f in messages[name].fields} for name in sorted(messages)}
    # JSON may use the proto's name or lowerCamelCase.
    names = {f.json_name: f.name for f in fields if f.json_name != f.name}
    enums = {enum.full_name: enum for enum in map(_enum, fields) if enum is not None}
    values = {name: {v.name: v.number for v in enums[name].values} for name in sorted(enums)}
    facts = {
        "MAX_DEPTH": limits.JSON_DEPTH, "FAULT": FAULT, "FRAME": FRAME,
        "MESSAGES": kinds, "NAMES": names, "ENUMS": values,
    }  # fmt: skip
    told = "\n".join(f"local {name} = {_lua(fact)}" for name, fact in facts.items())
    return f"{told}\n{_SCRIPT.read_text('utf-8')}"


def _lua(fact: Any) -> str:
    """A number, a text or a table, as Lua writes it."""
    if isinstance(fact, dict):
        return "{" + ",\n".join(f'["{key}"]={_lua(value)}' for key, value in fact.items()) + "}"
    return json.dumps(fact)


def _collect(message: Descriptor | None, found: dict[str, Descriptor]) -> None:
    if message is None or message.full_name in found or _is_special(message):
        return
    found[message.full_name] = message
    for each in message.fields:
        _collect(_value(each).message_type, found)


def _is_special(message: Descriptor) -> bool:
    return message.file.package == "google.protobuf"


def _value(each: FieldDescriptor) -> FieldDescriptor:
    """The field that holds the values: of a map, that of its entries."""
    message = each.message_type
    if message is None or not message.GetOptions().map_entry:
        return each
    inner: FieldDescriptor = message.fields_by_name["value"]
    return inner


def _enum(each: FieldDescriptor) -> EnumDescriptor | None:
    found: EnumDescriptor | None = _value(each).enum_type
    return found


def _kind(each: FieldDescriptor) -> str:
    """A simple kind, an enum, a message or `open`; before it `list:` or `map:` if it holds many."""
    value = _value(each)
    if value is not each:
        return f"map:{_single(value)}"
    return f"list:{_single(each)}" if each.is_repeated else _single(each)


def _single(each: FieldDescriptor) -> str:
    message = each.message_type
    if each.enum_type is not None:
        return str(each.enum_type.full_name)
    if message is None:
        return "bytes" if each.type == FieldDescriptor.TYPE_BYTES else _SIMPLE[each.cpp_type]
    if not _is_special(message):
        return str(message.full_name)
    if message.name in _WRITTEN:
        return _WRITTEN[message.name]
    if message.name in _OPEN:
        return "open"
    return _single(message.fields_by_name["value"])
