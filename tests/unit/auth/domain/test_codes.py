"""Codes that are sent, and codes on paper."""

from auth.domain.codes import (
    BACKUP_CODES,
    new_backup_codes,
    new_sent_code,
    read_backup_code,
    sent_code_hash,
)


def test_a_sent_code_answers_its_challenge_alone() -> None:
    """What is kept differs by challenge, by code and by the server's key."""
    code = new_sent_code()

    kept = sent_code_hash(b"k" * 32, b"one", code)

    assert len(code) == 6
    assert code.isdigit()
    assert kept == sent_code_hash(b"k" * 32, b"one", code)
    assert kept != sent_code_hash(b"k" * 32, b"other", code)
    assert kept != sent_code_hash(b"x" * 32, b"one", code)


def test_a_backup_code_says_its_place_however_it_is_typed() -> None:
    """Small letters, spaces for hyphens, and letters that look like digits are all the same."""
    codes = new_backup_codes()

    read = [read_backup_code(code) for code in codes]

    assert [one[0] for one in read if one] == list(range(BACKUP_CODES))
    assert len({one[1] for one in read if one}) == BACKUP_CODES
    assert read_backup_code(codes[4].lower().replace("-", " ")) == read[4]
    assert read_backup_code("3-abcdo-1234L") == (3, "ABCD012341")


def test_what_is_no_backup_code_is_none() -> None:
    """Too short, too long, or of letters that no code has."""
    for typed in ("", "3", "3-ABCDE-1234", "3-ABCDE-123456", "X-ABCDE-12345", "3-ABCDU-12345"):
        assert read_backup_code(typed) is None
