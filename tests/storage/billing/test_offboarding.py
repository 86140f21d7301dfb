"""An organization leaves: what it booked goes too, by the owner of the database and nobody else."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from billing.storage.organization_data import belongings
from core.crypto.signed_notes import verified
from core.database.capture import REFUSED
from core.ids import new_id
from core.offboarding import destruction
from core.offboarding.destruction import Destruction, NotReady
from tests.support.billing_office import Office, office
from tests.support.clinics import KeyInMemory
from tests.support.postgres import as_caller

__all__ = ["office"]
_DIGEST: Final = bytes(range(32))
_SUSPENDED: Final = datetime(2026, 11, 26, tzinfo=UTC)
_BOOKS: Final = ("invoice", "invoice_line", "ledger_transaction", "ledger_entry", "payment")


def _destruction(office: Office) -> Destruction:
    return Destruction(office.database.urls.owner, belongings(), KeyInMemory())


async def _booked(office: Office) -> UUID:
    """An organization with a final invoice and a payment; everything has reached the trail."""
    organization = new_id()
    as_caller(organization=organization)
    await office.final()
    await office.payment(3000)
    _relayed(office)
    return organization


def _relayed(office: Office) -> None:
    """As when the relays have sent everything that waited."""
    office.database.rows("DELETE FROM medhub.audit_outbox")
    office.database.rows("DELETE FROM medhub.fact_outbox")


def _rows(office: Office, organization: UUID) -> dict[str, int]:
    counted = {
        table: office.database.rows(
            f"SELECT count(*) AS many FROM {table} WHERE organization_id = %s",
            organization,
        )[0]["many"]
        for table in (*_BOOKS, "ledger_account", "receivable", "invoice_series")
    }
    return {table: many for table, many in counted.items() if many}


async def test_everything_goes_and_nothing_of_others(office: Office) -> None:
    """Final invoices and the ledger too; the receipt says how many, by which export."""
    other, leaving = await _booked(office), await _booked(office)
    before, theirs = _rows(office, leaving), _rows(office, other)
    work = _destruction(office)
    key = work.verifier_key()
    work.exported(leaving, _DIGEST, _SUSPENDED)

    work.begin(leaving, _DIGEST)
    note = work.destroy(leaving, _DIGEST)

    said = verified(note, key).splitlines()
    assert _rows(office, leaving) == {}
    assert _rows(office, other) == theirs
    assert said[1:4] == [
        f"organization {leaving}", "service billing", f"export {_DIGEST.hex()}",
    ]  # fmt: skip
    assert {f"rows billing.{table} {many}" for table, many in before.items()} <= set(said)
    assert work.destroy(leaving, _DIGEST) == note


async def test_the_act_is_in_the_platforms_trail_and_no_row_is(office: Office) -> None:
    """What a row held must not be recorded anew where nobody destroys it."""
    leaving = await _booked(office)
    work = _destruction(office)
    work.exported(leaving, _DIGEST, _SUSPENDED)
    work.begin(leaving, _DIGEST)

    work.destroy(leaving, _DIGEST)

    [act] = office.database.rows("SELECT * FROM medhub.audit_outbox")
    assert act["organization_id"] == UUID(int=0)
    assert (act["kind"], act["operation"]) == ("act", destruction.ACTION)
    assert act["resource"] == f"organizations/{leaving}"
    assert act["after"] == {"export": _DIGEST.hex()}


@pytest.mark.parametrize("table", _BOOKS)
async def test_no_server_can_pretend_to_be_the_owner(office: Office, table: str) -> None:
    """The setting alone opens nothing."""
    leaving = await _booked(office)

    with psycopg.connect(office.database.urls.app) as connection:
        connection.execute(
            "SELECT set_config('medhub.organization', %s, true),"
            " set_config('medhub.destroying', 'on', true)",
            (str(leaving),),
        )
        with pytest.raises(psycopg.Error) as refused:
            connection.execute(f"DELETE FROM {table}")

    expected = {REFUSED, "MH001", psycopg.errors.InsufficientPrivilege.sqlstate}
    assert refused.value.sqlstate in expected
    assert table in _rows(office, leaving)


async def test_nothing_goes_that_was_not_handed_over(office: Office) -> None:
    """Neither by another digest, nor while records have not reached the trail."""
    leaving = await _booked(office)
    work = _destruction(office)
    await office.draft()
    before = _rows(office, leaving)

    with pytest.raises(NotReady, match="handed over nothing"):
        work.begin(leaving, _DIGEST)
    work.exported(leaving, _DIGEST, _SUSPENDED)
    with pytest.raises(NotReady, match="handed over nothing"):
        work.begin(leaving, bytes(32))
    with pytest.raises(NotReady, match="on their way"):
        work.begin(leaving, _DIGEST)
    with pytest.raises(NotReady, match="has not begun"):
        work.destroy(leaving, _DIGEST)

    assert _rows(office, leaving) == before
    assert work.state(leaving).begun_at is None  # type: ignore[union-attr]  # it was handed over


async def test_what_was_broken_off_goes_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is held stops it; the second time counts what the first has done."""
    leaving = await _booked(office)
    before = _rows(office, leaving)
    work = _destruction(office)
    work.exported(leaving, _DIGEST, _SUSPENDED)
    work.begin(leaving, _DIGEST)
    monkeypatch.setattr(destruction, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(destruction, "ROWS_AT_A_TIME", 1)

    with office.database.owner() as held:
        held.execute("BEGIN")
        held.execute("SELECT 1 FROM invoice WHERE organization_id = %s FOR UPDATE", (leaving,))
        with pytest.raises(psycopg.errors.LockNotAvailable):
            work.destroy(leaving, _DIGEST)
        held.execute("ROLLBACK")
    with pytest.raises(NotReady, match="has begun"):
        work.exported(leaving, bytes(32), _SUSPENDED)
    between = _rows(office, leaving)
    note = work.destroy(leaving, _DIGEST).decode()

    assert 0 < len(between) < len(before)
    assert _rows(office, leaving) == {}
    assert all(f"rows billing.{table} {many}\n" in note for table, many in before.items())


async def test_a_restore_destroys_again(office: Office) -> None:
    """What a backup has brought back, once; its receipt is the first one."""
    leaving = await _booked(office)
    work = _destruction(office)
    work.exported(leaving, _DIGEST, _SUSPENDED)
    known: Any = work.state(leaving)
    known = destruction.Offboarding(
        known.export_digest, known.suspended_at, None, _SUSPENDED, {}, b"the first receipt"
    )
    office.database.rows("DELETE FROM medhub.offboarding")

    again = [work.redo(leaving, known), work.redo(leaving, known)]

    state: Any = work.state(leaving)
    assert again == [True, False]
    assert _rows(office, leaving) == {}
    assert (state.receipt, state.destroyed_at) == (b"the first receipt", _SUSPENDED)
