"""Times on the wire."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from core.errors import InvalidField


def timestamp(at: datetime | None) -> Timestamp | None:
    """`at` for a message; None leaves the field unset."""
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made


def moment_from(asked: Timestamp, *, field: str, rule: str = "timestamp") -> datetime:
    """The time that a message says, in UTC. Raises InvalidField for one that is none."""
    try:
        return asked.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule=rule) from None
