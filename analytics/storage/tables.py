"""The tables of analytics. The zero UUID as organization is the platform itself.

What is done here is not captured: each fact is made of an event of the trail, and an event about a
fact would make another fact for ever.
"""

from sqlalchemy import BigInteger, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from core.database import column, index, new_metadata, tenant_table, unique
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

metadata = new_metadata("analytics")

_FACT = "medhub.event.v1.Fact"
_OF_THE_TRAIL = "Each fact is made of an event that the trail has."

fact = tenant_table(
    "fact",
    metadata,
    column("event_id", Uuid, field=f"{_FACT}.event_id", primary_key=True),
    column("source", Text, field="medhub.analytics.v1.IngestFactsRequest.source"),
    column("source_seq", BigInteger, field=f"{_FACT}.source_seq"),
    column("occurred_at", TIMESTAMP(timezone=True), field=f"{_FACT}.occurred_time"),
    column("series", Text, internal="What it is added up with: kind, entity and operation."),
    column("dimensions", JSONB, field=f"{_FACT}.dimensions"),
    column("count", BigInteger, field=f"{_FACT}.count"),
    column("amount", Numeric, field=f"{_FACT}.amount", nullable=True),
    unique("source", "source_seq"),
    index("series", "occurred_at"),
    subject=None,
    capture=False,
    reason=_OF_THE_TRAIL,
)

figure = tenant_table(
    "figure",
    metadata,
    column("series", Text, internal="As in fact.", primary_key=True),
    column(
        "quarter",
        TIMESTAMP(timezone=True),
        internal="The quarter of an hour in which it happened.",
        primary_key=True,
    ),
    column("dimensions", JSONB, field=f"{_FACT}.dimensions", primary_key=True),
    column("count", BigInteger, field="medhub.analytics.v1.MetricCell.count"),
    column("amount", Numeric, field="medhub.analytics.v1.MetricCell.sum"),
    subject=None,
    capture=False,
    reason=_OF_THE_TRAIL,
)

receipt_tables(metadata)
restriction_tables(metadata)
