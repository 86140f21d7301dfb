"""Currencies and their minor units."""

import pytest

from billing.domain.money import DECIMALS


@pytest.mark.parametrize(("code", "decimals"), [("JPY", 0), ("EUR", 2), ("CHF", 2), ("TND", 3)])
def test_a_currency_has_its_own_minor_unit(code: str, decimals: int) -> None:
    """As ISO 4217 has them."""
    assert DECIMALS[code] == decimals


def test_only_currencies_that_people_pay_with_are_known() -> None:
    """Three capital letters each; no metals, no testing codes."""
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in DECIMALS)
    assert not {"XAU", "XTS", "XXX", "EURO"} & DECIMALS.keys()
