"""How each reason of analytics comes about."""

import secrets

import pytest

from core.ids import new_id
from medhub.analytics.v1 import metric_service_pb2 as metrics
from medhub.analytics.v1.fact_service_pb2 import IngestFactsRequest
from medhub.event.v1.fact_pb2 import Fact
from tests.support.facts import SOURCE, fact
from tests.support.matrix_analytics import question
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World


async def _tell(world: World, meta: Metadata, told: Fact, token: str = "") -> Outcome:
    request = IngestFactsRequest(source=SOURCE, facts=[told])
    method = "medhub.analytics.v1.FactService/IngestFacts"
    return await ask(world, method, request, meta, token or world.server)


@case("FACT_CONFLICT")
async def _(world: World, meta: Metadata) -> Outcome:
    told = fact(new_id(), 1)
    await _tell(world, meta, told)
    told.count = 2
    return await _tell(world, meta, told)


@case("FACT_SOURCE_NOT_YOURS")
async def _(world: World, meta: Metadata) -> Outcome:
    return await _tell(world, meta, fact(new_id(), 1), world.other_server)


@case("TOO_MANY_CELLS")
async def _(world: World, meta: Metadata) -> Outcome:
    # Far from the numbers that the clinical relay gives alpha's facts.
    number = 10**12 + secrets.randbelow(10**12)
    told = await _tell(world, meta, fact(world.alpha.tenant.organization, number))
    assert told.ok, told
    method = "medhub.analytics.v1.MetricService/QueryMetrics"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analytics.domain.answers.MOST_CELLS", 0)
        asked = question(metrics.QueryMetricsRequest())
        return await ask(world, method, asked, meta, world.alpha.whole)
