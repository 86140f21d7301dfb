"""Codes of authenticator apps."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from auth.domain import totp

SEED = b"12345678901234567890"
AT = datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B; of its eight digits the last six."""
    assert totp.code_of(SEED, totp.step_at(datetime.fromtimestamp(seconds, UTC))) == code


def test_the_running_code_and_the_one_before_are_accepted() -> None:
    """No earlier one, none of the future, and nothing that is no code."""
    now = totp.step_at(AT)

    found = [totp.step_of(SEED, totp.code_of(SEED, now + off), AT) for off in (-2, -1, 0, 1)]

    assert found == [None, now - 1, now, None]
    assert totp.step_of(SEED, "\u0660" * 6, AT) is None


def test_an_app_reads_the_seed_from_the_uri() -> None:
    """The account is named, whatever its address holds."""
    uri = urlsplit(totp.provisioning_uri(SEED, "a b+c@clinic.test"))

    asked = {name: values[0] for name, values in parse_qs(uri.query).items()}
    assert (uri.scheme, uri.netloc, uri.path) == (
        "otpauth", "totp", "/medhub:a%20b%2Bc%40clinic.test",
    )  # fmt: skip
    assert asked == {
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "issuer": "medhub",
        "digits": "6",
        "period": "30",
    }
