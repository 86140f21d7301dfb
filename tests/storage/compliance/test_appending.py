"""Appending to a log: order, repeats, conflicts, tiles and checkpoints in one commit."""

import asyncio
from itertools import chain
from uuid import UUID

import pytest

from compliance.domain.arrivals import EventConflict
from compliance.domain.checkpoint import open_checkpoint
from compliance.domain.events import leaf_data
from compliance.domain.merkle import leaf_hash, root_of
from compliance.servicers.appending import append
from compliance.storage.store import Store
from core.crypto.note_keys import NoteVerifier
from core.ids import new_id
from medhub.event.v1.audit_event_pb2 import SealedEvent
from tests.support.audit import arrivals, clear_part, events, sealed_event
from tests.support.postgres import ServiceDatabase

PLATFORM = UUID(int=0)


def _root(batch: list[SealedEvent]) -> bytes:
    return root_of([leaf_hash(leaf_data(event.clear, event.sealed)) for event in batch])


async def test_events_take_the_next_places(store: Store) -> None:
    """Leaves follow one another over batches, and the newest checkpoint covers them all."""
    organization = new_id()
    batch = events(organization, range(1, 701))

    first = await append(store, arrivals(batch[:300]))
    second = await append(store, arrivals(batch[300:]))

    assert first + second == list(range(700))
    async with store.begin_for(organization) as tx:
        newest = await tx.logs.newest()
    assert newest is not None
    stated = open_checkpoint(newest.note, [NoteVerifier.from_vkey(newest.verifier_key)])
    assert (stated.size, stated.root) == (700, _root(batch))


async def test_a_repeat_keeps_its_place(store: Store, compliance: ServiceDatabase) -> None:
    """What comes again, sealed anew or not, answers its index and changes nothing."""
    organization = new_id()
    clear = clear_part(organization, 1)
    batch = [sealed_event(clear), *events(organization, [2, 3])]
    await append(store, arrivals(batch))
    before = compliance.rows("SELECT * FROM audit_event ORDER BY leaf_index")

    again = [SealedEvent(clear=batch[0].clear, sealed=b"another nonce"), *batch[1:]]
    indexes = await append(store, arrivals([*again, *events(organization, [4]), again[0]]))

    assert indexes == [0, 1, 2, 3, 0]
    assert compliance.rows("SELECT * FROM audit_event ORDER BY leaf_index")[:3] == before


async def test_another_event_under_a_known_id_is_refused(store: Store) -> None:
    """A source that tells two stories under one id is refused, and the batch is not kept."""
    organization = new_id()
    clear = clear_part(organization, 1)
    await append(store, arrivals([sealed_event(clear)]))
    clear.action = "clinical.patients.merge"

    with pytest.raises(EventConflict):
        await append(store, arrivals([*events(organization, [2]), sealed_event(clear)]))

    async with store.begin_for(organization) as tx:
        assert await tx.logs.size() == 1


async def test_another_event_under_a_known_number_is_refused(store: Store) -> None:
    """A number that is used names one event."""
    organization = new_id()
    await append(store, arrivals(events(organization, [1])))

    with pytest.raises(EventConflict):
        await append(store, arrivals(events(organization, [1])))


async def test_a_repeat_without_a_forgotten_reference_is_the_same_event(store: Store) -> None:
    """A person forgotten between two sendings does not stop the relay that repeats."""
    organization = new_id()
    clear = clear_part(organization, 1, subject_ref=str(new_id()))
    await append(store, arrivals([sealed_event(clear)]))
    clear.subject_ref = ""

    assert await append(store, arrivals([sealed_event(clear)])) == [0]


async def test_every_organization_has_its_own_log(store: Store) -> None:
    """One batch fills several logs, the platform's among them; none sees another's leaves."""
    one, other = new_id(), new_id()
    batches = [events(one, [1, 2]), events(PLATFORM, [1]), events(other, [1])]
    mixed = [batches[0][0], batches[1][0], batches[2][0], batches[0][1]]

    indexes = await append(store, arrivals(mixed))

    assert indexes == [0, 0, 0, 1]
    origins = set()
    for organization, batch in zip((one, PLATFORM, other), batches, strict=True):
        async with store.begin_for(organization) as tx:
            newest = await tx.logs.newest()
        assert newest is not None
        assert (newest.size, newest.root) == (len(batch), _root(batch))
        origins.add(newest.origin)
    assert len(origins) == 3


async def test_relays_of_two_services_take_turns(store: Store) -> None:
    """Appends at once to one fresh log lose nothing and give no index twice."""
    organization = new_id()
    batches = [
        events(organization, range(start, start + 20), source=source)
        for source in ("clinical", "auth")
        for start in (1, 21, 41)
    ]

    indexes = await asyncio.gather(*(append(store, arrivals(batch)) for batch in batches))

    assert sorted(chain.from_iterable(indexes)) == list(range(120))
    async with store.begin_for(organization) as tx:
        newest = await tx.logs.newest()
        stored = await tx.events.bundle(0, 120)
    assert newest is not None
    assert newest.root == root_of([leaf_hash(leaf) for leaf in stored])


async def test_a_full_tile_is_never_written_again(
    store: Store, compliance: ServiceDatabase
) -> None:
    """A full tile keeps the row version it had, whatever is appended behind it."""
    organization = new_id()
    await append(store, arrivals(events(organization, range(1, 258))))
    full = "SELECT xmin::text, ctid::text FROM tile WHERE octet_length(content) = 8192"
    before = compliance.rows(full)

    await append(store, arrivals(events(organization, range(258, 400))))

    assert compliance.rows(full) == before
    assert len(before) == 1


async def test_the_trail_does_not_record_itself(store: Store, compliance: ServiceDatabase) -> None:
    """Appending records the birth of the log's signing key, once, and no event of an event."""
    organization = new_id()

    await append(store, arrivals(events(organization, [1])))
    await append(store, arrivals(events(organization, [2])))

    recorded = compliance.rows("SELECT entity, after FROM medhub.audit_outbox")
    assert [row["entity"] for row in recorded] == ["log_key"]
    assert recorded[0]["after"]["seed"] == "***"
