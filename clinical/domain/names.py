"""Names of one person that must not contradict each other."""

from clinical.domain.patients import Traits
from clinical.domain.search_keys import words_of
from core.errors import InvalidField


def check_names(traits: Traits) -> None:
    """Raises InvalidField for a first given name that does not begin the list of them."""
    first, every = words_of(traits.first_birth_given_name), words_of(traits.birth_given_names)
    if first and every and every[: len(first)] != first:
        raise InvalidField(field="patient.first_birth_given_name", rule="given_names")
