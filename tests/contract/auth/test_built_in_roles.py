"""The built-in roles and the contracts speak of the same permissions."""

from auth.domain.roles import BUILT_IN, DISPLAY_NAMES
from core.contract import everything


def test_every_permission_of_a_role_is_declared() -> None:
    """A role cannot give what no method asks for."""
    given = frozenset().union(*BUILT_IN.values())

    assert given - everything().permissions == frozenset()


def test_every_declared_permission_is_in_some_role() -> None:
    """A method that nobody could ever call would be a fault."""
    given = frozenset().union(*BUILT_IN.values())

    assert everything().permissions - given == frozenset()


def test_every_role_has_a_name() -> None:
    """People read names, not ids."""
    assert set(DISPLAY_NAMES) == set(BUILT_IN)
