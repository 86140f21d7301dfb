"""Names as they are searched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.patients import Traits
from clinical.domain.search_keys import LONGEST_KEY, keys_of, match_of, query_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("D'ALMÉIDA-Œuvrard", ("almeida", "oeuvrard")),
        ("de la Tour", ("tour",)),
        ("De La", ("de", "la")),
        ("Müller-Großmann", ("muller", "grossmann")),
        ("O\u2019Brien", ("o", "brien")),
        ("Jean Jean", ("jean",)),
        ("I\u015eIL I\u015f\u0131l \u0130\u015fil", ("isil",)),
        ("Þóra Guðrún", ("thora", "gudrun")),
        ("Ħamrun \u0166eaŋ", ("hamrun", "tean")),
        (" - ' ", ()),
    ],
)
def test_a_name_is_folded(text: str, words: tuple[str, ...]) -> None:
    """Accents, case, hyphens and particles do not matter; a name of particles keeps them."""
    assert words_of(text) == words


def test_a_double_name_is_found_by_its_parts_and_as_one() -> None:
    """However the clerk writes it."""
    keys = keys_of(Traits(birth_name="Martin-Petit", birth_given_names="Anne Marie"))

    assert keys == {"martin", "petit", "martinpetit", "anne", "marie", "annemarie"}


def test_the_longest_word_leads_a_query() -> None:
    """It leaves the fewest candidates."""
    assert query_words("li martin de") == ("martin", "li")


def test_a_match_says_why() -> None:
    """The score grows with what fits, and never passes 1."""
    traits = Traits(birth_name="Martin", used_name="Durand", birth_date="1980-05-17")

    both = match_of(traits, ("mart", "dur"), "1980-05-17", by_identifier=False)
    number = match_of(traits, ("mart",), "1980-05-17", by_identifier=True)

    assert both.matched == ("birth_date", "birth_name", "used_name")
    assert number.score == 1.0
    assert match_of(traits, ("zoe",), "1981", by_identifier=False).score == 0


@given(st.text(max_size=300))
def test_any_text_has_bounded_keys(text: str) -> None:
    """No name breaks the search, and every word of it finds it."""
    keys = keys_of(Traits(birth_name=text))

    assert all(0 < len(key) <= LONGEST_KEY for key in keys)
    assert set(words_of(text)) <= keys


@pytest.mark.parametrize(
    ("name", "typed"),
    [("De La Tour-d'Auvergne", word) for word in ("delatour", "latour", "tour", "dauvergne")]
    + [("Müller-Straße", word) for word in ("mueller", "muller", "strasse", "muellerstrasse")],
)
def test_a_name_is_found_however_its_particles_are_written(name: str, typed: str) -> None:
    """Together, apart or left out; with an umlaut or the letters that stand for it."""
    traits = Traits(birth_name=name)

    assert set(query_words(typed)) <= keys_of(traits)


def test_a_long_name_has_few_keys() -> None:
    """However long a name is, its keys grow with its words and not faster."""
    name = " ".join(["de la"] * 40 + ["Tour"])

    assert len(keys_of(Traits(birth_name=name[:200]))) < 120
