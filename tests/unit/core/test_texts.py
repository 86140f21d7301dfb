"""What a text that people read may hold, and what they read of it."""

import pytest

from core.texts import has_controls, said


@pytest.mark.parametrize("text", ["Zoé", "O'Brien-Müller", "Đặng", "نیلوفر", "می‌خواهم", "क्‍ष", ""])
def test_a_name_of_any_script_is_one(text: str) -> None:
    """Joiners without a width too: Persian and the scripts of India write with them."""
    assert not has_controls(text)


@pytest.mark.parametrize(
    "sign", ["\x00", "\n", "\x7f", "\x9f", "\u202e", "\u2066", "\u200b", "\u2060", "\ufeff"]
)
def test_what_nobody_sees_is_told(sign: str) -> None:
    """By it a name would read as another one, or two that read alike would differ."""
    assert has_controls(f"MAR{sign}TIN")
    assert has_controls(sign)


def test_what_is_not_seen_says_nothing() -> None:
    """White space around a text neither, whatever it is made of."""
    assert said(" \t\u00a0Unconscious,\u200b no relatives\u2003\n") == "Unconscious, no relatives"
    assert said("\u200b \u00a0\u3000") == ""
