"""Sums: read by bucket and by the values of one dimension."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from analytics.domain.answers import MOST_CELLS
from analytics.domain.facts import Total
from analytics.domain.metrics import Metric
from analytics.domain.suppression import Cell
from core.database import Transaction, statement

_MOMENT = TIMESTAMP(timezone=True)

_READ = statement(
    text("""
        SELECT width_bucket(quarter, :bounds) - 1 AS bucket,
            COALESCE(dimensions ->> :dimension, '') AS value,
            CAST(sum(count) AS bigint) AS count, sum(amount) AS amount
        FROM figure
        WHERE series = :series AND quarter >= :start AND quarter < :end
            AND (:only = '' OR dimensions ->> :only = :only_value)
        GROUP BY 1, 2 ORDER BY 1, 2 LIMIT :limit
    """).bindparams(
        bindparam("bounds", type_=ARRAY(_MOMENT)),
        bindparam("dimension", type_=Text),
        bindparam("series", type_=Text),
        bindparam("start", type_=_MOMENT),
        bindparam("end", type_=_MOMENT),
        bindparam("only", type_=Text),
        bindparam("only_value", type_=Text),
        bindparam("limit", type_=BigInteger),
    )
)


class Figures:
    """The sums of the organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def read(
        self, metric: Metric, dimension: str, bounds: Sequence[datetime]
    ) -> dict[Cell, Total]:
        """The cells of the buckets between the bounds that hold anything; one more than an answer
        may have, when there are more.
        """
        only, only_value = metric.only
        rows = await self._tx.all(
            _READ,
            bounds=list(bounds),
            dimension=dimension,
            series=metric.series,
            start=bounds[0],
            end=bounds[-1],
            only=only,
            only_value=only_value,
            limit=MOST_CELLS + 1,
        )
        return {Cell(row.bucket, row.value): Total(row.count, row.amount) for row in rows}
