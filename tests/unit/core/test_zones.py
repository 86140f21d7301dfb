"""Which time zones there are."""

import pytest

from core.zones import is_zone

# Files beside the zones, which `ZoneInfo` opens like one.
NO_ZONES = ["localtime", "posixrules", "Factory", "posix/Europe/Paris", "right/Europe/Paris"]


@pytest.mark.parametrize("name", ["Europe/Paris", "Indian/Reunion", "America/Indiana/Knox", "UTC"])
def test_what_iana_names_is_a_zone(name: str) -> None:
    """However many parts its name has."""
    assert is_zone(name)


@pytest.mark.parametrize(
    "name", [*NO_ZONES, "", "Mars/Olympus", "europe/paris", "Europe", "../etc/passwd", "UTC\0"]
)
def test_what_is_a_file_is_no_zone_yet(name: str) -> None:
    """Leap seconds put an hour elsewhere, and another machine has another time of its own."""
    assert not is_zone(name)
