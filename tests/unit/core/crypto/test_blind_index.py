"""Blind indexes."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.crypto.blind_index import MAX_VALUE, blind_index, normalised
from core.crypto.seal import derive

_FULL_WIDTH = "\uff12\uff18\uff14\uff10\uff15\uff12\uff21\uff10\uff10\uff16\uff10\uff18\uff14"

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


@pytest.mark.parametrize(
    "spelling",
    ["2 84 05 2A 006 084", "284052a006084", " 284052A006084\t", _FULL_WIDTH],
)
def test_all_spellings_of_an_identifier_have_one_index(spelling: str) -> None:
    """Grouping, case, width and surrounding space make no difference."""
    expected = hmac.digest(derive(KEY, "blind-index/ins"), b"284052a006084", hashlib.sha256)

    assert blind_index(KEY, "ins", spelling) == expected


def test_indexes_of_organizations_and_fields_are_unrelated() -> None:
    """Another key or another field gives another index."""
    indexes = {
        blind_index(KEY, "ins", "1"),
        blind_index(OTHER, "ins", "1"),
        blind_index(KEY, "rpps", "1"),
        blind_index(KEY, "ins", "2"),
    }

    assert len(indexes) == 4
    assert {len(index) for index in indexes} == {32}


@pytest.mark.parametrize("value", ["", " \u00a0\n", "1" * (MAX_VALUE + 1)])
def test_a_value_that_cannot_be_searched_is_refused(value: str) -> None:
    """Nothing, and a text, are not identifiers."""
    with pytest.raises(ValueError, match="value"):
        blind_index(KEY, "ins", value)


@given(st.text(min_size=1, max_size=50))
def test_the_normal_form_is_stable(value: str) -> None:
    """Normalising twice is normalising once, or there is nothing to index."""
    try:
        once = normalised(value)
    except ValueError:
        return

    assert normalised(once) == once
