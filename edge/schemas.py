"""Messages and enums of the contract as JSON Schema (the dialect of OpenAPI 3.1)."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from edge import rules
from medhub.options.v1 import data_pb2

Schema: TypeAlias = dict[str, Any]

_INTEGER: Schema = {"type": "integer", "format": "int32"}
_LONG: Schema = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: _INTEGER,
    FieldDescriptor.TYPE_SINT32: _INTEGER,
    FieldDescriptor.TYPE_SFIXED32: _INTEGER,
    FieldDescriptor.TYPE_UINT32: {**_INTEGER, "minimum": 0},
    FieldDescriptor.TYPE_FIXED32: {**_INTEGER, "minimum": 0},
    FieldDescriptor.TYPE_INT64: _LONG,
    FieldDescriptor.TYPE_SINT64: _LONG,
    FieldDescriptor.TYPE_SFIXED64: _LONG,
    FieldDescriptor.TYPE_UINT64: {**_LONG, "pattern": "^[0-9]+$"},
    FieldDescriptor.TYPE_FIXED64: {**_LONG, "pattern": "^[0-9]+$"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {
        "type": "string",
        "format": "date-time",
        "examples": ["2026-03-01T09:30:00Z"],
    },
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Names of fields, separated by commas, in lowerCamelCase: `birthName,sex`.",
    },
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.Empty": {"type": "object"},
    "google.type.Date": {
        "type": "object",
        "description": "A date without a time; month or day 0: not known.",
        "properties": {
            "year": {**_INTEGER, "minimum": 0, "maximum": 9999},
            "month": {**_INTEGER, "minimum": 0, "maximum": 12},
            "day": {**_INTEGER, "minimum": 0, "maximum": 31},
        },
        "examples": [{"year": 1953, "month": 7, "day": 14}],
    },
}


class Schemas:
    """The schemas that a document refers to, each made once."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self.made: dict[str, Schema] = {}

    def of(self, message: Descriptor) -> Schema:
        """A reference to a message's schema, or the schema of a well-known one."""
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        if message.full_name not in self.made:
            # Before its fields, so that a message may hold itself.
            self.made[message.full_name] = {}
            self.made[message.full_name].update(self.object(message))
        return _reference(message.full_name)

    def change(self, field: FieldDescriptor) -> Schema:
        """A resource as an update holds it: any of its fields, none of them required."""
        message = field.message_type
        if message is None or "required" not in (whole := self.object(message)):
            return self.field(field)
        name = f"{message.full_name}Update"
        self.made[name] = {key: value for key, value in whole.items() if key != "required"}
        return {**self.field(field), **_reference(name)}

    def object(self, message: Descriptor, without: frozenset[str] = frozenset()) -> Schema:
        """A message as an object, without the fields that travel elsewhere."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {"type": "object"}
        if comment := self._comments.get(message.full_name):
            schema["description"] = comment
        schema["properties"] = {field.name: self.field(field) for field in fields}
        schema["additionalProperties"] = False
        if required := [field.name for field in fields if is_required(field)]:
            schema["required"] = required
        return schema

    def field(self, field: FieldDescriptor) -> Schema:
        """A field: its type, its rules, what it means and what it holds."""
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            inner = self._value(message.fields_by_name["value"])
            schema: Schema = {"type": "object", "additionalProperties": inner}
        elif field.is_repeated:
            items = {**self._value(field), **rules.item_keywords(field)}
            schema = {"type": "array", "items": items, **rules.keywords(field)}
        else:
            schema = {**self._value(field), **rules.keywords(field)}
        if comment := self._comments.get(field.full_name):
            schema["description"] = comment
        return {**schema, **_marks(field)}

    def _value(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.of(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        return dict(_SCALARS[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.full_name not in self.made:
            told = (
                f"`{value.name}`: {self._comments.get(f'{enum.full_name}.{value.name}', '')}"
                for value in enum.values
            )
            about = self._comments.get(enum.full_name, "")
            self.made[enum.full_name] = {
                "type": "string",
                "enum": [value.name for value in enum.values],
                "description": "\n\n".join([about, *told]),
            }
        return _reference(enum.full_name)


def is_required(field: FieldDescriptor) -> bool:
    """The caller must send it (AIP-203)."""
    return field_behavior_pb2.REQUIRED in _behavior(field)


def is_output(field: FieldDescriptor) -> bool:
    """Only the server sets it."""
    return field_behavior_pb2.OUTPUT_ONLY in _behavior(field)


def _behavior(field: FieldDescriptor) -> frozenset[int]:
    return frozenset(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def _marks(field: FieldDescriptor) -> Schema:
    marks: Schema = {}
    if is_output(field):
        marks["readOnly"] = True
    if field_behavior_pb2.INPUT_ONLY in _behavior(field):
        marks["writeOnly"] = True
    # proto3 `optional` is a oneof of one, which is no choice.
    choice = field.containing_oneof
    if choice is not None and len(choice.fields) > 1:
        marks["x-medhub-one-of"] = choice.name
    if held := _data(field):
        marks["x-medhub-data"] = held
    return marks


def _data(field: FieldDescriptor) -> Schema:
    options: Any = field.GetOptions()
    containing: Any = field.containing_type
    message = containing.GetOptions()
    if options.HasExtension(data_pb2.data):
        data = options.Extensions[data_pb2.data]
    elif message.HasExtension(data_pb2.fields):
        data = message.Extensions[data_pb2.fields]
    else:
        return {}
    name = data_pb2.DataClass.Name(getattr(data, "class")).removeprefix("DATA_CLASS_")
    return {"class": name, **({"sealed": True} if data.sealed else {})}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
