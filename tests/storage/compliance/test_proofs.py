"""Proofs and tiles, made from what PostgreSQL keeps and checked as a foreign verifier would."""

import pytest

from compliance.domain.checkpoint import open_checkpoint
from compliance.domain.events import leaf_data
from compliance.domain.keys import AUDIT
from compliance.domain.merkle import (
    ConsistencyFromEmptyTree,
    LeafIndexBeyondTree,
    TreeSizeBeyondLog,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from compliance.domain.tiles import decode_bundle
from compliance.servicers.appending import append
from compliance.servicers.audit_log import AuditLog
from compliance.storage.store import Store
from core import clock
from core.crypto.note_keys import NoteVerifier
from core.database.pages import PageTokens
from core.errors import InvalidField, NotFound
from core.ids import new_id
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.event.v1.audit_event_pb2 import ClearPart, SealedEvent
from tests.support.audit import arrivals, events
from tests.support.postgres import PAGE_KEY, as_caller

LENGTH = 515  # two full tiles, and a bit


@pytest.fixture
async def batch(store: Store) -> list[SealedEvent]:
    """The events of a log of LENGTH leaves, of the organization in the call; sent in pieces."""
    organization = new_id()
    made = events(organization, range(1, LENGTH + 1))
    for start in range(0, LENGTH, 100):
        await append(store, arrivals(made[start : start + 100]))
    as_caller(organization=organization)
    return made


@pytest.fixture
def log(store: Store) -> AuditLog:
    """The servicer, called as a plain function."""
    return AuditLog(store, PageTokens(PAGE_KEY))


def _hashes(batch: list[SealedEvent]) -> list[bytes]:
    return [leaf_hash(leaf_data(event.clear, event.sealed)) for event in batch]


def _name(event: SealedEvent) -> str:
    return f"auditEvents/{ClearPart.FromString(event.clear).event_id}"


@pytest.mark.parametrize("size", [512, 0])
async def test_inclusion_is_proven_under_a_root(
    batch: list[SealedEvent], log: AuditLog, size: int
) -> None:
    """The proof holds for each leaf as hashed, in a past size and in the present one."""
    root = root_of(_hashes(batch)[: size or LENGTH])

    for index in (0, 1, 255, 256, 511):
        request = wire.GetInclusionProofRequest(name=_name(batch[index]), tree_size=size)
        proof = await log.GetInclusionProof(request)

        leaf = leaf_data(batch[index].clear, batch[index].sealed)
        assert (proof.leaf, proof.root_hash) == (leaf, root)
        assert verify_inclusion(
            leaf_hash(leaf), index, proof.tree_size, proof.hashes, proof.root_hash
        )


async def test_the_newest_root_is_signed(batch: list[SealedEvent], log: AuditLog) -> None:
    """The checkpoint's note, opened under its key, states what the checkpoint says."""
    checkpoint = await log.GetCheckpoint(wire.GetCheckpointRequest())

    verifier = NoteVerifier.from_vkey(checkpoint.verifier_key)
    stated = open_checkpoint(checkpoint.note.encode(), [verifier])
    expected = (checkpoint.origin, LENGTH, root_of(_hashes(batch)))
    assert (stated.origin, stated.size, stated.root) == expected
    assert (checkpoint.origin, checkpoint.tree_size, checkpoint.root_hash) == expected


async def test_consistency_is_proven(batch: list[SealedEvent], log: AuditLog) -> None:
    """Each size is the beginning of every later one."""
    for first, second in ((1, 2), (100, 515), (256, 512), (515, 515)):
        request = wire.GetConsistencyProofRequest(from_size=first, to_size=second)
        answer = await log.GetConsistencyProof(request)

        assert answer.from_root_hash == root_of(_hashes(batch)[:first])
        assert verify_consistency(
            first, answer.from_root_hash, second, answer.to_root_hash, answer.hashes
        )


async def test_sizes_beyond_the_log_are_refused(batch: list[SealedEvent], log: AuditLog) -> None:
    """What the log does not have is not proven."""
    last = _name(batch[-1])

    with pytest.raises(TreeSizeBeyondLog):
        await log.GetInclusionProof(wire.GetInclusionProofRequest(name=last, tree_size=LENGTH + 1))
    with pytest.raises(LeafIndexBeyondTree):
        await log.GetInclusionProof(wire.GetInclusionProofRequest(name=last, tree_size=5))
    with pytest.raises(TreeSizeBeyondLog):
        await log.GetConsistencyProof(
            wire.GetConsistencyProofRequest(from_size=1, to_size=LENGTH + 1)
        )
    with pytest.raises(ConsistencyFromEmptyTree):
        await log.GetConsistencyProof(wire.GetConsistencyProofRequest(from_size=0))


async def test_tiles_are_those_of_the_format(batch: list[SealedEvent], log: AuditLog) -> None:
    """Level 0 holds leaf hashes, level 1 roots of tiles, bundles the leaves; partial too."""
    hashes = _hashes(batch)

    async def tile(path: str) -> bytes:
        return (await log.ReadTile(wire.ReadTileRequest(path=path))).content

    assert await tile("tile/0/001") == b"".join(hashes[256:512])
    assert await tile("tile/0/002.p/3") == b"".join(hashes[512:])
    assert await tile("tile/0/002.p/2") == b"".join(hashes[512:514])
    assert await tile("tile/1/000.p/2") == root_of(hashes[:256]) + root_of(hashes[256:512])
    leaves = [leaf_data(event.clear, event.sealed) for event in batch]
    assert decode_bundle(await tile("tile/entries/000")) == leaves[:256]
    assert decode_bundle(await tile("tile/entries/002.p/3")) == leaves[512:]


async def test_a_tile_the_log_lacks_is_not_found(batch: list[SealedEvent], log: AuditLog) -> None:
    """A tile that is not there, or not so wide, is not found."""
    lacking = ["tile/0/002", "tile/0/003", "tile/0/002.p/4", "tile/2/000"]

    for path in (*lacking, "tile/entries/002.p/4", "tile/entries/009"):
        with pytest.raises(NotFound):
            await log.ReadTile(wire.ReadTileRequest(path=path))


async def test_another_spelling_of_a_path_is_refused(log: AuditLog, store: Store) -> None:
    """A tile has one path."""
    as_caller(organization=new_id())
    with pytest.raises(InvalidField):
        await log.ReadTile(wire.ReadTileRequest(path="tile/0/x000/001"))


async def test_an_organization_without_events_has_no_checkpoint(
    log: AuditLog, store: Store
) -> None:
    """No log is made by looking for it."""
    as_caller(organization=new_id())
    with pytest.raises(NotFound):
        await log.GetCheckpoint(wire.GetCheckpointRequest())


async def test_proofs_outlive_a_destroyed_key(
    batch: list[SealedEvent], log: AuditLog, store: Store
) -> None:
    """Destroying the organization's month changes no leaf: the same proof holds after it."""
    request = wire.GetInclusionProofRequest(name=_name(batch[300]))
    before = await log.GetInclusionProof(request)

    organization = arrivals(batch[:1])[0].organization
    async with store.begin_for(organization) as tx:
        await tx.keys.destroy_month_key(AUDIT, "2026-11", at=clock.now())

    assert await log.GetInclusionProof(request) == before
