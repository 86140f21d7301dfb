"""HL7 dates and times (TS, DTM, DT), read without inventing a precision or an offset."""

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from clinical.domain.hl7_values import Moment, PartialDate, Precision

_TIME: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?"
    r"([+-]\d{4})?",
    re.ASCII,
)
# Nobody alive was born before, and nothing is planned after: such years are typing errors.
# They also keep every conversion to UTC inside what datetime can hold.
EARLIEST_YEAR: Final = 1850
LATEST_YEAR: Final = 2200
# The offsets in use run from -12:00 to +14:00.
_FARTHEST: Final = timedelta(hours=14)

_PRECISIONS: Final = (
    Precision.YEAR,
    Precision.MONTH,
    Precision.DAY,
    Precision.HOUR,
    Precision.MINUTE,
    Precision.SECOND,
    Precision.FRACTION,
)


class Untimely(Exception):
    """A text is no time; `rule` names the check it breaks. The text is not quoted."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def moment_of(text: str, zone: tzinfo) -> Moment:
    """A time with its precision; `zone` is taken when no offset was written.

    A local time that occurs twice (the hour after summer time) is the first of the two. Raises
    Untimely for another syntax (time.syntax), a day or hour that does not exist or a year out
    of range (time.absurd).
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise Untimely("time.syntax")
    *parts, offset = match.groups()
    year, month, day, hour, minute, second, fraction = parts
    try:
        at = datetime(
            _year(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")),
            tzinfo=_offset(offset) if offset else zone,
        )
    except ValueError:
        raise Untimely("time.absurd") from None
    written = sum(part is not None for part in parts)
    return Moment(at, _PRECISIONS[written - 1], offset_stated=offset is not None)


def date_of(text: str) -> PartialDate:
    """A date as precise as it was written; a time of day after it is left out.

    Raises Untimely as `moment_of` does.
    """
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise Untimely("time.syntax")
    year, month, day = match.group(1, 2, 3)
    try:
        checked = date(_year(year), int(month or 1), int(day or 1))
    except ValueError:
        raise Untimely("time.absurd") from None
    return PartialDate(checked.year, checked.month if month else None, checked.day if day else None)


def _year(text: str) -> int:
    year = int(text)
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise ValueError("a year out of range")
    return year


@lru_cache(maxsize=64)
def _offset(text: str) -> timezone:
    hours, minutes = int(text[1:3]), int(text[3:5])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _FARTHEST:
        raise ValueError("an offset out of range")
    return timezone(-offset if text[0] == "-" else offset)
