"""Argon2id at its least cost, for tests that are about something else.

In earnest each password takes a tenth of a second of a core, and hundreds of tests have one. What
it costs then is held by `tests/unit/auth/test_hashing.py`; servers in processes of their own pay
it.
"""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, Type

from auth import hashing

IN_EARNEST = hashing._HASHER
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, type=Type.ID)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Passwords that are hashed in this process cost next to nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_HASHER", _CHEAP)
        yield
