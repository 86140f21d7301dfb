"""Field masks: which fields an update sets (AIP-134)."""

from collections.abc import Set as AbstractSet

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from core.errors import InvalidField


def named(mask: FieldMask, changeable: AbstractSet[str]) -> set[str]:
    """The fields to set. `*` stands for all.

    Raises InvalidField for a mask that names none, or what is not there or cannot be changed: a
    mask is what the caller means to change, and who was answered OK would think that it was.
    """
    paths = set(mask.paths)
    if paths == {"*"}:
        return set(changeable)
    if not paths or paths - changeable:
        raise InvalidField(field="update_mask", rule="field_mask")
    return paths


def named_or_set(mask: FieldMask, message: Message, changeable: AbstractSet[str]) -> set[str]:
    """The same; without a mask all that the message sets, of which the rest is as it was read.

    Raises InvalidField.
    """
    if mask.paths:
        return named(mask, changeable)
    return {field.name for field, _ in message.ListFields()} & changeable
