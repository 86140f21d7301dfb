"""Metrics: the catalogue, figures by time and value, and figures as a file."""

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.domain.answers import ShownBucket, answer
from analytics.domain.buckets import Cut, Frame, frame
from analytics.domain.metrics import Metric, dimension_of, metric_of
from analytics.servicers.metric_messages import (
    COLLECTION,
    bucket_to_proto,
    completeness_to_proto,
    csv_of,
    metric_to_proto,
)
from analytics.servicers.times import time_from_proto
from analytics.storage.store import Store, StoreTransaction
from medhub.analytics.v1 import metric_pb2 as wire
from medhub.analytics.v1.metric_service_pb2 import (
    CheckFactsRequest,
    CheckFactsResponse,
    ExportMetricsRequest,
    ExportMetricsResponse,
    ListMetricsRequest,
    ListMetricsResponse,
    QueryMetricsRequest,
    QueryMetricsResponse,
)

_CUTS = {
    wire.TIME_BUCKET_HOUR: Cut.HOUR,
    wire.TIME_BUCKET_DAY: Cut.DAY,
    wire.TIME_BUCKET_WEEK: Cut.WEEK,
    wire.TIME_BUCKET_MONTH: Cut.MONTH,
}


@dataclass(frozen=True, slots=True)
class _Question:
    metric: Metric
    dimension: str
    frame: Frame


class Metrics:
    """medhub.analytics.v1.MetricService."""

    def __init__(self, store: Store, catalogue: Mapping[str, Metric]) -> None:
        self._store = store
        self._catalogue = catalogue

    async def ListMetrics(self, request: ListMetricsRequest) -> ListMetricsResponse:
        listed = [self._catalogue[name] for name in sorted(self._catalogue)]
        return ListMetricsResponse(metrics=[metric_to_proto(metric) for metric in listed])

    async def QueryMetrics(self, request: QueryMetricsRequest) -> QueryMetricsResponse:
        question = self._question(request)
        async with self._store.begin(read_only=True) as tx:
            buckets = await _answer(tx, question)
        return QueryMetricsResponse(
            buckets=[bucket_to_proto(question.metric, bucket) for bucket in buckets]
        )

    async def ExportMetrics(self, request: ExportMetricsRequest) -> ExportMetricsResponse:
        question = self._question(request)
        async with self._store.begin() as tx:
            text, rows = csv_of(question.metric, await _answer(tx, question))
            await tx.record_export(request.metric, rows)
        return ExportMetricsResponse(csv=text, row_count=rows)

    async def CheckFacts(self, request: CheckFactsRequest) -> CheckFactsResponse:
        async with self._store.begin(read_only=True) as tx:
            sources = await tx.facts.completeness()
        return CheckFactsResponse(sources=[completeness_to_proto(one) for one in sources])

    def _question(self, request: QueryMetricsRequest | ExportMetricsRequest) -> _Question:
        """What is asked. Raises InvalidField."""
        metric = metric_of(self._catalogue, request.metric.removeprefix(COLLECTION))
        return _Question(
            metric,
            dimension_of(metric, request.dimension),
            frame(
                time_from_proto(request.start_time, "start_time"),
                time_from_proto(request.end_time, "end_time"),
                _CUTS[request.bucket],
                request.time_zone,
            ),
        )


async def _answer(tx: StoreTransaction, question: _Question) -> list[ShownBucket]:
    asked = question.frame
    return answer(asked, await tx.figures.read(question.metric, question.dimension, asked.bounds))
