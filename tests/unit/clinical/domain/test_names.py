"""Names of one person do not contradict each other."""

import pytest

from clinical.domain.names import check_names
from clinical.domain.patients import Traits
from core.errors import InvalidField


@pytest.mark.parametrize(
    ("first", "every"),
    [("Jean", "Jean Luc"), ("Jean-Luc", "JEAN LUC Marie"), ("", "Jean"), ("Jean", "")],
)
def test_a_list_of_given_names_begins_with_the_first(first: str, every: str) -> None:
    """Accents, case and hyphens do not matter, and what is not known contradicts nothing."""
    traits = Traits(birth_name="Curie", first_birth_given_name=first, birth_given_names=every)

    check_names(traits)


def test_given_names_that_contradict_each_other_are_refused() -> None:
    """Two fields never say two different first names."""
    traits = Traits(birth_name="Curie", first_birth_given_name="Marcel", birth_given_names="Marc")

    with pytest.raises(InvalidField) as refused:
        check_names(traits)

    assert refused.value.violations[0].field == "patient.first_birth_given_name"
