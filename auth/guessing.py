"""How soon a guesser would find a password who knows the lists of leaked ones, names and words.

The lists and the reckoning are zxcvbn's. It is not asked on the event loop, and never about more
than takes a tenth of a second.
"""

from collections.abc import Sequence

from zxcvbn import zxcvbn

from auth.domain.refusals import PasswordTooCommon

FEWEST_GUESSES = 10**10
"""A guesser who has stolen the hashes makes perhaps 10,000 guesses a second (Argon2id)."""

_LONGEST = 64
"""Characters that are looked at. Whoever begins so strongly may go on as they please."""

# Letters in another dress, as zxcvbn knows them. It tries all ways in which they can be read, which
# for many different ones takes seconds; beyond a few, each is read in one way.
_DRESSED = "4@8({[<3691!|105$7+%2"
_PLAIN = "aabccccegglilliosstxz"
_MOST_DRESSED = 4


def refuse_guessable(password: str, context: Sequence[str]) -> None:
    """`context` are words of the person's own. Raises PasswordTooCommon."""
    looked_at = password[:_LONGEST]
    dressed = sorted(set(looked_at) & set(_DRESSED))
    if len(dressed) > _MOST_DRESSED:
        looked_at = looked_at.translate(str.maketrans(_DRESSED, _PLAIN))
    found = zxcvbn(looked_at, user_inputs=list(context), max_length=_LONGEST)
    if found["guesses"] < FEWEST_GUESSES:
        raise PasswordTooCommon
