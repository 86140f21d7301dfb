"""Money and decimals on the wire: exact both ways, and refused where they cannot be."""

import pytest
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import DECIMALS, MOST_MINOR
from billing.servicers.amounts import (
    decimal_from_proto,
    decimal_to_proto,
    money_from_proto,
    money_to_proto,
    price_from_proto,
    price_to_proto,
)
from core.errors import InvalidField

CURRENCIES = st.sampled_from(sorted(DECIMALS))


@given(minor=st.integers(0, MOST_MINOR), currency=CURRENCIES)
def test_money_comes_back_as_it_went(minor: int, currency: str) -> None:
    """In every currency."""
    assert money_from_proto(money_to_proto(minor, currency), "amount") == (minor, currency)


@given(price=st.integers(0, 10**18))
def test_a_price_comes_back_as_it_went(price: int) -> None:
    """With its six decimals."""
    sent = price_to_proto(price, 10**6, "EUR")

    assert price_from_proto(sent, 10**6, "EUR", "price") == price


@given(scaled=st.integers(0, 10**13 - 1))
def test_a_decimal_comes_back_as_it_went(scaled: int) -> None:
    """With its four decimals, and none too many."""
    sent = decimal_to_proto(scaled, 10**4)

    assert decimal_from_proto(sent, 10**4, "quantity") == scaled
    assert not sent.value.endswith(".")
    assert "." not in sent.value or not sent.value.endswith("0")


def test_less_than_nothing_has_its_sign_in_both_parts() -> None:
    """As google.type.Money asks: a balance can be negative."""
    assert money_to_proto(-150, "EUR") == Money(currency_code="EUR", units=-1, nanos=-500_000_000)


@pytest.mark.parametrize(
    "money",
    [
        Money(units=1),
        Money(currency_code="XYZ", units=1),
        Money(currency_code="eur", units=1),
        Money(currency_code="EUR", units=-1),
        Money(currency_code="EUR", units=1, nanos=-10_000_000),
        Money(currency_code="EUR", units=1, nanos=1_000_000_000),
        Money(currency_code="EUR", units=1, nanos=1),
        Money(currency_code="JPY", units=1, nanos=500_000_000),
        Money(currency_code="EUR", units=2**63 - 1),
    ],
)
def test_what_is_no_amount_is_refused(money: Money) -> None:
    """Unknown currencies, signs, parts of a cent, and more than there is."""
    with pytest.raises(InvalidField) as refused:
        money_from_proto(money, "payment.amount")

    assert refused.value.violations[0].field.startswith("payment.amount")


def test_a_price_in_another_currency_is_refused() -> None:
    """An invoice is in one."""
    with pytest.raises(InvalidField) as refused:
        price_from_proto(Money(currency_code="USD", units=1), 10**6, "EUR", "unit_price")

    assert refused.value.violations[0].field == "unit_price.currency_code"


@pytest.mark.parametrize(
    "text",
    [
        "1." + "0" * 30,
        "0." + "3" * 30,
        "-1",
        "+1",
        "1e3",
        "1,5",
        " 1",
        "1.",
        ".5",
        "NaN",
        "٣",
        "9" * 30,
    ],
)
def test_what_is_no_decimal_is_refused(text: str) -> None:
    """Thirty decimals, signs, exponents, other digits: nothing is rounded or guessed."""
    with pytest.raises(InvalidField) as refused:
        decimal_from_proto(Decimal(value=text), 10**4, "quantity")

    assert refused.value.violations[0].field == "quantity"
