"""Validation rules of the contract (buf.validate) as JSON Schema keywords."""

from typing import Any, TypeAlias

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor

Schema: TypeAlias = dict[str, Any]


def is_required(field: FieldDescriptor) -> bool:
    """A rule asks for the field to be set."""
    return bool(_rules(field).required)


def keywords(field: FieldDescriptor) -> Schema:
    """What the rules ask of one value, or of the list as a whole."""
    return _keywords(_rules(field))


def item_keywords(field: FieldDescriptor) -> Schema:
    """What the rules ask of each item of a list."""
    return _keywords(_rules(field).repeated.items)


def allows_unspecified(field: FieldDescriptor) -> bool:
    """The zero of an enum may be sent."""
    rules = _rules(field)
    item = rules.repeated.items if rules.WhichOneof("type") == "repeated" else rules
    return 0 not in item.enum.not_in and not rules.required


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    options: Any = field.GetOptions()
    if not options.HasExtension(validate_pb2.field):
        return validate_pb2.FieldRules()
    found: validate_pb2.FieldRules = options.Extensions[validate_pb2.field]
    return found


def _keywords(rules: validate_pb2.FieldRules) -> Schema:
    kind = rules.WhichOneof("type")
    if kind == "string":
        return _string(rules.string)
    if kind == "bytes":
        return _bytes(rules.bytes)
    if kind == "repeated":
        return _present(
            rules.repeated, min_items="minItems", max_items="maxItems", unique="uniqueItems"
        )
    if kind in ("int64", "uint64"):
        # Such numbers are strings in JSON, which have no range; readers see it all the same.
        return {f"x-{k}": str(v) for k, v in _range(getattr(rules, kind)).items()}
    if kind in ("int32", "uint32", "double", "float"):
        return _range(getattr(rules, kind))
    return {}


def _range(rules: Any) -> Schema:
    return _present(
        rules, gte="minimum", gt="exclusiveMinimum", lte="maximum", lt="exclusiveMaximum"
    )


def _string(rules: validate_pb2.StringRules) -> Schema:
    found = _present(
        rules, min_len="minLength", max_len="maxLength", pattern="pattern", const="const"
    )
    if rules.HasField("len"):
        found |= {"minLength": rules.len, "maxLength": rules.len}
    if getattr(rules, "in"):
        found["enum"] = list(getattr(rules, "in"))
    known = rules.WhichOneof("well_known")
    if known in ("uuid", "email", "uri", "hostname", "ipv4", "ipv6"):
        found["format"] = known
    return found


def _bytes(rules: validate_pb2.BytesRules) -> Schema:
    """Lengths count bytes; base64 writes four characters for each three begun."""
    found = {}
    for rule, keyword in (("min_len", "minLength"), ("max_len", "maxLength")):
        if rules.HasField(rule):
            found[keyword] = -(-getattr(rules, rule) // 3) * 4
    if rules.HasField("len"):
        length = -(-rules.len // 3) * 4
        found |= {"minLength": length, "maxLength": length}
    return found


def _present(rules: Any, **names: str) -> Schema:
    return {
        keyword: getattr(rules, rule) for rule, keyword in names.items() if rules.HasField(rule)
    }
