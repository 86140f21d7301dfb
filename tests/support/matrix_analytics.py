"""Requests to analytics."""

from datetime import timedelta
from typing import Any, TypeVar

from core.ids import new_id
from medhub.analytics.v1 import fact_service_pb2, metric_pb2
from medhub.analytics.v1 import metric_service_pb2 as metrics
from tests.support.facts import NOON, SOURCE, fact
from tests.support.matrix_requests import asks
from tests.support.matrix_world import Side

_METRICS = "medhub.analytics.v1.MetricService"
_Asked = TypeVar("_Asked", metrics.QueryMetricsRequest, metrics.ExportMetricsRequest)


@asks("medhub.analytics.v1.FactService/IngestFacts")
async def ingest_facts(side: Side) -> fact_service_pb2.IngestFactsRequest:
    # An organization of its own, so that the figures of the tests stay theirs.
    return fact_service_pb2.IngestFactsRequest(source=SOURCE, batch=1, facts=[fact(new_id(), 1)])


@asks(f"{_METRICS}/CheckFacts")
async def check_facts(side: Side) -> metrics.CheckFactsRequest:
    return metrics.CheckFactsRequest()


@asks(f"{_METRICS}/ListMetrics")
async def list_metrics(side: Side) -> metrics.ListMetricsRequest:
    return metrics.ListMetricsRequest()


@asks(f"{_METRICS}/QueryMetrics")
async def query_metrics(side: Side) -> metrics.QueryMetricsRequest:
    return question(metrics.QueryMetricsRequest())


@asks(f"{_METRICS}/ExportMetrics")
async def export_metrics(side: Side) -> metrics.ExportMetricsRequest:
    return question(metrics.ExportMetricsRequest())


def question(made: _Asked, **other: Any) -> _Asked:
    """Showings by method of a day; `other` overrides fields."""
    said: dict[str, Any] = {
        "metric": "metrics/access.showings",
        "dimension": "method",
        "bucket": metric_pb2.TIME_BUCKET_DAY,
        "time_zone": "Europe/Paris",
    }
    for field, value in {**said, **other}.items():
        setattr(made, field, value)
    made.start_time.FromDatetime(NOON)
    made.end_time.FromDatetime(NOON + timedelta(hours=1))
    return made
