"""A small site in one file, and back on another machine."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from core import clock, identity
from core.identity import Call, Caller, Kind
from core.ids import name_of, new_id
from hub.data_dir import DataDir
from hub.layout import Layout
from hub.restore import compliance_store
from hub.services import Service
from tests.support.processes import eventually
from tests.support.whole import Answer, Whole, medhub, up

pytestmark = pytest.mark.timeout(400)
DOCTOR = "docteur@saint-luc.example"
CLERK = "facturation@saint-luc.example"
ADMINISTRATOR = "admin@saint-luc.example"
REQUESTS = "/compliance/v1/erasureRequests"
FORGOTTEN = "SELECT subject FROM subject_key WHERE id = %s"


def _compliance(data_dir: Path) -> str:
    layout = Layout.found(DataDir.at(data_dir))
    cluster = layout.cluster()
    assert cluster is not None
    return cluster.url(layout.database_name(Service.COMPLIANCE))


async def _forget_somebody(data_dir: Path) -> str:
    """Destroy the key of one person; its id."""
    with psycopg.connect(_compliance(data_dir)) as connection:
        [(organization, person)] = connection.execute(
            "SELECT organization_id, subject FROM subject_key WHERE subject LIKE 'patients/%%'"
            " AND retention_class = 'audit' LIMIT 1"
        ).fetchall()
    caller = Caller(kind=Kind.SERVICE, organization=organization)
    identity.enter(Call("compliance.server/Test", caller, "compliance.keys.destroy", "operation"))
    async with compliance_store(Layout.found(DataDir.at(data_dir))) as store, store.begin() as tx:
        key = await tx.keys.destroy_subject_key(person, "audit", at=clock.now())
    return str(key)


def _subject(data_dir: Path, key: str) -> str | None:
    with psycopg.connect(_compliance(data_dir)) as connection:
        [(subject,)] = connection.execute(FORGOTTEN, (key,)).fetchall()
    return subject if subject is None else str(subject)


def _draft(whole: Whole, patient: str) -> Answer:
    """Write an invoice for somebody."""
    line = {
        "description": "Consultation",
        "quantity": {"value": "1"},
        "unit_price": {"currency_code": "EUR", "units": "30"},
        "vat_category": "VAT_CATEGORY_EXEMPT",
        "exemption_code": "VATEX-EU-132-1C",
    }
    invoice = {
        "patient": patient,
        "currency_code": "EUR",
        "series": "F",
        "buyer": {"display_name": "A. Martin"},
        "lines": [line],
    }
    return whole.http("POST", "/billing/v1/invoices", invoice, token=whole.token(CLERK))


def _is_listed(gone: Path, key: str, patient: str) -> bool:
    """Whether the list holds the key, and the last of a person's receipts, that of compliance."""
    lines = gone.read_text().splitlines()
    person = patient.partition("/")[2]
    erased = any(person in one and '"service": "compliance"' in one for one in lines)
    return erased and any(key in one for one in lines)


async def _erase_somebody(whole: Whole) -> str:
    """Erase, in every service, somebody of whom billing alone has a draft; their name."""
    token, patient = whole.token(ADMINISTRATOR), name_of("patients", new_id())
    drafted = _draft(whole, patient)
    assert drafted.status == 200, drafted.body
    asked = whole.http("POST", REQUESTS, {"patient": patient}, token=token).json()

    def is_in(state: str) -> bool:
        found = whole.http("GET", f"/compliance/v1/{asked['name']}", token=token).json()
        asked.update(found)
        return str(asked["state"]).endswith(state)

    await eventually(lambda: is_in("PLANNED"), within=60.0)
    confirm = f"/compliance/v1/{asked['name']}:confirm"
    assert whole.http("POST", confirm, {"etag": asked["etag"]}, token=token).status == 200
    await eventually(lambda: is_in("COMPLETE"), within=60.0)
    return patient


def test_a_backup_is_restored_and_who_was_forgotten_stays_forgotten(tmp_path: Path) -> None:
    """Taken while the platform runs; the key destroyed after it is gone in what comes back."""
    old, new = tmp_path / "old", tmp_path / "new"
    file, key, gone = tmp_path / "site.age", tmp_path / "key.txt", old / "destroyed-keys.jsonl"
    with up(old) as whole:
        # Its story ends with proofs: by then the keys of its patients have been made.
        assert medhub("demo", data_dir=old).returncode == 0
        token = whole.token(DOCTOR)
        before = whole.http("GET", "/clinical/v1/patients", token=token).json()
        made = medhub("backup", str(file), "--key", str(key), data_dir=old)
        destroyed = asyncio.run(_forget_somebody(old))
        erased = asyncio.run(_erase_somebody(whole))
        asyncio.run(eventually(lambda: _is_listed(gone, destroyed, erased), within=60.0))
    assert before["patients"]
    assert made.returncode == 0, made.stderr

    options = ("--key", str(key), "--destroyed-keys", str(gone))
    restored = medhub("restore", str(file), *options, data_dir=new)
    again = medhub("restore", str(file), *options, data_dir=new)

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "now again: 1" in restored.stdout
    assert "BROKEN" not in restored.stdout
    assert again.returncode == 1
    assert "holds a platform already" in again.stderr
    with up(new) as whole:
        token = whole.token(DOCTOR)
        assert whole.http("GET", "/clinical/v1/patients", token=token).json() == before
        assert _subject(new, destroyed) is None
        assert b"PERSON_ERASED" in _draft(whole, erased).body


def test_nothing_serves_from_a_backup_that_was_not_proved(tmp_path: Path) -> None:
    """A restore that was interrupted may hold keys that had been destroyed."""
    data = DataDir.at(tmp_path)
    data.unproven.touch()

    refused = medhub("up", data_dir=tmp_path)

    assert refused.returncode == 1
    assert "not proved" in refused.stderr


def test_a_restore_that_failed_can_be_tried_again_and_nothing_else(tmp_path: Path) -> None:
    """No new platform is made where a backup was to come back."""
    garbage, key, none = tmp_path / "garbage.age", tmp_path / "key.txt", tmp_path / "none.jsonl"
    garbage.write_bytes(b"no backup")
    none.touch()
    made = medhub("backup", str(tmp_path / "x"), "--key", str(key), data_dir=tmp_path / "nothing")
    options = ("--key", str(key), "--destroyed-keys", str(none))

    tries = [medhub("restore", str(garbage), *options, data_dir=tmp_path / "new") for _ in range(2)]
    begun = medhub("up", data_dir=tmp_path / "new")

    assert made.returncode == 1
    assert [one.returncode for one in (*tries, begun)] == [1, 1, 1]
    assert all("is no backup" in one.stderr for one in tries), tries[1].stderr
    assert "not proved" in begun.stderr


def test_a_site_of_its_own_begins_without_the_demonstration(tmp_path: Path) -> None:
    """Everything but the gateway, which has no account before somebody gives it one."""
    with up(tmp_path, arguments=()) as whole:
        health = whole.http("GET", "/health/")
        examined = medhub("doctor", data_dir=tmp_path)

    assert health.status == 200
    assert examined.returncode == 0, examined.stdout
    assert "gateway" not in examined.stdout
