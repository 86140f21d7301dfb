"""Field paths of the contract, compiled: from a message to the persons that it names."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

# The collections whose members are persons (or act like one), and the kind that audit notes.
KINDS = {"patients": "patient", "users": "user", "serviceAccounts": "service_account"}


def has_field(message: Descriptor, path: str) -> bool:
    """Whether `a.b.c` leads somewhere from the message; repeated fields may lie on the way."""
    here: Descriptor | None = message
    for step in path.split("."):
        if here is None or step not in here.fields_by_name:
            return False
        here = here.fields_by_name[step].message_type
    return True


def values_at(message: Message, steps: tuple[str, ...]) -> list[Any]:
    """Every value at the end of the path."""
    several: list[Any] = [message]
    for step in steps:
        found: list[Any] = []
        for one in several:
            value = getattr(one, step)
            if isinstance(value, (str, Message)):
                found.append(value)
            else:
                found.extend(value)
        several = found
    return several


@dataclass(frozen=True, slots=True)
class Subjects:
    """The persons that a call concerns: where their names stand in request and response."""

    of_request: tuple[tuple[str, ...], ...]
    of_response: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, _method: str, paths: Iterable[str]) -> Self:
        """Compile `request.name`, `response.patients.name`, …"""
        split = [tuple(path.split(".")) for path in paths]
        return cls(
            of_request=tuple(p[1:] for p in split if p[0] == "request"),
            of_response=tuple(p[1:] for p in split if p[0] == "response"),
        )

    def in_request(self, message: Message) -> list[tuple[str, UUID]]:
        """Kind and id of each person that the request names."""
        return _persons(message, self.of_request)

    def in_response(self, message: Message) -> list[tuple[str, UUID]]:
        """Kind and id of each person that the response names."""
        return _persons(message, self.of_response)


def person_of(name: str) -> list[tuple[str, UUID]]:
    """Kind and id of the person that a resource name is of; none when it is of something else."""
    collection, _, text = name.partition("/")
    try:
        return [(KINDS[collection], UUID(text))]
    except (KeyError, ValueError):
        return []


def _persons(message: Message, paths: tuple[tuple[str, ...], ...]) -> list[tuple[str, UUID]]:
    found = []
    for path in paths:
        for name in values_at(message, path):
            collection, _, text = name.partition("/")
            # `patients/-` names nobody (AIP-159).
            if collection in KINDS and text != "-":
                found.append((KINDS[collection], UUID(text)))
    return found


Getter = Callable[[Message], Any]
