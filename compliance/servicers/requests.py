"""What the servicers of requests share: who enters one, since when its clocks run, its pages."""

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from compliance.domain.access_requests import Deadline, Requester
from core import identity
from core.database.pages import Key, Listing
from core.errors import InvalidField
from medhub.compliance.v1.access_request_pb2 import Deadline as WireDeadline


class Received(Protocol):
    """A request as it is entered."""

    @property
    def receive_time(self) -> Timestamp:
        """When it was received."""


def requester_of_call() -> Requester:
    """Who enters or confirms a request."""
    caller = identity.caller()
    if caller.subject is None:
        raise LookupError("who enters a request is somebody")
    return Requester(caller.kind.value, caller.subject)


def moment_of(asked: Received, field: str) -> datetime | None:
    """When a request was received, if that is said. Raises InvalidField."""
    if not asked.HasField("receive_time"):  # type: ignore[attr-defined]  # a message
        return None
    try:
        return asked.receive_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="timestamp") from None


def deadline_to_proto(deadline: Deadline) -> WireDeadline:
    """A clock that the law sets."""
    return WireDeadline(
        regime=deadline.regime,
        earliest_time=deadline.earliest_at,
        due_time=deadline.due_at,
        source=deadline.source,
    )


def listing_of(filter_: str) -> Listing:
    """What a page token of this call is good for."""
    return Listing(method=identity.call().method, filter=filter_, order="newest first")


def id_of(last: Key) -> UUID | None:
    """The last row of the page before."""
    match last:
        case (UUID() as row,):
            return row
        case _:
            return None
