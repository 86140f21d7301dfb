"""Analytics over the wire: who may tell facts, see figures and take them away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from core.ids import new_id
from medhub.analytics.v1 import metric_pb2
from medhub.analytics.v1 import metric_service_pb2 as wire
from medhub.analytics.v1.fact_service_pb2 import IngestFactsRequest
from medhub.analytics.v1.fact_service_pb2_grpc import FactServiceStub
from medhub.analytics.v1.metric_service_pb2_grpc import MetricServiceStub
from medhub.event.v1.audit_event_pb2 import EventKind
from medhub.event.v1.fact_pb2 import Fact
from tests.support.facts import METHOD, SOURCE, fact
from tests.support.matrix_analytics import question
from tests.support.servers import Served, bearer, reason_of

INGEST, VIEW, EXPORT, VERIFY = (
    "analytics.facts.ingest",
    "analytics.metrics.view",
    "analytics.metrics.export",
    "analytics.facts.verify",
)


class _Client:
    """Calls the services with one token."""

    def __init__(self, served: Served, token: str) -> None:
        self._metrics: Any = MetricServiceStub(served.channel)
        self._facts: Any = FactServiceStub(served.channel)
        self._metadata = bearer(token)

    async def __call__(self, method: str, request: Any) -> Any:
        return await getattr(self._metrics, method)(request, metadata=self._metadata, timeout=20)

    async def tell(self, *batches: Sequence[Fact]) -> list[int]:
        async def requests() -> AsyncIterator[IngestFactsRequest]:
            for number, batch in enumerate(batches):
                yield IngestFactsRequest(source=SOURCE, batch=number, facts=batch)

        answers = self._facts.IngestFacts(requests(), metadata=self._metadata)
        return [answer.counted async for answer in answers]


@pytest.fixture
def organization() -> UUID:
    """The tenant of the test."""
    return new_id()


@pytest.fixture
def relay(served: Served) -> _Client:
    """A service's relay, whose token names no organization."""
    return _Client(served, served.authority.token(INGEST, service=SOURCE))


@pytest.fixture
def analyst(served: Served, organization: UUID) -> _Client:
    """Who may see figures, and no more."""
    return _Client(served, served.authority.token(VIEW, organization=organization))


async def _refused(call: Any) -> tuple[grpc.StatusCode, str, list[str]]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = refused.value
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    fields = error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(details).details:
        detail.Unpack(fields)
    named = [violation.field for violation in fields.field_violations]
    return error.code(), reason_of(error), named


async def test_what_a_relay_tells_is_shown(
    relay: _Client, analyst: _Client, organization: UUID
) -> None:
    """Batch by batch, each answered when it is durable; then it is counted."""
    told = [fact(organization, seq) for seq in range(1, 31)]

    assert await relay.tell(told[:10], told[5:]) == [10, 20]

    (day,) = (await analyst("QueryMetrics", question(wire.QueryMetricsRequest()))).buckets
    assert [(cell.value, cell.count) for cell in day.cells] == [(METHOD, 30)]
    assert not day.withheld


