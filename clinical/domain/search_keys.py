"""Names as they are searched: accents, case, hyphens and particles do not matter."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from clinical.domain.patients import Traits

MOST_WORDS: Final = 8
"""Words of a query that are looked at; nobody types more, and each costs an index range."""

LONGEST_KEY: Final = 64
"""Characters; a longer key tells no two people apart and would not fit an index page well."""

# Letters that Unicode does not take apart into one of ASCII and its marks.
_LETTERS: Final = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"}
    | {"\u0131": "i", "þ": "th", "ð": "d", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)
_WORD: Final = re.compile(r"[^\W_]+")
# The other way in which German writes an umlaut without having one.
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# Particles that are written or left out at will; a name made of them alone keeps them.
_PARTICLES: Final = frozenset(
    {"a", "al", "d", "da", "de", "del", "della", "den", "der", "des", "di", "do", "dos", "du", "el"}
    | {"l", "la", "le", "les", "van", "von", "y", "zu"}
)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a name, folded: `D'ALMÉIDA-Œuvrard` gives ("almeida", "oeuvrard")."""
    words = _folded(text)
    meaning = [word for word in words if word not in _PARTICLES]
    return tuple(dict.fromkeys(meaning or words))


def spellings_of(name: str) -> frozenset[str]:
    """Everything that somebody may type for a name: `De La Tour-d'Auvergne` is found as `tour`,
    `latour`, `delatour`, `auvergne`, `dauvergne` and `tourauvergne`, `Müller` as `mueller` too.
    """
    found: set[str] = set()
    folded = unicodedata.normalize("NFC", name).casefold()
    for text in {folded, folded.translate(_UMLAUTS)}:
        words = words_of(text)
        found.update(words, _with_particles(_folded(text)))
        found.add("".join(words)[:LONGEST_KEY])
    return frozenset(found - {""})


def _with_particles(words: list[str]) -> Iterable[str]:
    """Each word with the particles before it written together: `la` `tour` gives `latour`."""
    for place, word in enumerate(words):
        joined = word
        for particle in reversed(words[:place]):
            if particle not in _PARTICLES:
                break
            joined = particle + joined
            yield joined[:LONGEST_KEY]


def _folded(text: str) -> list[str]:
    """The words of a name without accents and case, particles and all."""
    plain = text.casefold()
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain.translate(_LETTERS))
        plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return [word[:LONGEST_KEY] for word in _WORD.findall(plain)]


def keys_of(traits: Traits) -> frozenset[str]:
    """Every key under which a patient is found by name.

    A double name is found by each of its parts and by the parts written together, with their
    particles and without.
    """
    names = (
        traits.birth_name,
        traits.used_name,
        traits.birth_given_names,
        traits.first_birth_given_name,
    )
    return frozenset().union(*map(spellings_of, names))


def query_words(query: str) -> tuple[str, ...]:
    """The words to look for, the longest first: it leaves the fewest candidates."""
    return tuple(sorted(words_of(query), key=len, reverse=True)[:MOST_WORDS])


@dataclass(frozen=True, slots=True)
class Match:
    """How well somebody fits what was asked: from 0 to 1, with the traits that fit."""

    score: float
    matched: tuple[str, ...]


_WEIGHTS: Final = {
    "identifier": 1.0,
    "birth_date": 0.4,
    "birth_name": 0.4,
    "used_name": 0.3,
    "birth_given_names": 0.2,
}


def match_of(
    traits: Traits, words: Iterable[str], birth_date: str, *, by_identifier: bool
) -> Match:
    """Why a patient answers a search, and how strongly; it never says that two are one."""
    asked = tuple(words)
    matched = ["identifier"] if by_identifier else []
    if birth_date and traits.birth_date == birth_date:
        matched.append("birth_date")
    for name in ("birth_name", "used_name", "birth_given_names"):
        own = spellings_of(getattr(traits, name))
        if any(one.startswith(word) for word in asked for one in own):
            matched.append(name)
    score = sum(_WEIGHTS[name] for name in matched)
    return Match(min(1.0, round(score, 3)), tuple(matched))
