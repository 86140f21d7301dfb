"""Names of one person: what they may hold, and that they do not contradict each other."""

from typing import Final

from clinical.domain.patients import Traits
from clinical.domain.search_keys import words_of
from core.errors import InvalidField
from core.texts import has_controls

_NAMES: Final = ("birth_name", "used_name", "birth_given_names", "first_birth_given_name")


def check_characters(traits: Traits, known: Traits | None = None) -> None:
    """Raises InvalidField for a name with control characters, unless it is `known` as it is."""
    for name in _NAMES:
        text = getattr(traits, name)
        if has_controls(text) and (known is None or text != getattr(known, name)):
            raise InvalidField(field=f"patient.{name}", rule="text.control")


def check_names(traits: Traits) -> None:
    """Raises InvalidField for a first given name that does not begin the list of them."""
    first, every = words_of(traits.first_birth_given_name), words_of(traits.birth_given_names)
    if first and every and every[: len(first)] != first:
        raise InvalidField(field="patient.first_birth_given_name", rule="given_names")
