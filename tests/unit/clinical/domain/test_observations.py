"""Results, as OBX brings them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clinical.domain import hl7
from clinical.domain.hl7_values import Moment, PartialDate, Precision
from clinical.domain.observations import (
    Coding,
    Observation,
    ObservationStatus,
    Value,
    ValueKind,
    observe,
)
from core.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Moment(NOON, Precision.MINUTE, offset_stated=True)
GLUCOSE = hl7.Coded("GLU", "Glycémie", "L", "2345-7", "Glucose", "LN")


def seen(**sent: object) -> Observation:
    """The result of an OBX."""
    report = hl7.Report(hl7.Coded(), filler_number="F1", observed=AT)
    told = hl7.Observation(**{"code": GLUCOSE, "status": "F", **sent})  # type: ignore[arg-type]
    return observe(new_id(), new_id(), None, report, told, at=NOON)


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (
            (hl7.Quantity(Decimal("7.30")),),
            Value(ValueKind.QUANTITY, quantity="7.30", unit="mmol/L"),
        ),
        (
            (hl7.Structured(">", Decimal("1E+2"), "", None),),
            Value(ValueKind.QUANTITY, quantity="100", comparator=">", unit="mmol/L"),
        ),
        (
            (hl7.Structured("", Decimal(1), ":", Decimal(128)),),
            Value(ValueKind.TEXT, text="1:128 mmol/L"),
        ),
        ((hl7.Coded("A", "A", "L"),), Value(ValueKind.CODED, coded=Coding("L", "A", "A"))),
        ((AT,), Value(ValueKind.MOMENT, moment=NOON)),
        ((PartialDate(1980),), Value(ValueKind.TEXT, text="1980 mmol/L")),
        (
            (hl7.Text("a"), hl7.Quantity(Decimal("0.5"))),
            Value(ValueKind.TEXT, text="a\n0.5"),
        ),
        ((), Value()),
    ],
)
def test_a_value_keeps_its_kind(values: tuple[hl7.Value, ...], value: Value) -> None:
    """Digits exactly as sent; what has no form of its own is text."""
    assert seen(values=values, unit=hl7.Coded("mmol/L", "", "UCUM")).value == value


def test_the_loinc_of_two_codes_is_taken() -> None:
    """Whichever place it stands in; without one, what the sender puts first."""
    assert seen().code == Coding("LN", "2345-7", "Glucose")
    assert seen(code=hl7.Coded("GLU", "Glycémie", "L")).code == Coding("L", "GLU", "Glycémie")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("P", ObservationStatus.PRELIMINARY),
        ("F", ObservationStatus.FINAL),
        ("C", ObservationStatus.CORRECTED),
        ("X", ObservationStatus.CANCELLED),
        ("W", ObservationStatus.ENTERED_IN_ERROR),
        ("V", ObservationStatus.FINAL),
        ("B", ObservationStatus.CORRECTED),
        ("?", ObservationStatus.PRELIMINARY),
    ],
)
def test_a_status_is_read(code: str, status: ObservationStatus) -> None:
    """A status that nobody knows is not final."""
    assert seen(status=code).status is status


@pytest.mark.parametrize(
    ("code", "of_order", "status"),
    [
        ("", "", ObservationStatus.FINAL),
        ("", "P", ObservationStatus.PRELIMINARY),
        ("", "A", ObservationStatus.PRELIMINARY),
        ("", "C", ObservationStatus.CORRECTED),
        ("F", "A", ObservationStatus.FINAL),
    ],
)
def test_a_result_without_a_status_has_that_of_its_order(
    code: str, of_order: str, status: ObservationStatus
) -> None:
    """Some results of an order (A) are not all of them."""
    report = hl7.Report(hl7.Coded(), status=of_order)
    told = hl7.Observation(GLUCOSE, status=code)

    assert observe(new_id(), new_id(), None, report, told, at=NOON).status is status


def test_what_a_correction_names() -> None:
    """Order, code and sub-id; nothing where the order has no number."""
    assert seen(sub_id="1").key == ("F1", "LN", "2345-7", "1")
    assert seen(code=hl7.Coded(text="Glycémie")).key == ("F1", "", "Glycémie", "")
    assert seen().effective_at == NOON
    report = hl7.Report(hl7.Coded())
    bare = observe(new_id(), new_id(), None, report, hl7.Observation(GLUCOSE), at=NOON)
    assert bare.key is None
