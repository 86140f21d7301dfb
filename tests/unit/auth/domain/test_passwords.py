"""Which passwords are too easy."""

import secrets

import pytest

from auth.domain.passwords import LONGEST, check_new_password, is_common
from auth.domain.refusals import PasswordTooCommon
from core.errors import InvalidField


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "P@ssw0rd123456789",
        "motdepasse123456",
        "Motdepasse!2026!!",
        "correct horse battery staple",
        "azertyuiopqsdfg",
        "qwertzuiopasdfg",
        "123456789012345",
        "aaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "Sommer2025Winter2024!",
        "jetaimemonamour",
        "krankenhaus12345",
        "administrator2026",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    """Words in a common dress, sequences and repetitions, in three languages."""
    with pytest.raises(PasswordTooCommon):
        check_new_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "bright-kestrel-orbit-41",
        "tilleul-harfang-8-grue",
        "Xk29fjQpw!alzm3k",
        "日本語のとても長いパスワードです",
    ],
)
def test_what_is_not_is_taken_as_typed(password: str) -> None:
    """No rule of composition, any script."""
    check_new_password(password)


@pytest.mark.parametrize(
    "password",
    ["ana.moreau-parc-1", "Cl1n1que du P4rc 2026", "moreau.ana@parc.test", "ANA-MOREAU-ana-moreau"],
)
def test_what_is_made_of_the_persons_own_words_is_refused(password: str) -> None:
    """Name, address and organization are what a colleague guesses first."""
    context = ["ana.moreau@parc.test", "Ana Moreau", "Clinique du Parc"]

    with pytest.raises(PasswordTooCommon):
        check_new_password(password, context=context)
    check_new_password("bright-kestrel-orbit-41", context=context)


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_random_passwords_are_not_common(make: object) -> None:
    """What a password manager makes passes."""
    made = [make(16) for _ in range(200)]  # type: ignore[operator]

    assert [each for each in made if is_common(each)] == []


@pytest.mark.parametrize("password", ["", "fourteen-chars", "k" * (LONGEST + 1)])
def test_length_is_a_rule_of_the_field(password: str) -> None:
    """Fifteen characters at least, in characters and not in bytes."""
    with pytest.raises(InvalidField):
        check_new_password(password)
