"""Reasons of refusal: code, texts and metadata keys, from the contract's enums."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FileDescriptor

from core.contract.methods import Malformed
from medhub.options.v1 import reason_pb2

_PREFIX = "ERROR_REASON_"
# What a reason is worth by HTTP (google.rpc.Code documents the mapping).
HTTP_STATUS = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429,
    9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401,
}  # fmt: skip
LANGUAGES = ("en", "fr", "de")


@dataclass(frozen=True, slots=True)
class Reason:
    """How one reason is told. `code` is a google.rpc.Code."""

    name: str
    package: str
    code: int
    texts: dict[str, str]
    metadata: frozenset[str]

    @property
    def http_status(self) -> int:
        """The HTTP status that the code maps to."""
        return HTTP_STATUS[self.code]


def reasons_of(file: FileDescriptor) -> dict[str, Reason]:
    """The reasons that a file declares, by name; none when it has no enum ErrorReason."""
    enum = file.enum_types_by_name.get("ErrorReason")
    return _reasons(enum, file.package) if enum is not None else {}


def _reasons(enum: EnumDescriptor, package: str) -> dict[str, Reason]:
    found = {}
    for value in enum.values[1:]:
        said: Any = value.GetOptions()
        if not said.HasExtension(reason_pb2.reason):
            raise Malformed(value.name, "a reason that does not say how it is told")
        told: reason_pb2.Reason = said.Extensions[reason_pb2.reason]
        texts = {language: getattr(told, language) for language in LANGUAGES}
        if not told.code or not all(texts.values()):
            raise Malformed(value.name, "a reason needs a code and a text in every language")
        name = value.name.removeprefix(_PREFIX)
        found[name] = Reason(name, package, told.code, texts, frozenset(told.metadata))
    return found
