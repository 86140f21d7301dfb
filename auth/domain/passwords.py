"""Passwords: long, any characters, and not among those that are guessed first.

NIST SP 800-63B: at least 15 characters where a password stands alone, no rules of composition,
no periodic change, and a list of refused ones. The list holds words, since a common password
of 15 characters is a common word in a common dress: repeated, followed by digits, written with
`@` for `a`. Passwords are verified exactly as typed; they are only looked at folded.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from auth.domain.refusals import PasswordTooCommon
from core.errors import InvalidField

SHORTEST = 15
LONGEST = 1024
_FEWEST_DISTINCT = 5  # characters; fewer is a pattern that a guesser tries
_LEAST_LEFT = 6  # letters that must remain when words and sequences are taken away
_SEQUENCES = (
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn", "qwertzuiopasdfghjklyxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn",
    "1q2w3e4r5t6y7u8i9o0p", "1a2z3e4r5t6y7u8i9o0p",
)  # fmt: skip
_RUN = 4  # characters in a row that make a sequence
_LEET = str.maketrans("@4301!$57€&éèêëàâäôöûüùîïçß", "aaeoiisstceeeeeaaaoouuuiics")


@cache
def common_words() -> tuple[str, ...]:
    """The words of common passwords (English, French, German), the longest first."""
    text = files("auth.domain").joinpath("common_passwords.txt").read_text("utf-8")
    words = {line for line in text.split() if len(line) > 2}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Sequences, and common words."""
    runs = {
        each[i : i + size]
        for sequence in _SEQUENCES
        for each in (sequence, sequence[::-1])
        for size in range(_RUN, len(each) + 1)
        for i in range(len(each) - size + 1)
    }
    longest_first = sorted(runs, key=lambda run: (-len(run), run))
    return _any_of(longest_first), _any_of(common_words())


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, texts)))


def check_new_password(
    password: str, *, field: str = "password", context: Iterable[str] = ()
) -> None:
    """Refuse a password that is too short, too long or too common for a new account.

    `context` are names and addresses of the person and of where they belong. Raises InvalidField
    or PasswordTooCommon.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        bounds = f"{SHORTEST} to {LONGEST} characters"
        raise InvalidField(field=field, rule="password_length", description=bounds)
    if is_common(password, context):
        raise PasswordTooCommon


def check_changed(current: str, new: str, *, field: str) -> None:
    """Refuse a new password that is the one of before. Raises InvalidField."""
    if new == current:
        raise InvalidField(field=field, rule="password_unchanged")


def context_words(context: Iterable[str]) -> list[str]:
    """The words of names and addresses that a guesser who knows the person tries first."""
    words = {word for text in context for word in re.split(r"[\W_]+", text.casefold())}
    return sorted((word for word in words if len(word) > 2), key=lambda word: (-len(word), word))


def is_common(password: str, context: Iterable[str] = ()) -> bool:
    """Whether little is left of it without common words, sequences, repetition and context."""
    folded = password.casefold()
    known = context_words(context)
    if known:
        # Taken away before all others: a name may hold a common word.
        pattern = _any_of(known)
        folded = min(
            (pattern.sub(" ", text) for text in (folded, folded.translate(_LEET))), key=_left
        )
    if len(set(folded)) < _FEWEST_DISTINCT or _repeats(folded):
        return True
    sequences, words = _patterns()
    # Sequences first: `123456` would be letters once `1` stands for `i`.
    rest = sequences.sub(" ", folded)
    return min(_left(words.sub(" ", text)) for text in (rest, rest.translate(_LEET))) < _LEAST_LEFT


def _left(rest: str) -> int:
    """How many letters nothing explains. Two digits count as one letter."""
    digits = sum(character.isdigit() for character in rest)
    return sum(character.isalpha() for character in rest) + digits // 2


def _repeats(text: str) -> bool:
    """Whether a piece of at most a third of it, said again and again, is all of it."""
    return any(
        (text[:size] * (len(text) // size + 1))[: len(text)] == text
        for size in range(1, len(text) // 3 + 1)
    )
