"""A patient of long ago is erased from a running platform, and a backup brings nobody back."""

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.demo import messages
from hub.services import Service
from tests.support.processes import eventually
from tests.support.whole import Whole, medhub, tables_with, up

pytestmark = pytest.mark.timeout(600)
ADMIN = "admin@saint-luc.example"
LONG_AGO = datetime(2001, 3, 14, 10, tzinfo=UTC)
LUCIE = messages.Patient("900777", "ANCIENNE", "LUCIE", "19500517", "F")
MARC = messages.Patient("900888", "RECENT", "MARC", "19600517", "M")
POTASSIUM = messages.Result("2823-3", "Potassium", "4.2", "mmol/L", "3.5-5.1")


def _stay(patient: messages.Patient, word: str, at: datetime, *, over: bool) -> list[bytes]:
    """An admission, a result, and (if over) the discharge."""
    admitted = messages.admission(
        patient, f"{word}-1", visit=f"{word}V", unit="CARD", attending="10001234567", at=at
    )
    result = messages.results(patient, f"{word}-2", visit=f"{word}V", values=(POTASSIUM,), at=at)
    stamp = at.strftime("%Y%m%d%H%M%S+0000")
    text = admitted.decode().replace("ADT^A01^ADT_A01", "ADT^A03^ADT_A03")
    discharged = f"{text.replace(f'{word}-1', f'{word}-3').rstrip()}|{stamp}\r".encode()
    return [admitted, result, *([discharged] if over else [])]


def _send(whole: Whole, folder: Path, sent: list[bytes]) -> None:
    files = []
    for at, message in enumerate(sent):
        files.append(folder / f"{len(list(folder.iterdir()))}-{at}.hl7")
        files[-1].write_bytes(message)
    ran = whole.medhub("hl7", "send", *map(str, files))
    assert ran.returncode == 0, ran.stdout + ran.stderr


