"""Facts are counted once, in the time when they happened, in the organization they are of."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from analytics.domain.facts import FactConflict, FactSourceNotYours, quarter_of
from analytics.servicers.facts import Facts
from analytics.servicers.metrics import Metrics
from analytics.storage.tables import metadata
from core.database.drift import drift
from core.errors import InvalidField
from core.ids import new_id
from medhub.analytics.v1.metric_service_pb2 import CheckFactsRequest
from medhub.event.v1.audit_event_pb2 import EventKind
from medhub.event.v1.fact_pb2 import Fact
from tests.support.facts import NOON, fact, facts, tell
from tests.support.postgres import ServiceDatabase, as_caller

# A recount from the facts, written without a word of ours about how they are added up.
_RECOUNT = """
SELECT organization_id, series, to_timestamp(floor(extract(epoch FROM occurred_at) / 900) * 900)
    AS quarter, dimensions, sum(count) AS count, COALESCE(sum(amount), 0) AS amount
FROM fact GROUP BY 1, 2, 3, 4
EXCEPT ALL SELECT organization_id, series, quarter, dimensions, count, amount FROM figure
"""
_FIGURES = "SELECT quarter, count FROM figure ORDER BY quarter"


@pytest.fixture
def organization() -> UUID:
    """The tenant of the test."""
    return new_id()


def test_the_database_is_what_the_tables_declare(analytics: ServiceDatabase) -> None:
    """Walls, columns and keys."""
    assert drift(analytics.urls.owner, metadata) == []


async def test_a_repeated_fact_is_counted_once(
    intake: Facts, analytics: ServiceDatabase, organization: UUID
) -> None:
    """Within a batch, in the next one, and by the next relay."""
    told = facts(organization, range(1, 6))

    assert await tell(intake, [*told, told[0]], told) == [5, 0]
    assert await tell(intake, told) == [0]

    assert analytics.rows("SELECT sum(count) AS n FROM figure")[0]["n"] == 5


async def test_two_relays_that_tell_the_same_at_once_are_counted_once(
    intake: Facts, analytics: ServiceDatabase, organization: UUID
) -> None:
    """As when a relay lost its lead while its batch was on the way."""
    told = facts(organization, range(1, 200))

    counted = await asyncio.gather(*(tell(intake, told) for _ in range(3)))

    assert sorted(counted) == [[0], [0], [199]]
    assert analytics.rows("SELECT sum(count) AS n FROM figure")[0]["n"] == 199


async def test_a_late_fact_is_counted_when_it_happened(
    intake: Facts, analytics: ServiceDatabase, organization: UUID
) -> None:
    """What comes three days late stands in its own quarter of an hour."""
    late = NOON - timedelta(days=3, minutes=-8)

    await tell(intake, [fact(organization, 2)], [fact(organization, 1, at=late)])

    assert analytics.rows(_FIGURES) == [
        {"quarter": quarter_of(late), "count": 1},
        {"quarter": NOON, "count": 1},
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"count": 2},
        {"method": "medhub.clinical.v1.PatientService/ListPatients"},
        {"seq": 9},
        {"at": NOON + timedelta(seconds=1)},
        {"amount": "1"},
        {"dimensions": {"state": "FAILED"}},
    ],
)
async def test_another_story_under_a_known_id_is_refused(
    intake: Facts, analytics: ServiceDatabase, organization: UUID, changed: dict[str, Any]
) -> None:
    """FACT_CONFLICT, in the same batch or later; nothing of the batch is kept."""
    known = fact(organization, 1)
    other = fact(organization, **{"seq": 1, **changed}, event_id=known.event_id)

    with pytest.raises(FactConflict):
        await tell(intake, [known, other])
    assert await tell(intake, [known]) == [1]
    with pytest.raises(FactConflict):
        await tell(intake, [fact(organization, 2), other])

    assert analytics.rows("SELECT source_seq FROM fact") == [{"source_seq": 1}]
    assert analytics.rows("SELECT count FROM figure") == [{"count": 1}]


async def test_a_number_is_of_one_fact(intake: Facts, organization: UUID) -> None:
    """FACT_CONFLICT: another id under a number that is taken; another source may use it."""
    await tell(intake, [fact(organization, 1)])

    with pytest.raises(FactConflict):
        await tell(intake, [fact(organization, 1)])
    assert await tell(intake, [fact(organization, 1)], source="auth") == [1]


async def test_a_source_is_its_own_servers(intake: Facts, organization: UUID) -> None:
    """FACT_SOURCE_NOT_YOURS: no server tells facts under another's name."""
    with pytest.raises(FactSourceNotYours):
        await tell(intake, [fact(organization, 1)], server="auth")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1,5", "1e31", "0." + "1" * 31, "9" * 31])
async def test_an_amount_is_a_decimal_of_bounded_length(
    intake: Facts, organization: UUID, amount: str
) -> None:
    """INVALID_FIELD, with the fact's place in the batch."""
    with pytest.raises(InvalidField) as refused:
        await tell(intake, [fact(organization, 1, amount=amount)])

    assert refused.value.violations[0].field == "facts[0].amount"


async def test_a_missing_number_shows(intake: Facts, metrics: Metrics, organization: UUID) -> None:
    """Each source numbers without gaps, so what never came is seen, whatever order it came in."""
    await tell(intake, facts(organization, [7, 3, 2]))
    await tell(intake, facts(organization, [1, 2]), source="auth")
    as_caller(organization=organization)

    found = (await metrics.CheckFacts(CheckFactsRequest())).sources

    assert [(one.source, one.last_seq) for one in found] == [("auth", 2), ("clinical", 7)]
    missing = [[(gap.first_seq, gap.last_seq) for gap in one.missing] for one in found]
    assert missing == [[], [(1, 1), (4, 6)]]


async def test_the_sums_are_equal_to_a_recount(intake: Facts, analytics: ServiceDatabase) -> None:
    """Random facts of two organizations, late, repeated, out of order and with amounts."""
    organizations = [new_id(), new_id()]
    told = _random_facts(organizations)
    batches = [told[start : start + 37] for start in range(0, len(told), 37)]

    await tell(intake, *batches, *reversed(batches))

    assert analytics.rows(_RECOUNT) == []
    counted = analytics.rows("SELECT organization_id, sum(count) AS n FROM figure GROUP BY 1")
    assert {row["organization_id"]: row["n"] for row in counted} == {
        one: sum(f.count for f in told if f.organization_id == str(one)) for one in organizations
    }
    (amounts,) = analytics.rows("SELECT sum(amount) AS n FROM figure")
    assert amounts["n"] == sum(Decimal(f.amount.value or 0) for f in told)


def _random_facts(organizations: list[UUID]) -> list[Fact]:
    """Whatever comes must add up."""
    random = Random(20261123)
    numbers = dict.fromkeys(organizations, 0)
    told = []
    for _ in range(300):
        one = random.choice(organizations)
        numbers[one] += 1
        told.append(
            fact(
                one,
                numbers[one],
                at=NOON - timedelta(minutes=random.randrange(3000)),
                kind=random.choice([EventKind.EVENT_KIND_CHANGE, EventKind.EVENT_KIND_ACCESS]),
                count=random.randrange(1, 5),
                dimensions={"state": random.choice(["PROCESSED", "FAILED"])},
                amount=random.choice(
                    [None, f"{random.randrange(10**6)}.{random.randrange(100):02}"]
                ),
            )
        )
    return told
