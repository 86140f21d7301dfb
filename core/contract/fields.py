"""What every field of the contract holds, resolved: its own annotation, else its message's."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from medhub.options.v1 import data_pb2 as options

# Messages of others that our contracts use. They carry no annotation of ours: what they hold is
# said by the field that holds them.
FOREIGN = ("google.", "buf.", "grpc.")


class Unannotated(Exception):
    """A field says nothing of what it holds, so it counts as SECRET and fails the build."""


@cache
def data_of(field: FieldDescriptor) -> options.FieldData:
    """What a field holds: what it says itself, completed by what its message says.

    Raises Unannotated when neither says a class.
    """
    said: Any = field.GetOptions()
    containing: Any = field.containing_type
    message: Any = containing.GetOptions()
    found = options.FieldData()
    found.CopyFrom(message.Extensions[options.fields])
    if said.HasExtension(options.data):
        own = said.Extensions[options.data]
        # What protects a person must not be inherited by a field that is about nobody.
        if getattr(own, "class") < options.DATA_CLASS_PERSONAL:
            found.Clear()
        found.MergeFrom(own)
    if not getattr(found, "class"):
        raise Unannotated(field.full_name)
    return found


def class_of(field: FieldDescriptor) -> int:
    """The class of a field; SECRET when nothing says."""
    try:
        return int(getattr(data_of(field), "class"))
    except Unannotated:
        return int(options.DATA_CLASS_SECRET)


def categories_of(message: Descriptor) -> tuple[str, ...]:
    """The categories of personal and health data in a message and what it holds, sorted."""
    found = {
        data_of(field).category
        for field in fields_of(iter((message,)))
        if class_of(field) in (options.DATA_CLASS_PERSONAL, options.DATA_CLASS_HEALTH)
    }
    return tuple(sorted(category_word(one) for one in found))


def category_word(category: int) -> str:
    """`CATEGORY_CARE_EPISODE` → `care_episode`."""
    return options.Category.Name(category).removeprefix("CATEGORY_").lower()


def fields_of(messages: Iterator[Descriptor]) -> Iterator[FieldDescriptor]:
    """Every field of these messages and of what they hold, once, ours alone."""
    seen: set[str] = set()
    waiting = list(messages)
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or message.full_name.startswith(FOREIGN):
            continue
        seen.add(message.full_name)
        for field in message.fields:
            yield field
            if field.message_type is not None:
                waiting.append(field.message_type)
