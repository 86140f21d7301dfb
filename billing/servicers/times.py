"""Times and days, between the wire and the domain, in pairs."""

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from core.errors import InvalidField


def time_to_proto(at: datetime) -> Timestamp:
    """An instant."""
    return Timestamp(seconds=int(at.timestamp() // 1), nanos=at.microsecond * 1000)


def date_to_proto(day: date | None) -> Date | None:
    """A day; None stays unset."""
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def date_from_proto(message: Date, field: str) -> date | None:
    """A whole day; None for one that says nothing. Raises InvalidField for one no calendar has."""
    if not (message.year or message.month or message.day):
        return None
    try:
        return date(message.year, message.month, message.day)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="date") from None
