"""Refusals of strangers are counted, in a bounded table."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core import clock
from core.audit.refusals import MOST_ROWS, Refusals
from core.database.access import AccessRecord
from core.errors import Unavailable

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METHOD = "medhub.clinical.v1.PatientService/GetPatient"


class _Kept:
    """A recorder that keeps records, or is away."""

    def __init__(self) -> None:
        self.records: list[AccessRecord] = []
        self.away = False

    async def record(self, records: Sequence[AccessRecord]) -> None:
        if self.away:
            raise Unavailable
        self.records += records


def _told(kept: _Kept) -> list[tuple[str, str, dict[str, object]]]:
    return [(r.call.peer, r.call.method, dict(r.detail)) for r in kept.records]


async def test_equal_refusals_become_one_record() -> None:
    """One record for each address, method, reason and minute, of the platform."""
    kept = _Kept()
    refusals = Refusals(kept)
    with clock.frozen(NOON):
        for _ in range(3):
            refusals.note("192.0.2.1", METHOD, "UNAUTHENTICATED")
        refusals.note("192.0.2.2", METHOD, "UNAUTHENTICATED")

    await refusals.flush()

    minute = "2026-11-23T12:00+00:00"
    detail = {"reason": "UNAUTHENTICATED", "minute": minute}
    assert _told(kept) == [
        ("192.0.2.1", METHOD, {"count": 3, **detail}),
        ("192.0.2.2", METHOD, {"count": 1, **detail}),
    ]
    assert {(r.kind, r.subjects, r.call.caller.organization) for r in kept.records} == {
        ("refusal", (), None)
    }


async def test_a_flood_from_many_addresses_is_bounded() -> None:
    """Past the bound, further addresses share a row that names none; no refusal goes uncounted."""
    kept = _Kept()
    refusals = Refusals(kept)
    with clock.frozen(NOON):
        for n in range(MOST_ROWS + 500):
            refusals.note(f"host {n}", METHOD, "UNAUTHENTICATED")

    await refusals.flush()

    assert len(kept.records) == MOST_ROWS + 1
    assert _told(kept)[-1][::2] == (
        "",
        {"count": 500, "reason": "UNAUTHENTICATED", "minute": "2026-11-23T12:00+00:00"},
    )


async def test_counts_wait_while_they_cannot_be_kept() -> None:
    """An outage of the database loses no count."""
    kept = _Kept()
    refusals = Refusals(kept)
    kept.away = True
    with clock.frozen(NOON):
        refusals.note("192.0.2.1", METHOD, "UNAUTHENTICATED")
        await refusals.flush()
        refusals.note("192.0.2.1", METHOD, "UNAUTHENTICATED")
    kept.away = False

    await refusals.flush()

    assert [record.detail["count"] for record in kept.records] == [2]


async def test_stopping_flushes() -> None:
    """What was counted since the last minute is kept at the end, and once."""
    kept = _Kept()
    refusals = Refusals(kept)
    refusals.start()
    refusals.note("192.0.2.1", METHOD, "UNAUTHENTICATED")

    await refusals.stop()
    await refusals.stop()

    assert len(kept.records) == 1


async def test_a_fault_of_the_recorder_is_not_hidden() -> None:
    """What is no outage is raised, and the counts are kept."""

    class _Broken:
        async def record(self, records: Sequence[AccessRecord]) -> None:
            raise RuntimeError("a fault")

    refusals = Refusals(_Broken())
    refusals.note("192.0.2.1", METHOD, "UNAUTHENTICATED")

    with pytest.raises(RuntimeError):
        await refusals.flush()