class Office:
    """The data protection officer at the edge."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self._token = whole.token(ADMIN)

    def call(self, verb: str, path: str, body: object = None, status: int = 200) -> Any:
        """A call that must be answered so."""
        answer = self._whole.http(verb, path, body, token=self._token)
        assert answer.status == status, answer.body
        return answer.json()

    def patient(self, number: str) -> list[str]:
        """Who has a number of the hospital."""
        asked = {"identifier": {"system": messages.SYSTEM, "value": number}}
        found = self.call("POST", "/clinical/v1/patients:lookupIdentities", asked)
        return [one["name"] for one in found.get("identities", [])]

    def until(self, name: str, *states: str) -> Any:
        """A request once it is in one of these states."""
        found: Any = None

        def reached() -> bool:
            nonlocal found
            found = self.call("GET", f"/compliance/v1/{name}")
            return str(found["state"]).endswith(states)

        _wait(reached)
        return found

    def package(self, patient: str) -> Any:
        """Everything that is held of a patient."""
        made = self.call("POST", "/compliance/v1/accessRequests", {"patient": patient})
        self.until(made["name"], "_COMPLETE")
        content, token = b"", ""
        while True:
            path = f"/compliance/v1/{made['name']}/package?page_token={token}"
            part = self.call("GET", path)
            content += base64.b64decode(part["content"])
            token = part.get("next_page_token", "")
            if not token:
                return json.loads(content)

    def erase(self, patient: str) -> Any:
        """A request for erasure, planned, confirmed and done."""
        made = self.call("POST", "/compliance/v1/erasureRequests", {"patient": patient})
        planned = self.until(made["name"], "_PLANNED")
        self.call("POST", f"/compliance/v1/{made['name']}:confirm", {"etag": planned["etag"]})
        return self.until(made["name"], "_COMPLETE")

    def invoice(self, patient: str, buyer: str) -> Any:
        """A draft for a patient."""
        line = {
            "description": "Consultation", "quantity": {"value": "1"},
            "unit_price": {"currency_code": "EUR", "units": "30"},
            "vat_category": "VAT_CATEGORY_EXEMPT", "exemption_code": "VATEX-FR-CGI261-4",
        }  # fmt: skip
        draft = {
            "patient": patient, "buyer": {"display_name": buyer}, "currency_code": "EUR",
            "series": "E2026", "lines": [line],
        }  # fmt: skip
        return self.call("POST", "/billing/v1/invoices", draft)


def _wait(true: Callable[[], bool]) -> None:
    asyncio.run(eventually(true, within=90.0))


def _are_listed(gone: Path, *requests: Any) -> bool:
    """Whether the list holds the receipt of every service for each of these."""
    names = [one["name"].partition("/")[2] for one in requests]
    return all(gone.read_text().count(name) == len(Service) for name in names)


def _verified(whole: Whole) -> None:
    ran = whole.medhub("audit", "verify")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_erased_patient_stays_erased(tmp_path: Path) -> None:
    """Rows and keys go, the trail holds, receipts prove it, and a restore erases again."""
    old, new, sent = tmp_path / "old", tmp_path / "new", tmp_path / "sent"
    file, key, gone = tmp_path / "site.age", tmp_path / "key.txt", old / "destroyed-keys.jsonl"
    sent.mkdir()
    with up(old) as whole:
        office = Office(whole)
        _send(whole, sent, _stay(LUCIE, "OLD", LONG_AGO, over=True))
        _send(whole, sent, _stay(MARC, "NEW", messages.now(), over=False))
        [lucie], [marc] = office.patient(LUCIE.ipp), office.patient(MARC.ipp)
        office.invoice(lucie, "Madame ANCIENNE")
        office.invoice(marc, "Monsieur RECENT")
        final = office.invoice(marc, "Monsieur RECENT")
        office.call("POST", f"/billing/v1/{final['name']}:finalize", {"etag": final["etag"]})
        # The key of a package is made after the backup, which so knows of none to destroy.
        made = medhub("backup", str(file), "--key", str(key), data_dir=old)
        before, kept_before = office.package(lucie), office.package(marc)

        erased, kept = office.erase(lucie), office.erase(marc)

        parts = {one["service"]: one for one in erased["services"]}
        assert made.returncode == 0, made.stderr
        _check_shown(before)
        for service in ("billing", "clinical", "compliance"):
            assert parts[service]["receipt"]["outcome"] == "ERASURE_OUTCOME_ERASED"
        _check_receipts(whole, parts, tmp_path)
        _check_kept(kept, kept_before, office.package(marc))
        assert office.patient(LUCIE.ipp) == []
        refused = office.call("POST", "/compliance/v1/accessRequests", {"patient": lucie}, 400)
        assert refused["details"][0]["reason"] == "KEY_DESTROYED"
        _wait(lambda: not tables_with(old, "ANCIENNE"))
        _verified(whole)
        keys = parts["compliance"]["receipt"]["destroyed_keys"]
        _wait(lambda: all(k.partition("/")[2] in gone.read_text() for k in keys))
        _wait(lambda: _are_listed(gone, erased, kept))

    restored = medhub(
        "restore", str(file), "--key", str(key), "--destroyed-keys", str(gone), data_dir=new
    )

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert f"and now again: {2 * len(Service)}, of " in restored.stdout
    assert gone.read_text() == (new / "destroyed-keys.jsonl").read_text()
    _check_restored(new, lucie, marc)


def _check_restored(data_dir: Path, lucie: str, marc: str) -> None:
    """Who was erased is nowhere, who was kept is there, and the trail holds."""
    with up(data_dir) as whole:
        office = Office(whole)
        assert (office.patient(LUCIE.ipp), office.patient(MARC.ipp)) == ([], [marc])
        _wait(lambda: not tables_with(data_dir, "ANCIENNE"))
        assert "clinical.patient" in tables_with(data_dir, "RECENT")
        refused = office.call("POST", "/compliance/v1/accessRequests", {"patient": lucie}, 400)
        assert refused["details"][0]["reason"] == "KEY_DESTROYED"
        _verified(whole)


def _check_shown(package: Any) -> None:
    """Before, the package has all of it."""
    assert {r["table"] for r in package["clinical"]} >= {
        "clinical.encounter", "clinical.hl7_bytes", "clinical.hl7_message",
        "clinical.observation", "clinical.patient",
    }  # fmt: skip
    assert len([r for r in package["billing"] if r["table"] == "billing.invoice"]) == 1
    assert "ANCIENNE" in json.dumps(package)


def _check_receipts(whole: Whole, parts: dict[str, Any], folder: Path) -> None:
    """Each is verified by the command, offline; a changed one is not."""
    for service, part in parts.items():
        note = folder / f"{service}.receipt"
        note.write_bytes(base64.b64decode(part["receipt"]["note"]))
        key = part["receipt"]["verifier_key"]
        ran = whole.medhub("receipt", str(note), "--key", key)
        assert (ran.returncode, f"service {service}\n" in ran.stdout) == (0, True), ran.stderr
        note.write_bytes(note.read_bytes().replace(b"executed 2", b"executed 3"))
        assert whole.medhub("receipt", str(note), "--key", key).returncode == 1


def _check_kept(request: Any, before: Any, after: Any) -> None:
    """What the law keeps is all still there, and each table says by which article."""
    tables = [t for one in request["services"] for t in one.get("tables", [])]
    grounds = {t["table"]: t["ground"] for t in tables if t.get("ground") and t.get("count")}
    assert "R.1112-7" in grounds["clinical.observation"]
    assert "L.123-22" in grounds["billing.invoice"]
    assert "L.1142-28" in grounds["compliance.audit_event"]
    assert _without_receipts(before["clinical"]) == _without_receipts(after["clinical"])
    invoices = [r["values"] for r in after["billing"] if r["table"] == "billing.invoice"]
    assert [one["state"] for one in invoices] == ["FINAL"]


def _without_receipts(records: list[Any]) -> list[Any]:
    return [record for record in records if "receipt" not in record["table"]]
