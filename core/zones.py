"""Which time zones there are."""

from functools import cache
from zoneinfo import available_timezones

# What a machine calls its own is another zone on another machine, and Factory is none.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def is_zone(name: str) -> bool:
    """Whether IANA has a zone of this name.

    `ZoneInfo` alone opens every file of the machine's database: those that count leap seconds, too.
    """
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_ZONES
