"""Figures: asked for by the calendar of a zone, equal to a recount, of one's own organization."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from analytics.servicers.facts import Facts
from analytics.servicers.metrics import Metrics
from analytics.storage import facts as fact_statements
from analytics.storage import figures as figure_statements
from core.database import Database
from core.errors import InvalidField
from core.ids import new_id
from medhub.analytics.v1 import metric_pb2 as wire
from medhub.analytics.v1.metric_service_pb2 import (
    ExportMetricsRequest,
    ListMetricsRequest,
    QueryMetricsRequest,
)
from medhub.event.v1.audit_event_pb2 import EventKind
from medhub.event.v1.fact_pb2 import Fact
from tests.support.facts import NOON, fact, tell
from tests.support.plans import plan_of
from tests.support.postgres import ServiceDatabase, as_caller

PARIS = "Europe/Paris"
MONTH = datetime(2026, 10, 1, tzinfo=UTC)  # a day of 25 hours is in it


@pytest.fixture
def organization() -> UUID:
    """The tenant of the test."""
    return new_id()


def question(**asked: Any) -> QueryMetricsRequest:
    """By day of October in Paris, unless said otherwise."""
    start, end = asked.pop("start", MONTH), asked.pop("end", MONTH + timedelta(days=31))
    said = {"metric": "metrics/access.showings", "bucket": wire.TIME_BUCKET_DAY, "time_zone": PARIS}
    made = QueryMetricsRequest(**{**said, **asked})
    made.start_time.FromDatetime(start)
    made.end_time.FromDatetime(end)
    return made


def cells(answer: Any) -> dict[tuple[str, str], int]:
    """Counts by the start of the bucket and the value."""
    return {
        (bucket.start_time.ToJsonString(), cell.value): cell.count
        for bucket in answer.buckets
        for cell in bucket.cells
    }


async def test_days_of_a_zone_are_equal_to_a_recount(
    intake: Facts, metrics: Metrics, organization: UUID
) -> None:
    """Each hour of October is counted in the day that a calendar in Paris shows, DST included."""
    hours = [MONTH + timedelta(hours=number) for number in range(31 * 24)]
    await tell(intake, *(
        [fact(organization, 100 * number + seq, at=at) for seq in range(1, 12)]
        for number, at in enumerate(hours)
    ))  # fmt: skip
    as_caller(organization=organization)

    answer = await metrics.QueryMetrics(question())

    recount = Counter(at.astimezone(ZoneInfo(PARIS)).date() for at in hours)
    days = [
        (bucket.start_time.ToDatetime(tzinfo=ZoneInfo(PARIS)).date(), bucket.cells[0].count)
        for bucket in answer.buckets
    ]
    assert days == [(day, 11 * count) for day, count in sorted(recount.items())]
    assert dict(days)[datetime(2026, 10, 25).date()] == 11 * 25  # noqa: DTZ001 - a date


async def test_figures_are_grouped_and_small_ones_withheld(
    intake: Facts, metrics: Metrics, organization: UUID
) -> None:
    """By value of the dimension; 5 covers itself with the smallest beside it, and it is said so."""
    calls = {"A": 40, "B": 20, "C": 5}
    told = [
        fact(organization, 1 + number, at=MONTH, method=method)
        for number, method in enumerate(m for m, count in calls.items() for _ in range(count))
    ]
    await tell(intake, told)
    as_caller(organization=organization)

    grouped = await metrics.QueryMetrics(question(dimension="method"))
    alone = await metrics.QueryMetrics(question())

    start = "2026-09-30T22:00:00Z"
    assert cells(grouped) == {(start, "A"): 40}
    assert [bucket.withheld for bucket in grouped.buckets[:2]] == [True, False]
    assert cells(alone) == {(start, ""): 65}
    assert [bucket.withheld for bucket in alone.buckets[:2]] == [False, False]
    assert len(alone.buckets) == 32


async def test_sums_are_exact_and_of_one_currency(
    intake: Facts, metrics: Metrics, organization: UUID
) -> None:
    """Only what has come to the state is summed; francs are not euros; nothing is rounded."""
    said = {"kind": EventKind.EVENT_KIND_CHANGE, "entity": "invoice", "operation": "update"}
    told: list[Fact] = []
    for currency, amount, state, many in (
        ("EUR", "0.1", "FINAL", 30), ("CHF", "1000000000000.01", "FINAL", 12),
        ("EUR", "5", "DRAFT", 50),
    ):  # fmt: skip
        told += [
            fact(
                organization, len(told) + 1 + number, at=MONTH + timedelta(days=1),
                amount=amount, dimensions={"currency_code": currency, "state": state}, **said,
            )
            for number in range(many)
        ]  # fmt: skip
    await tell(intake, told, source="billing")
    as_caller(organization=organization)

    answer = await metrics.QueryMetrics(
        question(metric="metrics/billing.invoices.amount", bucket=wire.TIME_BUCKET_MONTH)
    )

    found = [(c.value, c.count, c.sum.value) for bucket in answer.buckets for c in bucket.cells]
    assert found == [("CHF", 12, "12000000000000.12"), ("EUR", 30, "3.0")]


async def test_another_organization_sees_nothing_of_it(
    intake: Facts, metrics: Metrics, organization: UUID
) -> None:
    """Figures are of the token's organization: none, and nothing withheld, for anybody else."""
    await tell(intake, [fact(organization, seq, at=MONTH) for seq in range(1, 30)])
    as_caller(organization=new_id())

    answer = await metrics.QueryMetrics(question())

    assert cells(answer) == {}
    assert not any(bucket.withheld for bucket in answer.buckets)