async def test_seeing_is_not_taking_away(
    served: Served, analyst: _Client, organization: UUID
) -> None:
    """Two permissions, neither of which gives the other."""
    taker = _Client(served, served.authority.token(EXPORT, organization=organization))
    export, query = question(wire.ExportMetricsRequest()), question(wire.QueryMetricsRequest())
    denied: Any = (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", [])

    assert await _refused(analyst("ExportMetrics", export)) == denied
    assert await _refused(taker("QueryMetrics", query)) == denied
    assert (await taker("ExportMetrics", export)).csv.startswith("bucket_start,bucket_end,value")


async def test_only_relays_tell_facts(analyst: _Client, organization: UUID) -> None:
    """Whoever may see figures cannot make them up."""
    refused = await _refused(analyst.tell([fact(organization, 1)]))

    assert refused == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED", [])


async def test_a_source_is_its_own_servers(served: Served, organization: UUID) -> None:
    """FACT_SOURCE_NOT_YOURS: nobody tells facts in another server's name, nor without one."""
    other = _Client(served, served.authority.token(INGEST, service="auth"))
    nobody = _Client(served, served.authority.token(INGEST, kind="service"))

    refused = [await _refused(one.tell([fact(organization, 1)])) for one in (other, nobody)]

    assert refused == 2 * [(grpc.StatusCode.PERMISSION_DENIED, "FACT_SOURCE_NOT_YOURS", [])]


async def test_another_story_under_a_known_id_is_refused(
    relay: _Client, organization: UUID
) -> None:
    """FACT_CONFLICT: the source is at fault."""
    told = fact(organization, 1)
    await relay.tell([told])
    told.count = 7

    refused = await _refused(relay.tell([told]))

    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "FACT_CONFLICT", [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"dimensions": {"state": "Marie Curie"}}, "facts[0].dimensions[0].value"),
        ({"dimensions": {"Name": "X"}}, "facts[0].dimensions[0].name"),
        ({"method": "x y"}, "facts[0].method"),
        ({"outcome": "she was ill"}, "facts[0].outcome"),
        ({"source_seq": 0}, "facts[0].source_seq"),
        ({"event_id": "no uuid"}, "facts[0].event_id"),
        ({"organization_id": ""}, "facts[0].organization_id"),
        ({"kind": EventKind.EVENT_KIND_UNSPECIFIED}, "facts[0].kind"),
        ({"count": 0}, "facts[0].count"),
        ({"amount": "0." + "1" * 31}, "facts[0].amount"),
    ],
)
async def test_what_is_no_fact_is_refused_by_its_field(
    relay: _Client, organization: UUID, wrong: dict[str, Any], field: str
) -> None:
    """INVALID_FIELD: sentences and names have no place in a fact."""
    told = fact(organization, wrong.pop("source_seq", 1), **wrong)

    refused = await _refused(relay.tell([told]))

    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", [field])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"metric": "metrics/patients.names"}, "metric"),
        ({"metric": "patients"}, "metric"),
        ({"dimension": "subject"}, "dimension"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"bucket": metric_pb2.TIME_BUCKET_UNSPECIFIED}, "bucket"),
        ({"years": 100}, "end_time"),
        ({"years": 4}, "bucket"),
        ({"years": -1}, "end_time"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused_by_its_field(
    analyst: _Client, wrong: dict[str, Any], field: str
) -> None:
    """INVALID_FIELD: unknown, reversed, a hundred years."""
    years = wrong.pop("years", 0)
    asked = question(wire.QueryMetricsRequest(), **wrong)
    asked.end_time.seconds += years * 365 * 86400

    refused = await _refused(analyst("QueryMetrics", asked))

    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", [field])


async def test_an_answer_that_is_too_long_is_refused(
    relay: _Client, analyst: _Client, organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TOO_MANY_CELLS: it says what to ask for instead."""
    await relay.tell([fact(organization, 1), fact(organization, 2, method="other")])
    monkeypatch.setattr("analytics.domain.answers.MOST_CELLS", 1)

    refused = await _refused(analyst("QueryMetrics", question(wire.QueryMetricsRequest())))

    assert refused == (grpc.StatusCode.OUT_OF_RANGE, "TOO_MANY_CELLS", [])


async def test_what_analytics_does_is_counted_too(served: Served, organization: UUID) -> None:
    """The server's own relay brings a fact of an export, under its own number, without gaps."""
    token = served.authority.token(EXPORT, VERIFY, organization=organization)
    both = _Client(served, token)

    await both("ExportMetrics", question(wire.ExportMetricsRequest()))

    async def sources() -> list[tuple[str, int, int]]:
        found = (await both("CheckFacts", wire.CheckFactsRequest())).sources
        return [(one.source, one.last_seq, len(one.missing)) for one in found]

    async with asyncio.timeout(60):
        while await sources() != [("analytics", 1, 0)]:  # noqa: ASYNC110 - the relay is another task
            await asyncio.sleep(0.1)
