"""A message as a debug log may show it: values about persons, and secrets, are left out.

What a field holds is said by the contract. Python would print every field, those marked
`debug_redact` too, so nothing but this turns a message into text.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from google.protobuf import any_pb2, symbol_database
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from core.contract.fields import FOREIGN, class_of
from medhub.options.v1 import data_pb2 as options

HIDDEN = "…"
# Longer texts and lists are cut: a log line is for reading.
MAX_TEXT = 200
MAX_VALUES = 20
# Messages within messages, deeper than any contract goes.
MAX_DEPTH = 16

_Show = Callable[[Any, int], object]


def redacted(message: Message) -> str:
    """One line of JSON, in which every value of class PERSONAL or above reads `…`."""
    return json.dumps(_shown(message, 0), ensure_ascii=False)


def _shown(message: Message, depth: int) -> object:
    if depth > MAX_DEPTH:
        return HIDDEN
    if isinstance(message, any_pb2.Any):
        return _unpacked(message, depth)
    plan = _plan(message.DESCRIPTOR)
    return {field.name: plan[field.number](value, depth) for field, value in message.ListFields()}


def _unpacked(packed: any_pb2.Any, depth: int) -> object:
    """What an Any holds; hidden when nobody here knows its type."""
    try:
        kind: Any = symbol_database.Default().GetSymbol(packed.TypeName())
        inner = kind.FromString(packed.value)
    except (KeyError, DecodeError):
        return HIDDEN
    return {"@type": packed.TypeName(), "value": _shown(inner, depth + 1)}


@cache
def _plan(message: Descriptor) -> dict[int, _Show]:
    """How each field of a message type is shown, by its number."""
    foreign = message.full_name.startswith(FOREIGN)
    return {
        field.number: _showing(field)
        # A message of others says nothing of its fields; whoever holds it has said it all.
        if foreign or class_of(field) < options.DATA_CLASS_PERSONAL
        else _hide
        for field in message.fields
    }


def _showing(field: FieldDescriptor) -> _Show:
    one = _one(field)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        value = _one(kind.fields_by_name["value"])
        return lambda entries, depth: _entries(entries, value, depth)
    if field.is_repeated:
        return lambda values, depth: [one(v, depth) for v in values[:MAX_VALUES]]
    return one


def _one(field: FieldDescriptor) -> _Show:
    if field.message_type is not None:
        return lambda value, depth: _shown(value, depth + 1)
    if field.enum_type is not None:
        names = field.enum_type.values_by_number
        return lambda value, _: names[value].name if value in names else value
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value, _: f"{len(value)} bytes"
    if field.type == FieldDescriptor.TYPE_STRING:
        return lambda value, _: value[:MAX_TEXT]
    return lambda value, _: value


def _entries(entries: Mapping[Any, Any], show: _Show, depth: int) -> dict[str, object]:
    return {str(key)[:MAX_TEXT]: show(entries[key], depth) for key in list(entries)[:MAX_VALUES]}


def _hide(_value: Any, _depth: int) -> object:
    return HIDDEN
