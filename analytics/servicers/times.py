"""Instants, from the wire to the domain."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from core.errors import InvalidField


def time_from_proto(message: Timestamp, field: str) -> datetime:
    """An instant in UTC. Raises InvalidField for one no calendar has."""
    try:
        at: datetime = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="time") from None
    return at
