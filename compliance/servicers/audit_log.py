"""The trail of an organization: appended to, read, and proven."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from compliance.domain.keys import AUDIT
from compliance.domain.sources import refuse_stranger
from compliance.servicers.appending import append
from compliance.servicers.arrivals import arrival_from_proto
from compliance.servicers.opening import opened
from compliance.servicers.proofs import prove_consistency, prove_inclusion, read_tile
from compliance.storage.events import Leaf, Numbers, Search
from compliance.storage.logs import Published
from compliance.storage.store import Store, StoreTransaction
from core import identity
from core.database.pages import Key, Listing, PageTokens, fitting, page_of, page_size
from core.errors import InvalidField, NotFound
from core.ids import id_from
from medhub.compliance.v1.audit_pb2 import (
    AuditEvent,
    Checkpoint,
    SequenceGap,
    SourceCompleteness,
)
from medhub.compliance.v1.audit_service_pb2 import (
    AppendEventsRequest,
    AppendEventsResponse,
    CheckCompletenessRequest,
    CheckCompletenessResponse,
    GetAuditEventRequest,
    GetCheckpointRequest,
    GetConsistencyProofRequest,
    GetConsistencyProofResponse,
    GetInclusionProofRequest,
    GetInclusionProofResponse,
    ListAuditEventsRequest,
    ListAuditEventsResponse,
    ReadTileRequest,
    ReadTileResponse,
)

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_BEHIND_ALL = (_LATEST, 2**63 - 1)


class AuditLog:
    """medhub.compliance.v1.AuditService."""

    def __init__(self, store: Store, pages: PageTokens) -> None:
        self._store = store
        self._pages = pages

    async def AppendEvents(
        self, requests: AsyncIterator[AppendEventsRequest]
    ) -> AsyncIterator[AppendEventsResponse]:
        source = ""
        async for request in requests:
            source = source or request.source
            if request.source != source:
                raise InvalidField(field="source", rule="same_for_the_stream")
            refuse_stranger(source, identity.caller().service)
            arrivals = [
                arrival_from_proto(source, at, event) for at, event in enumerate(request.events)
            ]
            indexes = await append(self._store, arrivals)
            yield AppendEventsResponse(batch=request.batch, leaf_indexes=indexes)

    async def ListAuditEvents(self, request: ListAuditEventsRequest) -> ListAuditEventsResponse:
        listing, size = _listing(request), page_size(request.page_size)
        search = _search(request, self._pages.open(request.page_token, listing), size + 1)
        async with self._store.begin(read_only=True) as tx:
            leaves = await _found(tx, request.subject, search)
            events = [_without_values(event) for event in await opened(leaves[:size], tx.keys)]
        fit = fitting(events)
        page = page_of(leaves, min(size, fit), listing, self._pages, key=_sort_key)
        return ListAuditEventsResponse(
            audit_events=events[:fit], next_page_token=page.next_page_token
        )

    async def GetAuditEvent(self, request: GetAuditEventRequest) -> AuditEvent:
        async with self._store.begin(read_only=True) as tx:
            leaf = await _leaf(tx, request.name)
            (event,) = await opened([leaf], tx.keys)
        return event

    async def GetInclusionProof(
        self, request: GetInclusionProofRequest
    ) -> GetInclusionProofResponse:
        async with self._store.begin(read_only=True) as tx:
            leaf, newest = await _leaf(tx, request.name), await _newest(tx)
            size = request.tree_size or newest.size
            proven = await prove_inclusion(tx, leaf.leaf_index, size, log_size=newest.size)
        return GetInclusionProofResponse(
            leaf_index=leaf.leaf_index,
            tree_size=size,
            leaf=leaf.stored,
            hashes=proven.hashes,
            root_hash=proven.roots[0],
            checkpoint=checkpoint_to_proto(newest),
        )

    async def GetConsistencyProof(
        self, request: GetConsistencyProofRequest
    ) -> GetConsistencyProofResponse:
        async with self._store.begin(read_only=True) as tx:
            log_size = await tx.logs.size()
            first, second = request.from_size, request.to_size or log_size
            proven = await prove_consistency(tx, first, second, log_size=log_size)
        return GetConsistencyProofResponse(
            from_size=first,
            to_size=second,
            hashes=proven.hashes,
            from_root_hash=proven.roots[0],
            to_root_hash=proven.roots[1],
        )

    async def GetCheckpoint(self, request: GetCheckpointRequest) -> Checkpoint:
        async with self._store.begin(read_only=True) as tx:
            return checkpoint_to_proto(await _newest(tx))

    async def ReadTile(self, request: ReadTileRequest) -> ReadTileResponse:
        async with self._store.begin(read_only=True) as tx:
            return ReadTileResponse(content=await read_tile(tx, request.path))

    async def CheckCompleteness(
        self, request: CheckCompletenessRequest
    ) -> CheckCompletenessResponse:
        async with self._store.begin(read_only=True) as tx:
            sources = [numbers_to_proto(numbers) for numbers in await tx.events.numbers()]
            return CheckCompletenessResponse(sources=sources, tree_size=await tx.logs.size())


def checkpoint_to_proto(published: Published) -> Checkpoint:
    """A checkpoint as it is shown."""
    return Checkpoint(
        name="auditLog/checkpoint",
        origin=published.origin,
        tree_size=published.size,
        root_hash=published.root,
        note=published.note.decode(),
        verifier_key=published.verifier_key,
    )


def numbers_to_proto(numbers: Numbers) -> SourceCompleteness:
    """What is held of a source, as it is shown."""
    return SourceCompleteness(
        source=numbers.source,
        first_seq=numbers.first,
        last_seq=numbers.last,
        count=numbers.held,
        missing=[SequenceGap(first_seq=one, last_seq=last) for one, last in numbers.missing],
    )


async def _newest(tx: StoreTransaction) -> Published:
    """The newest checkpoint. Raises NotFound for an organization that has no event yet."""
    newest = await tx.logs.newest()
    if newest is None:
        raise NotFound
    return newest


async def _leaf(tx: StoreTransaction, name: str) -> Leaf:
    leaf = await tx.events.get(id_from(name, "auditEvents"))
    if leaf is None:
        raise NotFound
    return leaf


def _without_values(event: AuditEvent) -> AuditEvent:
    event.ClearField("before")
    event.ClearField("after")
    return event


async def _found(tx: StoreTransaction, subject: str, search: Search) -> list[Leaf]:
    """The events asked for; none of a person whose reference is gone."""
    if not subject:
        return await tx.events.page(search, None)
    reference = await tx.keys.reference(subject, AUDIT)
    return [] if reference is None else await tx.events.page(search, reference)


def _listing(request: ListAuditEventsRequest) -> Listing:
    shape = ListAuditEventsRequest()
    shape.CopyFrom(request)
    shape.ClearField("page_size")
    shape.ClearField("page_token")
    return Listing(
        method=identity.call().method,
        filter=shape.SerializeToString(deterministic=True).hex(),
        order="occurred_time desc,leaf_index desc",
    )


def _search(request: ListAuditEventsRequest, last: Key, limit: int) -> Search:
    return Search(
        source=request.source,
        method=request.method,
        kind=int(request.kind),
        start=_moment(request, "start_time", _EARLIEST),
        end=_moment(request, "end_time", _LATEST),
        before=_position(last),
        limit=limit,
    )


def _position(last: Key) -> tuple[datetime, int]:
    match last:
        case (datetime() as moment, int() as leaf):
            return moment, leaf
        case _:
            return _BEHIND_ALL


def _moment(request: ListAuditEventsRequest, field: str, unset: datetime) -> datetime:
    if not request.HasField(field):
        return unset
    stated: Timestamp = getattr(request, field)
    try:
        return stated.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="timestamp") from None


def _sort_key(leaf: Leaf) -> Key:
    return leaf.occurred_at, leaf.leaf_index
