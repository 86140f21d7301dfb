"""Whom the relays of a service send to: compliance its events, analytics its facts."""

import re
from collections.abc import Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

import grpc
from google.type.decimal_pb2 import Decimal

from core.audit.keys import Keys
from core.audit.parts import EVENT_KINDS
from core.audit.sealing import Sealer
from core.database.capture import OTHER
from core.database.facts import Waiting
from core.database.outbox import Entry
from medhub.analytics.v1.fact_service_pb2 import IngestFactsRequest, IngestFactsResponse
from medhub.analytics.v1.fact_service_pb2_grpc import FactServiceStub
from medhub.compliance.v1.audit_service_pb2 import AppendEventsRequest, AppendEventsResponse
from medhub.compliance.v1.audit_service_pb2_grpc import AuditServiceStub
from medhub.event.v1.audit_event_pb2 import SealedEvent
from medhub.event.v1.fact_pb2 import Dimension, Fact

# What the contract takes for words of a fact. One that is none must not hold up what is behind it.
_WORD = re.compile(r"[A-Za-z0-9_./]{0,63}")
_METHOD = re.compile(r"[A-Za-z0-9_./]{0,200}")
_OUTCOME = re.compile(r"[A-Z0-9_]{0,63}")


class Compliance:
    """Takes sealed events, and recognises a repeat by its id and its clear part: sealing is random,
    so the sealed bytes of a repeat differ.
    """

    name = "compliance"

    def __init__(self, source: str, channel: grpc.aio.Channel) -> None:
        self._source = source
        self._stub: Any = AuditServiceStub(channel)
        self._sealer = Sealer(source, Keys(channel))

    async def prepare(self, items: Sequence[Entry]) -> list[SealedEvent]:
        """The events, sealed. Raises grpc.aio.AioRpcError, Unavailable."""
        return await self._sealer.seal(items)

    def stream(self) -> Any:
        """A new stream."""
        return self._stub.AppendEvents()

    def request(self, batch: int, messages: Sequence[Any]) -> AppendEventsRequest:
        """A batch of events."""
        return AppendEventsRequest(source=self._source, batch=batch, events=messages)

    def answers(self, answer: AppendEventsResponse, request: AppendEventsRequest) -> bool:
        """Whether it is of this batch, and of all its events."""
        return answer.batch == request.batch and len(answer.leaf_indexes) == len(request.events)


class Analytics:
    """Takes facts, which are about nobody, so nothing of them is sealed."""

    name = "analytics"

    def __init__(self, source: str, channel: grpc.aio.Channel) -> None:
        self._source = source
        self._stub: Any = FactServiceStub(channel)

    async def prepare(self, items: Sequence[Waiting]) -> list[Fact]:
        """The facts."""
        return [fact_to_proto(fact) for fact in items]

    def stream(self) -> Any:
        """A new stream."""
        return self._stub.IngestFacts()

    def request(self, batch: int, messages: Sequence[Any]) -> IngestFactsRequest:
        """A batch of facts."""
        return IngestFactsRequest(source=self._source, batch=batch, facts=messages)

    def answers(self, answer: IngestFactsResponse, request: IngestFactsRequest) -> bool:
        """Whether it is of this batch."""
        return answer.batch == request.batch


def fact_to_proto(fact: Waiting) -> Fact:
    """A fact as it is told."""
    figures = fact.figures or {}
    told = Fact(
        event_id=str(fact.id),
        organization_id=str(fact.organization_id),
        source_seq=fact.source_seq,
        kind=EVENT_KINDS[fact.kind],
        method=_word(fact.method, _METHOD),
        entity=_word(fact.entity, _WORD).lower(),
        operation=_word(fact.operation, _WORD).lower(),
        outcome=_word(fact.outcome, _OUTCOME),
        count=fact.count,
        dimensions=[
            Dimension(name=name, value=value)
            for name, value in sorted(figures.get("dimensions", {}).items())
        ],
        amount=Decimal(value=figures["amount"]) if "amount" in figures else None,
    )
    told.occurred_time.FromDatetime(fact.occurred_at.astimezone(UTC))
    return told


@lru_cache(maxsize=1024)
def _word(text: str, shape: re.Pattern[str]) -> str:
    return text if shape.fullmatch(text) else OTHER
