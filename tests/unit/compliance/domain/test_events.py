"""The leaf of an event."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.events import clear_part, holds, leaf_data


@given(clear=st.binary(), sealed=st.binary())
def test_a_leaf_is_the_clear_part_and_the_digest_of_the_sealed_part(
    clear: bytes, sealed: bytes
) -> None:
    """The clear part is read back, and the sealed part can be checked against the leaf."""
    leaf = leaf_data(clear, sealed)

    assert leaf == clear + hashlib.sha256(sealed).digest()
    assert clear_part(leaf) == clear
    assert holds(leaf, sealed)
    assert not holds(leaf, sealed + b"\0")


def test_a_leaf_without_room_for_a_digest_is_refused() -> None:
    """Shorter bytes are no leaf."""
    with pytest.raises(ValueError, match="digest"):
        clear_part(bytes(31))
    assert not holds(b"", b"")
