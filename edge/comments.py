"""The contract's comments by full name, from the descriptor set's source information."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

Path: TypeAlias = tuple[int, ...]

# Field numbers of descriptor.proto, of which the paths in source information are made.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_ENUM_VALUE, _SERVICE_METHOD = 2, 2


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def comments(image: FileDescriptorSet) -> Mapping[str, str]:
    """What stands above each message, field, enum, value, service and method of medhub."""
    found: dict[str, str] = {}
    for file in image.file:
        if file.package.startswith("medhub."):
            told = {
                tuple(place.path): place.leading_comments
                for place in file.source_code_info.location
                if place.leading_comments
            }
            found |= {name: _prose(told[at]) for at, name in _names(file) if at in told}
    return found


def _prose(comment: str) -> str:
    """Lines joined to paragraphs; an empty line parts them."""
    paragraphs = "\n".join(line.strip() for line in comment.strip().splitlines()).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _names(file: FileDescriptorProto) -> Iterator[tuple[Path, str]]:
    for at, message in enumerate(file.message_type):
        yield from _message((_FILE_MESSAGE, at), file.package, message)
    for at, enum in enumerate(file.enum_type):
        yield from _enum((_FILE_ENUM, at), file.package, enum)
    for at, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (_FILE_SERVICE, at), name
        yield from _members((_FILE_SERVICE, at, _SERVICE_METHOD), name, service.method)


def _message(at: Path, scope: str, message: DescriptorProto) -> Iterator[tuple[Path, str]]:
    name = f"{scope}.{message.name}"
    yield at, name
    yield from _members((*at, _MESSAGE_FIELD), name, message.field)
    for place, nested in enumerate(message.nested_type):
        yield from _message((*at, _MESSAGE_NESTED, place), name, nested)
    for place, enum in enumerate(message.enum_type):
        yield from _enum((*at, _MESSAGE_ENUM, place), name, enum)


def _enum(at: Path, scope: str, enum: EnumDescriptorProto) -> Iterator[tuple[Path, str]]:
    # Names of values are siblings of their enum; here they stand under it, which reads better.
    name = f"{scope}.{enum.name}"
    yield at, name
    yield from _members((*at, _ENUM_VALUE), name, enum.value)


def _members(at: Path, scope: str, members: Sequence[_Named]) -> Iterator[tuple[Path, str]]:
    for place, member in enumerate(members):
        yield (*at, place), f"{scope}.{member.name}"
