"""Names of keys."""

from uuid import UUID

import pytest

from compliance.domain.keys import KeyName

NAME = KeyName(UUID(int=7), "2026-11")


def test_a_name_is_read_as_it_is_written() -> None:
    """The pair keeps what it says."""
    assert KeyName.parse(NAME.text()) == NAME


@pytest.mark.parametrize(
    "text", ["", "2026-11", f"{UUID(int=7)}", f"{UUID(int=7)}.2026-13", "x.2026-11"]
)
def test_what_is_no_name_names_no_key(text: str) -> None:
    """A key that cannot exist is one that is gone: no error, no key."""
    assert KeyName.parse(text) is None
