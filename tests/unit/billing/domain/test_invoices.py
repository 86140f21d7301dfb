"""Invoices: totals as EN 16931 has them, and what may be done to them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.invoices import (
    LONGEST_ARREARS,
    PRICE_UNIT,
    QUANTITY_UNIT,
    Buyer,
    InvoiceFinal,
    Line,
    State,
    Treatment,
    VatCategory,
    change,
    check_currency,
    check_etag,
    draft,
    finalize,
)
from billing.domain.money import DECIMALS, MOST_MINOR, half_up
from core.errors import EtagMismatch, InvalidField
from core.ids import new_id
from tests.support.billing_office import CARE, EURO, ONE, TAXED, line, terms

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
# An oracle of its own: decimal arithmetic with room for every digit, where the domain has integers.
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
_TREATMENTS = st.one_of(
    st.sampled_from([CARE, Treatment(VatCategory.ZERO)]),
    st.integers(1, 10_000).map(lambda rate: Treatment(VatCategory.STANDARD, rate)),
)
_LINES = st.lists(
    st.builds(
        Line,
        description=st.just("Acte"),
        quantity=st.integers(1, 10**7),
        unit_price=st.integers(0, 10**10),
        treatment=_TREATMENTS,
    ),
    min_size=1,
    max_size=20,
)


def made(*lines: Line, currency: str = "EUR"):  # type: ignore[no-untyped-def]
    """A draft of these lines."""
    return draft(new_id(), new_id(), currency, terms(*lines), at=AT)


def refused(field: str, rule: str):  # type: ignore[no-untyped-def]
    """Expects the refusal of one field."""
    return pytest.raises(InvalidField, check=lambda e: _violation(e) == (field, rule))


def _violation(error: InvalidField) -> tuple[str, str]:
    [violation] = error.violations
    return violation.field, violation.rule


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-DECIMALS[currency]), context=_EXACT)


@given(lines=_LINES, currency=st.sampled_from(["EUR", "JPY", "TND"]))
def test_totals_are_those_of_exact_decimals(lines: list[Line], currency: str) -> None:
    """Every line is rounded once, every tax once for its treatment, and the rest is sums."""
    bases: dict[Treatment, Decimal] = {}
    for one in lines:
        exact = _EXACT.multiply(
            Decimal(one.quantity).scaleb(-4, _EXACT), Decimal(one.unit_price).scaleb(-6, _EXACT)
        )
        bases[one.treatment] = bases.get(one.treatment, Decimal()) + _rounded(exact, currency)
    taxes = {t: _rounded(b * Decimal(t.rate).scaleb(-4), currency) for t, b in bases.items()}

    invoice = made(*lines, currency=currency)

    minor = 10 ** DECIMALS[currency]
    assert {one.treatment: one.basis for one in invoice.taxes} == {
        t: int(b * minor) for t, b in bases.items()
    }
    assert {one.treatment: one.tax for one in invoice.taxes} == {
        t: int(tax * minor) for t, tax in taxes.items()
    }
    assert invoice.net_total == int(sum(bases.values()) * minor)
    assert invoice.tax_total == int(sum(taxes.values()) * minor)
    assert invoice.total == invoice.open == invoice.net_total + invoice.tax_total


@given(numerator=st.integers(0, 10**20), denominator=st.integers(1, 10**12))
def test_a_credit_is_exactly_the_negative(numerator: int, denominator: int) -> None:
    """Rounding goes away from zero on both sides, by half a unit at most."""
    whole = half_up(numerator, denominator)

    assert half_up(-numerator, denominator) == -whole
    assert abs(2 * (whole * denominator - numerator)) <= denominator
    assert half_up(1, 2) == 1


def test_the_tax_of_a_category_is_rounded_once() -> None:
    """Four lines whose rounded taxes would sum to another cent."""
    prices = (6833, 6833, 5750, 8500)

    invoice = made(*(line(price * EURO // 100, TAXED) for price in prices))

    assert (invoice.net_total, invoice.tax_total, invoice.total) == (27916, 5583, 33499)


def test_exempt_care_bears_its_reason_and_no_tax() -> None:
    """Care of article 261-4-1° stands beside what is taxed, each in a category of its own."""
    invoice = made(line(30 * EURO), line(100 * EURO, TAXED), line(20 * EURO))

    found = [(t.treatment.exemption_code, t.basis, t.tax) for t in invoice.taxes]
    assert found == [("VATEX-FR-CGI261-4", 5000, 0), ("", 10000, 2000)]


def test_what_costs_nothing_may_be_charged() -> None:
    """A free act is a line of nothing."""
    assert made(line(0)).total == 0


@pytest.mark.parametrize(
    ("treatment", "field", "rule"),
    [
        (Treatment(VatCategory.STANDARD, 0), "vat_rate", "vat_rate"),
        (Treatment(VatCategory.STANDARD, 10_001), "vat_rate", "vat_rate"),
        (Treatment(VatCategory.ZERO, 500), "vat_rate", "vat_rate"),
        (Treatment(VatCategory.EXEMPT), "exemption_code", "exemption_code"),
        (replace(TAXED, exemption_code="VATEX-FR-CGI261-4"), "exemption_code", "exemption_code"),
    ],
)
def test_a_treatment_that_contradicts_itself_is_refused(
    treatment: Treatment, field: str, rule: str
) -> None:
    """A rate where tax is due, a reason where none is, and neither elsewhere."""
    with refused(f"invoice.lines[1].{field}", rule):
        made(line(EURO), line(EURO, treatment))


def test_what_no_invoice_can_be_without_is_named() -> None:
    """Buyer, series and lines."""
    with refused("invoice.buyer.display_name", "required"):
        draft(new_id(), new_id(), "EUR", replace(terms(), buyer=Buyer()), at=AT)
    with refused("invoice.series", "required"):
        draft(new_id(), new_id(), "EUR", terms(series=""), at=AT)
    with refused("invoice.lines", "required"):
        draft(new_id(), new_id(), "EUR", replace(terms(), lines=()), at=AT)
    with refused("invoice.currency_code", "currency"):
        check_currency("XYZ")


def test_an_amount_beyond_all_reason_is_refused_and_never_wraps() -> None:
    """A line, or the sum of lines that each are within bounds."""
    most = MOST_MINOR * PRICE_UNIT // 100
    with refused("invoice.lines[1]", "amount"):
        made(line(EURO), line(most, quantity=ONE + 1))
    with refused("invoice.lines", "total"):
        made(line(most), line(most))
    assert made(line(most)).total == MOST_MINOR


@pytest.mark.parametrize("day", [date(1999, 12, 31), date(2100, 1, 1)])
def test_a_due_date_out_of_range_is_refused(day: date) -> None:
    """No invoice falls due in another century."""
    with refused("invoice.due_date", "date"):
        draft(new_id(), new_id(), "EUR", terms(due_date=day), at=AT)


def test_a_change_is_a_new_revision_and_no_change_is_none() -> None:
    """Totals follow the lines."""
    before = made(line(EURO))

    after = change(before, terms(line(2 * EURO)), at=AT + timedelta(hours=1))

    assert (after.total, after.etag, after.updated_at) == (200, "2", AT + timedelta(hours=1))
    assert change(before, before.terms, at=AT) is before


def test_what_is_final_is_never_changed() -> None:
    """Neither its terms nor its state."""
    final = finalize(made(line(EURO)), None, at=AT)

    assert (final.state, final.issue_date, final.etag) == (State.FINAL, AT.date(), "2")
    with pytest.raises(InvoiceFinal):
        change(final, terms(line(2 * EURO)), at=AT)
    with pytest.raises(InvoiceFinal):
        finalize(final, None, at=AT)


@pytest.mark.parametrize("days", [2, -LONGEST_ARREARS.days - 1])
def test_a_day_of_issue_far_from_today_is_refused(days: int) -> None:
    """Tomorrow may be today elsewhere; a year back is the most."""
    with refused("issue_date", "date"):
        finalize(made(line(EURO)), AT.date() + timedelta(days=days), at=AT)


def test_nothing_falls_due_before_it_is_issued() -> None:
    """BR-FR-CO-07."""
    invoice = draft(new_id(), new_id(), "EUR", terms(due_date=AT.date()), at=AT)

    with refused("issue_date", "after_due_date"):
        finalize(invoice, AT.date() + timedelta(days=1), at=AT)
    assert finalize(invoice, AT.date(), at=AT).issue_date == AT.date()


def test_a_stale_etag_is_refused() -> None:
    """What is changed is what was seen; no etag asks for no check."""
    invoice = made(line(EURO))

    check_etag(invoice, "1")
    check_etag(invoice, "")
    with pytest.raises(EtagMismatch):
        check_etag(invoice, "2")


def test_units_hold_the_decimals_that_the_rules_allow() -> None:
    """Four decimals of a quantity, six of a price: 1.2345 times 0.123456 is 15 cents."""
    assert QUANTITY_UNIT == ONE
    assert line(123456, quantity=12345).net("EUR") == 15
