"""The trail over the wire: who may append, read and verify, and each reason for refusal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import grpc
import pytest

from core.ids import new_id
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.compliance.v1.audit_service_pb2_grpc import AuditServiceStub
from medhub.event.v1.audit_event_pb2 import ClearPart, EventKind, SealedEvent
from tests.support.audit import SOURCE, clear_part, events, sealed_event
from tests.support.servers import Served, bearer, reason_of

APPEND, READ, VALUES, VERIFY = (
    "compliance.events.append",
    "compliance.audit.read",
    "compliance.audit.read_values",
    "compliance.audit.verify",
)


class _Client:
    """Calls the service with one token."""

    def __init__(self, served: Served, token: str) -> None:
        self._stub: Any = AuditServiceStub(served.channel)
        self._metadata = bearer(token)

    async def __call__(self, method: str, request: Any) -> Any:
        return await getattr(self._stub, method)(request, metadata=self._metadata, timeout=60)

    async def append(self, *batches: Sequence[SealedEvent]) -> list[list[int]]:
        async def requests() -> AsyncIterator[wire.AppendEventsRequest]:
            for number, batch in enumerate(batches):
                yield wire.AppendEventsRequest(source=SOURCE, batch=number, events=batch)

        answers = self._stub.AppendEvents(requests(), metadata=self._metadata)
        return [list(answer.leaf_indexes) async for answer in answers]


@pytest.fixture
def organization() -> UUID:
    """The tenant of the test."""
    return new_id()


@pytest.fixture
def relay(served: Served) -> _Client:
    """A service's relay, whose token names no organization."""
    return _Client(served, served.authority.token(APPEND, service=SOURCE))


@pytest.fixture
def auditor(served: Served, organization: UUID) -> _Client:
    """Who may read and verify the trail of the organization."""
    return _Client(served, served.authority.token(READ, VALUES, VERIFY, organization=organization))


async def _refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), reason_of(refused.value)


def _name(event: SealedEvent) -> str:
    return f"auditEvents/{ClearPart.FromString(event.clear).event_id}"


async def test_a_relay_appends_batch_by_batch(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """Each batch is answered with its places, and the auditor reads what was appended."""
    batch = events(organization, range(1, 6))

    assert await relay.append(batch[:2], batch[2:]) == [[0, 1], [2, 3, 4]]

    page = await auditor("ListAuditEvents", wire.ListAuditEventsRequest(page_size=3))
    assert [event.name for event in page.audit_events] == [_name(e) for e in batch[:1:-1]]
    one = await auditor("GetAuditEvent", wire.GetAuditEventRequest(name=_name(batch[0])))
    assert (one.leaf_index, one.source, one.source_seq) == (0, SOURCE, 1)


async def test_another_story_under_a_known_id_is_refused(
    relay: _Client, organization: UUID
) -> None:
    """EVENT_CONFLICT: the source is at fault."""
    clear = clear_part(organization, 1)
    await relay.append([sealed_event(clear)])
    clear.purpose = "research"

    refused = await _refused(relay.append([sealed_event(clear)]))

    assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "EVENT_CONFLICT")


@pytest.mark.parametrize("stranger", [{"service": "auth"}, {"kind": "service"}, {}], ids=str)
async def test_a_source_is_its_own_servers(
    served: Served, relay: _Client, organization: UUID, stranger: dict[str, str]
) -> None:
    """SOURCE_NOT_YOURS: the name under which a server was registered is the one it appends under.

    Nobody takes the name of a server that has not appended yet, with whatever permission.
    """
    other = _Client(served, served.authority.token(APPEND, **stranger))  # type: ignore[arg-type]

    refused = await _refused(other.append(events(organization, [1])))

    assert refused == (grpc.StatusCode.PERMISSION_DENIED, "SOURCE_NOT_YOURS")
    assert await relay.append(events(organization, [1])) == [[0]]


