"""The key of an organization, which remembers what it has derived and nothing that it opened."""

import pytest

from core.crypto.organization_keys import OrganizationKey
from core.crypto.seal import Unopenable

KEY = OrganizationKey(bytes(range(32)), bytes(32))
OTHER = OrganizationKey(bytes(range(1, 33)), bytes(32))


def test_a_value_opens_again_and_again() -> None:
    """The second time its keys are not derived anew."""
    sealed = KEY.seal(b"1 80 05 99", b"patient")

    assert [KEY.open(sealed, b"patient") for _ in range(3)] == [b"1 80 05 99"] * 3


def test_what_was_opened_before_opens_no_other_value() -> None:
    """An altered text, another context and another key are refused as if nothing was known."""
    sealed = KEY.seal(b"1 80 05 99", b"patient")
    KEY.open(sealed, b"patient")

    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, value, associated in (
        (KEY, altered, b"patient"),
        (KEY, sealed, b"another"),
        (OTHER, sealed, b"patient"),
    ):
        with pytest.raises(Unopenable):
            key.open(value, associated)
