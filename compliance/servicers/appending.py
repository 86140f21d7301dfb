"""Appending a batch: each organization's events in one transaction with their checkpoint."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from compliance.domain.arrivals import Arrival, EventConflict, place
from compliance.domain.events import leaf_data
from compliance.domain.merkle import leaf_hash
from compliance.domain.tiles import grow
from compliance.servicers.arrivals import same_event
from compliance.storage.store import Store, StoreTransaction
from core.database import ConstraintViolated

_NO_LEAF = -1
"""In place of the index of a leaf, for an event that no log takes in."""

_log = logging.getLogger("medhub.trail")
_USED_ONCE = frozenset({"uq_audit_event_event_id", "uq_audit_event_source_source_seq"})


async def append(store: Store, arrivals: Sequence[Arrival]) -> list[int]:
    """Append a batch and return the leaf index of each event, in the order they came.

    Organizations are taken one after the other, each in a transaction of its own: when a later
    one fails, what is durable stays, and the relay's repeat finds it again by its id. Raises
    EventConflict.
    """
    places: dict[UUID, dict[int, int]] = {}
    by_organization: dict[UUID, list[tuple[int, Arrival]]] = defaultdict(list)
    for position, arrival in enumerate(arrivals):
        by_organization[arrival.organization].append((position, arrival))
    for organization, batch in sorted(by_organization.items()):
        indexes = await _append_to(store, organization, [arrival for _, arrival in batch])
        positions = [position for position, _ in batch]
        places[organization] = dict(zip(positions, indexes, strict=True))
    return [places[arrival.organization][at] for at, arrival in enumerate(arrivals)]


async def _append_to(store: Store, organization: UUID, batch: Sequence[Arrival]) -> list[int]:
    try:
        async with store.begin_for(organization) as tx:
            return await _append_in(tx, batch)
    except ConstraintViolated as broken:
        if broken.name in _USED_ONCE:
            raise EventConflict from broken
        raise


async def _append_in(tx: StoreTransaction, batch: Sequence[Arrival]) -> list[int]:
    # From here to the commit this log is ours alone, so size, tiles and leaves belong together.
    log = await tx.logs.lock()
    if log is None:
        _log.warning("events of an organization that has left were dropped: %d", len(batch))
        return [_NO_LEAF] * len(batch)
    held = await tx.events.held([arrival.event_id for arrival in batch])
    placed = place(batch, held, log.size, same_event)
    if placed.fresh:
        edge = await tx.tiles.edge(log.size)
        leaves = [leaf_hash(leaf_data(new.clear, new.sealed)) for new in placed.fresh]
        growth = grow(edge, leaves)
        await tx.events.append(placed.fresh, log.size)
        await tx.tiles.write(growth.tiles)
        await tx.logs.publish(log, growth.edge)
    return placed.indexes
