"""Times and dates, between the wire and the domain, in pairs."""

from datetime import UTC, date, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from core.errors import InvalidField

# Nobody alive was born before, and a record of somebody dead so long is a slip of the finger.
_FIRST_YEAR: Final = 1800


def time_to_proto(at: datetime | None) -> Timestamp | None:
    """An instant; None stays unset."""
    if at is None:
        return None
    message = Timestamp()
    set_time(message, at)
    return message


def set_time(message: Timestamp, at: datetime) -> None:
    """Make a part of a message say an instant."""
    message.seconds = int(at.timestamp() // 1)
    message.nanos = at.microsecond * 1000


def time_from_proto(message: Timestamp, field: str) -> datetime:
    """An instant in UTC, to the microsecond. Raises InvalidField for one no calendar has."""
    try:
        at: datetime = message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="time") from None
    return at


def date_to_proto(text: str) -> Date | None:
    """A date of 1980, 1980-05 or 1980-05-17; "" stays unset."""
    if not text:
        return None
    message = Date()
    set_date(message, text)
    return message


def set_date(message: Date, text: str) -> None:
    """Make a part of a message say a date of 1980, 1980-05 or 1980-05-17."""
    message.year, message.month, message.day = (*map(int, text.split("-")), 0, 0)[:3]


def date_from_proto(message: Date, field: str) -> str:
    """A date cut at its precision; "" for one that says nothing. Raises InvalidField."""
    year, month, day = message.year, message.month, message.day
    if not (year or month or day):
        return ""
    try:
        whole = date(year, month or 1, day or 1)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="date") from None
    if whole.year < _FIRST_YEAR or (day and not month):
        raise InvalidField(field=field, rule="date")
    parts = [f"{year:04d}", f"{month:02d}", f"{day:02d}"]
    return "-".join(parts[: 1 + bool(month) + bool(day)])
