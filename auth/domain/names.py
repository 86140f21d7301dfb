"""What organizations, people, programs, roles, providers and factors are called."""

from core.errors import InvalidField
from core.texts import has_controls


def check_name(name: str, *, field: str) -> None:
    """Refuse a name that reads as another, or as several lines. Raises InvalidField.

    It stands in mails and in lists that people decide by.
    """
    if has_controls(name):
        raise InvalidField(field=field, rule="no_controls")
