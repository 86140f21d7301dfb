"""Facts of all services, taken in from their relays."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal, InvalidOperation
from uuid import UUID

from analytics.domain.facts import Fact, Kind, refuse_stranger, series_of, totals
from analytics.servicers.times import time_from_proto
from analytics.storage.store import Store
from core import identity
from core.errors import InvalidField
from medhub.analytics.v1.fact_service_pb2 import IngestFactsRequest, IngestFactsResponse
from medhub.event.v1 import audit_event_pb2 as event
from medhub.event.v1.fact_pb2 import Fact as FactMessage

MOST_DIGITS = 30
"""Of an amount, before and after the point together: sums of them stay exact and short."""

_KINDS = {
    event.EVENT_KIND_CHANGE: Kind.CHANGE,
    event.EVENT_KIND_ACCESS: Kind.ACCESS,
    event.EVENT_KIND_REFUSAL: Kind.REFUSAL,
    event.EVENT_KIND_ACT: Kind.ACT,
}


class Facts:
    """medhub.analytics.v1.FactService."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def IngestFacts(
        self, requests: AsyncIterator[IngestFactsRequest]
    ) -> AsyncIterator[IngestFactsResponse]:
        source = ""
        async for request in requests:
            source = source or request.source
            if request.source != source:
                raise InvalidField(field="source", rule="same_for_the_stream")
            refuse_stranger(source, identity.caller().service)
            facts = [fact_from_proto(source, at, one) for at, one in enumerate(request.facts)]
            yield IngestFactsResponse(batch=request.batch, counted=await self._ingest(facts))

    async def _ingest(self, facts: Sequence[Fact]) -> int:
        """Count what is new; how many that is. Organizations are taken one after the other, each
        in a transaction of its own: the repeat of a batch that failed in the middle finds them.
        """
        by_organization: dict[UUID, list[Fact]] = defaultdict(list)
        for fact in facts:
            by_organization[fact.organization].append(fact)
        counted = 0
        for organization, told in sorted(by_organization.items()):
            async with self._store.begin_for(organization) as tx:
                fresh = await tx.facts.add(told)
                await tx.facts.count(totals(fresh))
            counted += len(fresh)
        return counted


def fact_from_proto(source: str, place: int, message: FactMessage) -> Fact:
    """The fact at a place of a batch. Raises InvalidField."""
    kind = _KINDS[message.kind]
    dimensions = {one.name: one.value for one in message.dimensions}
    if len(dimensions) != len(message.dimensions):
        raise InvalidField(field=f"facts[{place}].dimensions", rule="each_once")
    said = {"method": message.method, "outcome": message.outcome, **dimensions}
    return Fact(
        organization=UUID(message.organization_id),
        event_id=UUID(message.event_id),
        source=source,
        source_seq=message.source_seq,
        occurred_at=time_from_proto(message.occurred_time, f"facts[{place}].occurred_time"),
        series=series_of(kind, source, message.entity, message.operation),
        dimensions=tuple(sorted((name, value) for name, value in said.items() if value)),
        count=message.count,
        amount=_amount(message, f"facts[{place}].amount"),
    )


def _amount(message: FactMessage, field: str) -> Decimal | None:
    if not message.HasField("amount"):
        return None
    try:
        amount = Decimal(message.amount.value)
    except InvalidOperation:
        raise InvalidField(field=field, rule="decimal") from None
    if not amount.is_finite():
        raise InvalidField(field=field, rule="decimal")
    digits, exponent = amount.as_tuple().digits, int(amount.as_tuple().exponent)
    if max(len(digits), len(digits) + exponent, -exponent) > MOST_DIGITS:
        raise InvalidField(field=field, rule="at_most_30_digits")
    return amount