async def test_a_server_that_got_another_account_goes_on(
    served: Served, relay: _Client, organization: UUID
) -> None:
    """Registered under the same name, it is the same source."""
    await relay.append(events(organization, [1]))
    replaced = _Client(served, served.authority.token(APPEND, service=SOURCE))

    assert await replaced.append(events(organization, [2])) == [[1]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "auth"},
        {"source_seq": 0},
        {"event_id": "no uuid"},
        {"organization_id": ""},
        {"subject_ref": "Curie"},
        {"kind": EventKind.EVENT_KIND_UNSPECIFIED},
        {"method": "x\0y"},
        {"method": "x" * 9000},
    ],
)
async def test_a_malformed_clear_part_is_refused(
    relay: _Client, organization: UUID, wrong: dict[str, object]
) -> None:
    """INVALID_FIELD: what the log could not search, number or show is not taken in."""
    clear = clear_part(organization, 1, **wrong)

    refused = await _refused(relay.append([sealed_event(clear)]))

    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_bytes_that_are_no_clear_part_are_refused(relay: _Client) -> None:
    """INVALID_FIELD: and the bytes are not quoted."""
    refused = await _refused(relay.append([SealedEvent(clear=b"\xff\xff", sealed=b"")]))

    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_a_size_beyond_the_log_is_refused(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """TREE_SIZE_BEYOND_LOG, for both kinds of proof."""
    batch = events(organization, [1, 2])
    await relay.append(batch)
    expected = (grpc.StatusCode.OUT_OF_RANGE, "TREE_SIZE_BEYOND_LOG")

    inclusion = wire.GetInclusionProofRequest(name=_name(batch[0]), tree_size=3)
    assert await _refused(auditor("GetInclusionProof", inclusion)) == expected
    consistency = wire.GetConsistencyProofRequest(from_size=1, to_size=3)
    assert await _refused(auditor("GetConsistencyProof", consistency)) == expected


async def test_an_event_beyond_the_size_is_refused(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """LEAF_INDEX_BEYOND_TREE: that tree does not have the event."""
    batch = events(organization, [1, 2])
    await relay.append(batch)

    request = wire.GetInclusionProofRequest(name=_name(batch[1]), tree_size=1)
    refused = await _refused(auditor("GetInclusionProof", request))

    assert refused == (grpc.StatusCode.OUT_OF_RANGE, "LEAF_INDEX_BEYOND_TREE")


async def test_consistency_from_nothing_is_refused(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """CONSISTENCY_FROM_EMPTY_TREE: RFC 9162 does not define it."""
    await relay.append(events(organization, [1]))

    request = wire.GetConsistencyProofRequest(from_size=0)
    refused = await _refused(auditor("GetConsistencyProof", request))

    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "CONSISTENCY_FROM_EMPTY_TREE")


async def test_a_tile_is_read_or_not_found(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """A tile that the log has is served; one that it has not yet is not found."""
    await relay.append(events(organization, [1, 2]))

    tile = await auditor("ReadTile", wire.ReadTileRequest(path="tile/0/000.p/2"))

    assert len(tile.content) == 64
    missing = auditor("ReadTile", wire.ReadTileRequest(path="tile/0/000.p/3"))
    assert await _refused(missing) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


async def test_another_organization_sees_nothing(
    served: Served, relay: _Client, organization: UUID
) -> None:
    """An event of another tenant and an event of nobody are not found alike."""
    batch = events(organization, [1])
    await relay.append(batch)
    token = served.authority.token(READ, VALUES, VERIFY, organization=new_id())
    stranger = _Client(served, token)

    asked = [
        stranger("GetAuditEvent", wire.GetAuditEventRequest(name=_name(batch[0]))),
        stranger("GetAuditEvent", wire.GetAuditEventRequest(name=f"auditEvents/{new_id()}")),
        stranger("GetInclusionProof", wire.GetInclusionProofRequest(name=_name(batch[0]))),
        stranger("GetCheckpoint", wire.GetCheckpointRequest()),
    ]

    answers = {await _refused(call) for call in asked}
    assert answers == {(grpc.StatusCode.NOT_FOUND, "NOT_FOUND")}
    listed = await stranger("ListAuditEvents", wire.ListAuditEventsRequest())
    assert list(listed.audit_events) == []


async def test_who_reads_need_not_verify_nor_append(served: Served, organization: UUID) -> None:
    """Each permission opens its own methods."""
    reader = _Client(served, served.authority.token(READ, organization=organization))
    expected = (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")

    assert await _refused(reader("GetCheckpoint", wire.GetCheckpointRequest())) == expected
    assert await _refused(reader.append(events(organization, [1]))) == expected


async def test_reading_the_trail_comes_to_stand_in_it(
    relay: _Client, auditor: _Client, organization: UUID
) -> None:
    """The server's own relay brings the record of a read into the same log; nothing is missing."""
    await relay.append(events(organization, [1]))

    await auditor("ListAuditEvents", wire.ListAuditEventsRequest())

    async def reads() -> list[str]:
        request = wire.ListAuditEventsRequest(source="compliance", kind=EventKind.EVENT_KIND_ACCESS)
        page = await auditor("ListAuditEvents", request)
        return [event.action for event in page.audit_events]

    async with asyncio.timeout(60):
        while READ not in await reads():  # noqa: ASYNC110 - the relay is another task
            await asyncio.sleep(0.1)
    complete = await auditor("CheckCompleteness", wire.CheckCompletenessRequest())
    assert [list(source.missing) for source in complete.sources] == [[], []]
