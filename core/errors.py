"""Refusals: the only exceptions whose reason reaches a caller.

A refusal names a fact. Its status code, its texts in three languages and the metadata keys it
may carry are declared once, on the reason's enum value in the contract
(`…/error_reason.proto`), and looked up when the refusal is translated. A refusal never quotes
data: not in a message, not in metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that is wrong: its path in the request, and the rule it breaks."""

    field: str
    rule: str
    description: str = ""


class Refusal(Exception):
    """Raised to refuse a call. Subclasses are named after the fact and set `reason`.

    `concerns` are the persons, by kind and id, of whom the refusal tells something besides whom the
    request names: it stands in their trail. No caller is told who they are.
    """

    reason: ClassVar[str]
    concerns: tuple[tuple[str, UUID], ...] = ()

    def __init__(
        self,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        """`retry_after` is in seconds; it becomes google.rpc.RetryInfo."""
        super().__init__(self.reason)
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after = retry_after


class InvalidField(Refusal):
    """A field of the request is wrong."""

    reason = "INVALID_FIELD"

    def __init__(self, *, field: str, rule: str, description: str = "") -> None:
        super().__init__(violations=(FieldViolation(field, rule, description),))


class InvalidName(InvalidField):
    """A resource name is not of the form its field asks for."""

    def __init__(self, *, field: str = "name") -> None:
        super().__init__(field=field, rule="resource_name")


class InvalidPageToken(InvalidField):
    """A page token that this method did not issue for these arguments."""

    def __init__(self) -> None:
        super().__init__(field="page_token", rule="page_token")


class NotFound(Refusal):
    """There is no such object, or it is another tenant's: the answer is the same."""

    reason = "NOT_FOUND"


class EtagMismatch(Refusal):
    """The object has changed since the caller read it (AIP-154)."""

    reason = "ETAG_MISMATCH"


class PersonRestricted(Refusal):
    """The data of the person are restricted: they are kept, and nothing is written about them."""

    reason = "PERSON_RESTRICTED"


class PersonErased(Refusal):
    """The person was erased, and no key is left to record under: nothing is written about them."""

    reason = "PERSON_ERASED"


class RequestIdReused(Refusal):
    """The request_id has been used with another request (AIP-155)."""

    reason = "REQUEST_ID_REUSED"


class Unavailable(Refusal):
    """Something this call needs cannot be reached; nothing was changed; try again."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(Refusal):
    """The call's time ran out before its work was done."""

    reason = "DEADLINE_EXCEEDED"
