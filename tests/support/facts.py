"""Facts, as a relay tells them, and the analytics that takes them in."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.type.decimal_pb2 import Decimal

from analytics.servicers.facts import Facts
from core import identity
from core.ids import new_id
from medhub.analytics.v1.fact_service_pb2 import IngestFactsRequest
from medhub.event.v1.audit_event_pb2 import EventKind
from medhub.event.v1.fact_pb2 import Dimension, Fact

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOURCE = "clinical"
METHOD = "medhub.clinical.v1.PatientService/GetPatient"


def fact(organization: UUID, seq: int, *, at: datetime = NOON, **other: Any) -> Fact:
    """An access; `other` overrides fields, `dimensions` and `amount` in short."""
    dimensions = other.pop("dimensions", {})
    amount = other.pop("amount", None)
    values: dict[str, Any] = {
        "event_id": str(new_id()),
        "organization_id": str(organization),
        "source_seq": seq,
        "kind": EventKind.EVENT_KIND_ACCESS,
        "method": METHOD,
        "entity": "patients",
        "operation": "read",
        "count": 1,
        "dimensions": [Dimension(name=n, value=v) for n, v in dimensions.items()],
        "amount": None if amount is None else Decimal(value=amount),
    }
    made = Fact(**{**values, **other})
    made.occurred_time.FromDatetime(at)
    return made


def facts(organization: UUID, numbers: Sequence[int] | range, **other: Any) -> list[Fact]:
    """Facts with these numbers, a minute apart."""
    return [
        fact(organization, seq, at=NOON + timedelta(minutes=place), **other)
        for place, seq in enumerate(numbers)
    ]


async def tell(
    servicer: Facts, *batches: Sequence[Fact], source: str = SOURCE, server: str = ""
) -> list[int]:
    """Tell batches over one stream, as the source's own server unless said otherwise; how many of
    each were new.
    """
    caller = identity.Caller(kind=identity.Kind.SERVICE, subject=new_id(), service=server or source)
    identity.enter(identity.Call(method="medhub.test/Tell", caller=caller, purpose="operation"))

    async def requests() -> AsyncIterator[IngestFactsRequest]:
        for number, batch in enumerate(batches):
            yield IngestFactsRequest(source=source, batch=number, facts=batch)

    return [answer.counted async for answer in servicer.IngestFacts(requests())]
