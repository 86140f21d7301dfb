"""Verifying from outside a log that was tampered with in the database, by whoever runs it."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import pytest

from compliance.domain.verification import Fault
from compliance.servicers.appending import append
from compliance.servicers.audit_log import AuditLog
from compliance.storage.store import Store
from core import identity
from core.database.pages import PageTokens
from core.errors import NotFound
from core.ids import new_id
from hub.audit_reader import Published
from hub.audit_verify import Report, TrustStore, verify
from hub.commands.audit import lines_of
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.event.v1.audit_event_pb2 import ClearPart, SealedEvent
from tests.support.audit import SOURCE, arrivals, events
from tests.support.postgres import PAGE_KEY, ServiceDatabase

T = TypeVar("T")

LENGTH = 600  # two full tiles and a partial one, in two levels


class _InProcess:
    """Reads from the servicer itself, out of the thread in which a verification runs."""

    def __init__(self, log: AuditLog, organization: UUID) -> None:
        self._log = log
        caller = identity.Caller(kind=identity.Kind.USER, organization=organization)
        self._call = identity.Call(method="medhub.test/Read", caller=caller)
        self._loop = asyncio.get_running_loop()

    def checkpoint(self) -> Published | None:
        found = self._asked(lambda: self._log.GetCheckpoint(wire.GetCheckpointRequest()))
        return Published(found.note.encode(), found.verifier_key) if found else None

    def tile(self, path: str) -> bytes | None:
        found = self._asked(lambda: self._log.ReadTile(wire.ReadTileRequest(path=path)))
        return found.content if found else None

    def _asked(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        async def asking() -> T | None:
            identity.enter(self._call)
            try:
                return await ask()
            except NotFound:
                return None

        return asyncio.run_coroutine_threadsafe(asking(), self._loop).result(20)


class _Auditor:
    """One auditor of one organization, who keeps what was verified before."""

    def __init__(self, store: Store, organization: UUID, folder: Path) -> None:
        self._log = AuditLog(store, PageTokens(PAGE_KEY))
        self.organization = organization
        self._trust = TrustStore(folder)

    async def verify(self, key: str = "") -> Report:
        reader = _InProcess(self._log, self.organization)
        return await asyncio.to_thread(verify, reader, self.organization, self._trust, key=key)


@pytest.fixture
async def batch(store: Store) -> list[SealedEvent]:
    """The events of a log, from several batches."""
    made = events(new_id(), range(1, LENGTH + 1))
    for start in range(0, LENGTH, 200):
        await append(store, arrivals(made[start : start + 200]))
    return made


@pytest.fixture
def auditor(store: Store, batch: list[SealedEvent], tmp_path: Path) -> _Auditor:
    """Who verifies that log."""
    return _Auditor(store, arrivals(batch[:1])[0].organization, tmp_path / "trusted")


def _faults(report: Report) -> list[tuple[Fault, int | None]]:
    return [(finding.fault, finding.leaf) for finding in report.verdict.findings]


async def test_a_whole_log_is_verified(auditor: _Auditor) -> None:
    """Everything holds, and the report says of what."""
    report = await auditor.verify()

    assert report.holds
    assert report.stated is not None
    assert (report.stated.size, report.continues) == (LENGTH, 0)
    assert f"source        {SOURCE}: 1 to {LENGTH}, complete" in lines_of(report)


async def test_a_log_that_grew_continues_the_one_verified_before(
    auditor: _Auditor, store: Store
) -> None:
    """The second run starts from the checkpoint that the first one kept."""
    await auditor.verify()
    more = events(auditor.organization, range(LENGTH + 1, LENGTH + 5))
    await append(store, arrivals(more))

    report = await auditor.verify()

    assert report.holds
    assert report.continues == LENGTH


async def test_an_organization_without_events_has_nothing_to_verify(
    store: Store, tmp_path: Path
) -> None:
    """An empty log holds, and no trust is made of it."""
    report = await _Auditor(store, new_id(), tmp_path / "trusted").verify()

    assert report.holds
    assert report.stated is None
    assert not (tmp_path / "trusted").exists()


async def test_an_edited_event_is_named(
    auditor: _Auditor, compliance: ServiceDatabase, batch: list[SealedEvent]
) -> None:
    """One changed word in one leaf: the report names the leaf and its event."""
    clear = ClearPart.FromString(batch[300].clear)
    clear.purpose = "research"
    edited = clear.SerializeToString()
    compliance.rows("UPDATE audit_event SET clear = %s WHERE leaf_index = 300", edited)

    report = await auditor.verify()

    assert _faults(report) == [(Fault.LEAF_EDITED, 300)]
    assert report.bad_event == f"auditEvents/{clear.event_id}"
    assert lines_of(report)[-1].startswith("NOT VERIFIED  first bad leaf: 300 auditEvents/")


async def test_a_deleted_event_is_named(auditor: _Auditor, compliance: ServiceDatabase) -> None:
    """A row that is gone: the first leaf that cannot be read."""
    compliance.rows("DELETE FROM audit_event WHERE leaf_index = 300")

    assert (await auditor.verify()).verdict.first_bad_leaf == 300


async def test_the_first_of_all_events_deleted_is_named(
    auditor: _Auditor, compliance: ServiceDatabase
) -> None:
    """Nothing before it, nothing after it can be read."""
    compliance.rows("DELETE FROM audit_event WHERE leaf_index = 0")

    assert (await auditor.verify()).verdict.first_bad_leaf == 0


async def test_two_swapped_events_are_named(auditor: _Auditor, compliance: ServiceDatabase) -> None:
    """Both leaves are there, in each other's place."""
    for before, after in ((10, -1), (500, 10), (-1, 500)):
        compliance.rows(
            "UPDATE audit_event SET leaf_index = %s WHERE leaf_index = %s", after, before
        )

    assert _faults(await auditor.verify()) == [(Fault.LEAVES_REORDERED, 10)]


