"""Names of one person do not contradict each other."""

import pytest

from clinical.domain.identifiers import IdentifierType, PatientIdentifier, check_identifiers
from clinical.domain.ins import TenantKind
from clinical.domain.merges import check_reason
from clinical.domain.names import check_characters, check_names
from clinical.domain.patients import Traits
from core.errors import FieldViolation, InvalidField


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


CONTROLS = ("\a", "\x1b", "\n", "\x85", *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


@pytest.mark.parametrize("sign", CONTROLS)
def test_what_nobody_writes_is_in_no_text_of_a_patient(sign: str) -> None:
    """A text that is shown otherwise than it is kept names somebody else."""
    text = f"Cu{sign}rie"
    refused: list[FieldViolation] = []
    for name in ("birth_name", "used_name", "birth_given_names", "first_birth_given_name"):
        with pytest.raises(InvalidField) as caught:
            check_characters(Traits(**{name: text}))  # type: ignore[arg-type]
        refused += caught.value.violations
    for system, value in (("CHU-X", text), (text, "1")):
        one = PatientIdentifier(system, IdentifierType.PI, value)
        with pytest.raises(InvalidField) as caught:
            check_identifiers([one], TenantKind.PRODUCTION)
        refused += caught.value.violations
    with pytest.raises(InvalidField) as caught:
        check_reason(text)

    assert {one.rule for one in (*refused, *caught.value.violations)} == {"text.control"}
    assert [one.field.rpartition(".")[2] for one in refused[4:]] == ["value", "system"]


def test_a_name_that_is_known_as_it_is_hinders_no_other_change() -> None:
    """Only what changes is judged, as with dates."""
    known = Traits(birth_name="Cu\arie")

    check_characters(Traits(birth_name="Cu\arie", used_name="D'Alméida-Œuvrard"), known)


@pytest.mark.parametrize("reason", [" ", "\u00a0\u3000"])
def test_a_merge_is_not_recorded_without_a_reason(reason: str) -> None:
    """White space is none."""
    with pytest.raises(InvalidField) as refused:
        check_reason(reason)

    assert [(one.field, one.rule) for one in refused.value.violations] == [("reason", "text.blank")]
