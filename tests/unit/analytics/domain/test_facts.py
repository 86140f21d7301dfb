"""What a fact counts for, and what can be asked of the catalogue."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.domain.answers import MOST_CELLS, TooManyCells, answer
from analytics.domain.buckets import Cut, frame
from analytics.domain.facts import Fact, Kind, Place, Total, series_of, totals
from analytics.domain.metrics import METRICS, Measure, Metric, dimension_of, metric_of
from analytics.domain.suppression import Cell
from core.errors import InvalidField
from core.ids import new_id

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FACT = Fact(
    organization=new_id(),
    event_id=new_id(),
    source="billing",
    source_seq=1,
    occurred_at=NOON + timedelta(minutes=7),
    series="billing.invoice.update",
    dimensions=(("currency", "EUR"),),
    count=1,
    amount=Decimal("12.30"),
)
AMOUNTS = Metric(
    "invoiced", "Invoiced.", "currency", "billing.invoice.update", ("currency", "kind"), Measure.SUM
)


@pytest.mark.parametrize(
    ("kind", "series"),
    [
        (Kind.CHANGE, "clinical.patient.insert"),
        (Kind.ACCESS, "access"),
        (Kind.REFUSAL, "refusal"),
        (Kind.ACT, "insert"),
    ],
)
def test_facts_are_added_up_by_what_they_are_of(kind: Kind, series: str) -> None:
    """Accesses and refusals of every entity go together; a change and an act stand alone."""
    assert series_of(kind, "clinical", "patient", "insert") == series


def test_facts_of_one_quarter_and_value_are_one_sum() -> None:
    """Counts and exact amounts; another quarter or value is another sum."""
    later = replace(FACT, occurred_at=NOON + timedelta(minutes=15), amount=None)
    francs = replace(FACT, dimensions=(("currency", "CHF"),), count=3)

    made = totals([FACT, replace(FACT, amount=Decimal("0.05")), later, francs])

    assert made == {
        Place(FACT.series, NOON, (("currency", "CHF"),)): Total(3, Decimal("12.30")),
        Place(FACT.series, NOON, FACT.dimensions): Total(2, Decimal("12.35")),
        Place(FACT.series, NOON + timedelta(minutes=15), FACT.dimensions): Total(1, Decimal(0)),
    }


def test_an_unknown_metric_is_refused_by_its_field() -> None:
    """INVALID_FIELD on `metric`."""
    with pytest.raises(InvalidField) as refused:
        metric_of(METRICS, "patients.names")

    assert refused.value.violations[0].field == "metric"


@pytest.mark.parametrize(
    ("metric", "dimension"),
    [(METRICS["access.showings"], "patient"), (AMOUNTS, "kind"), (AMOUNTS, "reason")],
)
def test_what_it_cannot_be_grouped_by_is_refused_by_its_field(
    metric: Metric, dimension: str
) -> None:
    """INVALID_FIELD on `dimension`; amounts of two currencies are never added."""
    with pytest.raises(InvalidField) as refused:
        dimension_of(metric, dimension)

    assert refused.value.violations[0].field == "dimension"


def test_a_sum_is_always_grouped_by_what_it_cannot_be_added_across() -> None:
    """Asking for no dimension is asking for the first; a count is then one figure."""
    assert dimension_of(AMOUNTS, "") == "currency"
    assert dimension_of(METRICS["access.showings"], "") == ""


def test_the_catalogue_is_well_formed() -> None:
    """Each metric has the name it is listed under, as the contract spells names."""
    for name, metric in METRICS.items():
        assert name == metric.name
        assert re.fullmatch("[a-z0-9_.]{1,64}", name)
        assert metric.description
        assert metric.unit


def test_too_many_cells_are_refused() -> None:
    """TOO_MANY_CELLS: an answer that no client could take."""
    days = frame(NOON, NOON + timedelta(days=1), Cut.DAY, "UTC")
    many = {Cell(0, str(number)): Total(11, Decimal(0)) for number in range(MOST_CELLS + 1)}

    with pytest.raises(TooManyCells):
        answer(days, many)


def test_only_what_was_asked_for_is_answered() -> None:
    """The rest of the month decides what is withheld, and is not shown."""
    day = frame(NOON, NOON + timedelta(hours=1), Cut.DAY, "UTC")
    figures = {Cell(number, ""): Total(20, Decimal(0)) for number in range(30)}

    (bucket,) = answer(day, figures)

    assert (bucket.start, bucket.withheld) == (NOON.replace(hour=0), False)
    assert [cell.count for cell in bucket.cells] == [20]
