"""Texts that stand on an invoice or beside a payment."""

from core.errors import InvalidField
from core.texts import has_controls


def text_from_proto(text: str, field: str) -> str:
    """A text of one line, without the blanks around it. Raises InvalidField."""
    stripped = text.strip()
    if has_controls(stripped):
        raise InvalidField(field=field, rule="text.control")
    return stripped
