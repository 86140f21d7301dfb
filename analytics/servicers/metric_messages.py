"""Metrics and their figures as the contract writes them."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal

from analytics.domain.answers import ShownBucket, ShownCell
from analytics.domain.metrics import Measure, Metric
from analytics.storage.facts import Completeness
from medhub.analytics.v1 import metric_pb2 as wire

COLLECTION = "metrics/"
COLUMNS = ("bucket_start", "bucket_end", "value", "count", "sum", "withheld")
_MEASURES = {Measure.COUNT: wire.MEASURE_COUNT, Measure.SUM: wire.MEASURE_SUM}


def metric_to_proto(metric: Metric) -> wire.Metric:
    """A line of the catalogue."""
    return wire.Metric(
        name=COLLECTION + metric.name,
        description=metric.description,
        unit=metric.unit,
        measure=_MEASURES[metric.measure],
        dimensions=metric.dimensions,
    )


def bucket_to_proto(metric: Metric, bucket: ShownBucket) -> wire.MetricBucket:
    """One bucket."""
    return wire.MetricBucket(
        start_time=_timestamp(bucket.start),
        end_time=_timestamp(bucket.end),
        cells=[
            wire.MetricCell(
                value=cell.value,
                count=cell.count,
                sum=Decimal(value=_sum(metric, cell)) if metric.measure is Measure.SUM else None,
            )
            for cell in bucket.cells
        ],
        withheld=bucket.withheld,
    )


def csv_of(metric: Metric, buckets: Sequence[ShownBucket]) -> tuple[str, int]:
    """The buckets as a file, and how many rows it has below its head."""
    rows = [row for bucket in buckets for row in _rows(metric, bucket)]
    file = io.StringIO()
    csv.writer(file).writerows([COLUMNS, *rows])
    return file.getvalue(), len(rows)


def completeness_to_proto(one: Completeness) -> wire.FactCompleteness:
    """What is held of a source."""
    return wire.FactCompleteness(
        source=one.source,
        last_seq=one.last,
        missing=[wire.FactGap(first_seq=first, last_seq=last) for first, last in one.missing],
    )


def _rows(metric: Metric, bucket: ShownBucket) -> Iterator[tuple[object, ...]]:
    start, end = bucket.start.isoformat(), bucket.end.isoformat()
    for cell in bucket.cells:
        yield start, end, cell.value, cell.count, _sum(metric, cell), ""
    if bucket.withheld:
        yield start, end, "", "", "", "yes"


def _sum(metric: Metric, cell: ShownCell) -> str:
    return f"{cell.amount:f}" if metric.measure is Measure.SUM else ""


def _timestamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made
