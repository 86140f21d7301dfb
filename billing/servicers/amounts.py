"""Money and decimals, between the wire and the domain's integers, in pairs.

Nothing is rounded here: what has more decimals than it may have is refused.
"""

import re
from typing import Final

from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from billing.domain.money import DECIMALS, MOST_MINOR
from core.errors import InvalidField

MOST_PRICE: Final = 10**18
"""The largest scaled price: it fits a bigint, and times any quantity it is refused as an amount."""

_NANOS: Final = 10**9
_DECIMAL: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?")


def money_to_proto(minor: int, currency: str) -> Money:
    """An amount of minor units. Both parts have its sign, as google.type.Money asks."""
    one = 10 ** DECIMALS[currency]
    units, rest = divmod(abs(minor), one)
    sign = -1 if minor < 0 else 1
    return Money(currency_code=currency, units=sign * units, nanos=sign * rest * (_NANOS // one))


def money_from_proto(message: Money, field: str) -> tuple[int, str]:
    """Minor units and their currency. Raises InvalidField for what is no amount to be paid:
    an unknown currency, less than nothing, a part of a minor unit, more than anything costs.
    """
    currency = message.currency_code
    if currency not in DECIMALS:
        raise InvalidField(field=f"{field}.currency_code", rule="currency")
    return _scaled(message, 10 ** DECIMALS[currency], MOST_MINOR, field), currency


def price_to_proto(price: int, unit: int, currency: str) -> Money:
    """A price of `unit`ths of the major unit."""
    units, rest = divmod(price, unit)
    return Money(currency_code=currency, units=units, nanos=rest * (_NANOS // unit))


def price_from_proto(message: Money, unit: int, currency: str, field: str) -> int:
    """A price in `unit`ths. Raises InvalidField, for another currency too."""
    if message.currency_code != currency:
        raise InvalidField(field=f"{field}.currency_code", rule="currency")
    return _scaled(message, unit, MOST_PRICE, field)


def decimal_to_proto(scaled: int, unit: int) -> Decimal:
    """A number of `unit`ths, as short as it can be written."""
    whole, rest = divmod(scaled, unit)
    decimals = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return Decimal(value=f"{whole}.{decimals}" if decimals else str(whole))


def decimal_from_proto(message: Decimal, unit: int, field: str) -> int:
    """A number in `unit`ths; 0 for one that says nothing. Raises InvalidField for one below zero,
    with more decimals than the unit has, or longer than any that is meant.
    """
    if not message.value:
        return 0
    found = _DECIMAL.fullmatch(message.value)
    places = len(str(unit)) - 1
    if found is None or len(found[2] or "") > places:
        raise InvalidField(field=field, rule="decimal")
    return int(found[1]) * unit + int((found[2] or "").ljust(places, "0"))


def _scaled(message: Money, unit: int, most: int, field: str) -> int:
    units: int = message.units
    if not 0 <= units <= most // unit or not 0 <= message.nanos < _NANOS:
        raise InvalidField(field=field, rule="amount")
    rest, beyond = divmod(message.nanos, _NANOS // unit)
    if beyond:
        raise InvalidField(field=field, rule="decimals")
    return units * unit + int(rest)
