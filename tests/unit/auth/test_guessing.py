"""What a guesser with lists of leaked passwords finds."""

import secrets

import pytest

from auth.domain.refusals import PasswordTooCommon
from auth.guessing import refuse_guessable


@pytest.mark.parametrize(
    "password",
    [
        "unicornsunicorns",
        "trustno1trustno1",
        "JohnSmith19871987",
        "letmeinletmein12",
        "qazwsxedcrfvtgb",
    ],
)
def test_what_was_leaked_is_refused(password: str) -> None:
    """Leaked passwords, names and dates, in any arrangement that guessers try."""
    with pytest.raises(PasswordTooCommon):
        refuse_guessable(password, [])


@pytest.mark.parametrize(
    "password",
    ["bright-kestrel-orbit-41", "sept-tortues-lisent-dehors", "日本語のとても長いパスワードです"],
)
def test_what_nobody_finds_soon_is_taken(password: str) -> None:
    """Several words that belong together for one person only."""
    refuse_guessable(password, ["ana", "moreau"])


def test_random_passwords_are_taken() -> None:
    """What a password manager makes passes, however long."""
    for length in (12, 48, 400):
        refuse_guessable(secrets.token_urlsafe(length), [])


def test_many_letters_in_another_dress_are_read_in_one_way() -> None:
    """All their readings would take minutes: whoever sends them must not hold the machine up."""
    dressed = "4@8({[<3691!|105$7+%2"

    refuse_guessable(dressed * 40, [])