async def test_an_overwritten_sealed_part_changes_no_proof(
    auditor: _Auditor, compliance: ServiceDatabase
) -> None:
    """A tombstone in place of the sealed bytes leaves the log whole: erasure by overwriting."""
    compliance.rows("UPDATE audit_event SET sealed = '' WHERE leaf_index = 7")

    assert (await auditor.verify()).holds


async def test_another_digest_is_an_edit(auditor: _Auditor, compliance: ServiceDatabase) -> None:
    """New sealed bytes with a digest that fits them are a changed leaf."""
    digest = hashlib.sha256(b"forged").digest()
    compliance.rows(
        "UPDATE audit_event SET sealed = 'forged', sealed_digest = %s WHERE leaf_index = 7", digest
    )

    assert _faults(await auditor.verify()) == [(Fault.LEAF_EDITED, 7)]


@pytest.mark.parametrize(("level", "index", "leaf"), [(0, 1, 256), (1, 0, 0)])
async def test_a_damaged_tile_is_named(
    auditor: _Auditor, compliance: ServiceDatabase, level: int, index: int, leaf: int
) -> None:
    """The leaves hold, but what proofs are made of does not."""
    compliance.rows(
        "UPDATE tile SET content = overlay(content PLACING '\\x00' FROM 1 FOR 1)"
        " WHERE level = %s AND index = %s",
        level,
        index,
    )

    assert _faults(await auditor.verify()) == [(Fault.STORED_HASH_WRONG, leaf)]


async def _rewritten(
    store: Store, compliance: ServiceDatabase, organization: UUID, kept: list[SealedEvent]
) -> None:
    """The operator's strongest forgery: another history, hashed and signed with the real key."""
    compliance.rows("DELETE FROM audit_event")
    compliance.rows("DELETE FROM tile")
    compliance.rows("DELETE FROM checkpoint")
    compliance.rows("UPDATE audit_log SET size = 0")
    for start in range(0, len(kept), 500):
        await append(store, arrivals(kept[start : start + 500]))


async def test_a_tail_cut_off_and_signed_again_shows_by_the_kept_checkpoint(
    auditor: _Auditor, store: Store, compliance: ServiceDatabase, batch: list[SealedEvent]
) -> None:
    """The shorter log agrees with itself; only the earlier run tells."""
    await auditor.verify()

    await _rewritten(store, compliance, auditor.organization, batch[:500])

    assert _faults(await auditor.verify()) == [(Fault.TAIL_TRUNCATED, 500)]


async def test_a_rewritten_history_shows_by_the_kept_checkpoint(
    auditor: _Auditor, store: Store, compliance: ServiceDatabase, batch: list[SealedEvent]
) -> None:
    """All hashes recomputed, all signatures good: still not the log of before."""
    await auditor.verify()
    clear = ClearPart.FromString(batch[300].clear)
    clear.purpose = "research"
    other = SealedEvent(clear=clear.SerializeToString(), sealed=batch[300].sealed)

    history = [*batch[:300], other, *batch[301:]]
    await _rewritten(store, compliance, auditor.organization, history)

    report = await auditor.verify()
    faults = {fault for fault, _ in _faults(report)}
    assert faults == {Fault.HISTORY_REWRITTEN, Fault.SPLIT_VIEW}


async def test_a_log_begun_anew_is_not_taken_for_a_first_meeting(
    auditor: _Auditor, store: Store, compliance: ServiceDatabase, batch: list[SealedEvent]
) -> None:
    """Another origin under another key for the same organization is refused."""
    await auditor.verify()
    for table in ("audit_event", "tile", "checkpoint", "audit_log"):
        compliance.rows(f"DELETE FROM {table}")
    await append(store, arrivals(batch[:100]))

    report = await auditor.verify()

    assert _faults(report) == [(Fault.CHECKPOINT_NOT_VOUCHED, None)]


async def test_a_log_that_vanished_is_told(auditor: _Auditor, compliance: ServiceDatabase) -> None:
    """No checkpoint at all, where there was one."""
    await auditor.verify()
    compliance.rows("DELETE FROM checkpoint")

    assert _faults(await auditor.verify()) == [(Fault.TAIL_TRUNCATED, 0)]


async def test_a_number_that_is_missing_is_told(store: Store, tmp_path: Path) -> None:
    """A perfect tree without one event: the numbers tell."""
    organization = new_id()
    await append(store, arrivals(events(organization, [1, 2, 4])))

    report = await _Auditor(store, organization, tmp_path / "trusted").verify()

    assert _faults(report) == [(Fault.SOURCE_SEQ_MISSING, 2)]
    assert f"source        {SOURCE}: 1 to 4, 1 missing" in lines_of(report)


async def test_leaves_of_another_organization_are_told(
    auditor: _Auditor, store: Store, compliance: ServiceDatabase, batch: list[SealedEvent]
) -> None:
    """A whole log shown to the wrong organization is not its log."""
    other = new_id()
    for table in ("audit_event", "tile", "checkpoint", "audit_log"):
        compliance.rows(f"UPDATE {table} SET organization_id = %s", other)

    report = await _Auditor(store, other, Path(auditor._trust._folder)).verify()

    assert {fault for fault, _ in _faults(report)} == {Fault.LEAF_OF_ANOTHER_ORGANIZATION}