async def test_an_export_is_what_the_query_shows_and_stands_in_the_trail(
    intake: Facts, metrics: Metrics, analytics: ServiceDatabase, organization: UUID
) -> None:
    """As CSV, with withheld buckets marked; who took it is recorded as an act."""
    told = [fact(organization, seq, at=MONTH) for seq in range(1, 15)]
    small = [fact(organization, 20 + seq, at=MONTH + timedelta(days=2)) for seq in range(3)]
    await tell(intake, told, small)
    as_caller(organization=organization)
    asked = question()

    exported = await metrics.ExportMetrics(
        ExportMetricsRequest.FromString(asked.SerializeToString())
    )

    rows = list(csv.DictReader(io.StringIO(exported.csv)))
    assert exported.row_count == len(rows)
    # 3 alone would be the month less the 14, so neither day is shown.
    assert [(row["bucket_start"][:10], row["count"], row["withheld"]) for row in rows] == [
        ("2026-09-30", "", "yes"),
        ("2026-10-02", "", "yes"),
    ]
    (act,) = analytics.rows(
        "SELECT kind, resource, after FROM medhub.audit_outbox WHERE kind = 'act'"
    )
    assert act == {"kind": "act", "resource": "metrics/access.showings", "after": {"rows": 2}}


async def test_the_catalogue_tells_what_can_be_asked(metrics: Metrics) -> None:
    """By name, with measure and dimensions."""
    listed = (await metrics.ListMetrics(ListMetricsRequest())).metrics

    names = [metric.name for metric in listed]
    assert names == sorted(names)
    assert "metrics/clinical.patients.created" in names
    (sums,) = (metric for metric in listed if metric.measure == wire.MEASURE_SUM)
    assert sums.name == "metrics/billing.invoices.amount"
    assert list(sums.dimensions) == ["currency_code"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"metric": "metrics/patients.names"}, "metric"),
        ({"dimension": "subject"}, "dimension"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"start": NOON, "end": MONTH}, "end_time"),
        ({"bucket": wire.TIME_BUCKET_HOUR, "end": MONTH + timedelta(days=99)}, "bucket"),
    ],
)
async def test_a_question_that_cannot_be_answered_names_its_field(
    metrics: Metrics, organization: UUID, wrong: dict[str, Any], field: str
) -> None:
    """INVALID_FIELD."""
    as_caller(organization=organization)

    with pytest.raises(InvalidField) as refused:
        await metrics.QueryMetrics(question(**wrong))

    assert refused.value.violations[0].field == field


async def test_a_moment_that_no_calendar_has_is_refused(
    metrics: Metrics, organization: UUID
) -> None:
    """INVALID_FIELD: nanoseconds below none, seconds past the last year."""
    as_caller(organization=organization)
    asked = question()
    asked.end_time.nanos = -1
    later = question()
    later.start_time.seconds = 2**60

    for wrong, field in ((asked, "end_time"), (later, "start_time")):
        with pytest.raises(InvalidField) as refused:
            await metrics.QueryMetrics(wrong)
        assert refused.value.violations[0].field == field


async def test_hot_statements_are_read_by_their_keys(
    intake: Facts, db: Database, organization: UUID
) -> None:
    """As the app role behind row-level security: sums by series and time, facts by id."""
    await tell(intake, [fact(organization, seq, at=MONTH) for seq in range(1, 300)])
    as_caller(organization=organization)

    read = await plan_of(
        db, figure_statements._READ, bounds=[MONTH, NOON], dimension="method", series="access",
        start=MONTH, end=NOON, only="", only_value="", limit=10,
    )  # fmt: skip
    held = await plan_of(db, fact_statements._HELD, ids=[new_id()])

    assert "pk_figure" in read
    assert "quarter >=" in read.partition("Index Cond:")[2]
    assert "pk_fact" in held
    assert "Seq Scan" not in read + held
