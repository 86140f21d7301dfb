"""An organization leaves a running platform with everything; another goes on working."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pyrage
import pytest

from core.crypto.private_files import PrivateFile
from hub.services import Service
from tests.support.processes import eventually
from tests.support.whole import Whole, medhub, tables_with, up

pytestmark = pytest.mark.timeout(600)
LEAVING, OTHER = "docteur@saint-luc.example", "docteur@tilleuls.example"
# What stays of an organization: that it accepts no token, and that it was destroyed. And what the
# platform's own log holds, which is no organization's.
STAYS = {
    "auth.auth_event", "auth.auth_state", "compliance.audit_event",
    *(f"{service}.offboarding" for service in Service),
}  # fmt: skip


def _owner(folder: Path) -> tuple[Path, str]:
    """The key of whom the package is for: in a file, and what others may know of it."""
    key = pyrage.x25519.Identity.generate()
    path = folder / "owner.key"
    PrivateFile(path).create(f"{key}\n".encode())
    return path, str(key.to_public())


def _fields(printed: str) -> dict[str, str]:
    lines = [line.partition("  ") for line in printed.splitlines()]
    return {name: value.strip() for name, _, value in lines}


def _told(whole: Whole, *words: str, fails: bool = False) -> str:
    ran = whole.medhub(*words)
    assert bool(ran.returncode) is fails, ran.stdout + ran.stderr
    return ran.stderr if fails else ran.stdout


def _patients(whole: Whole, email: str) -> Any:
    answer = whole.http("GET", "/clinical/v1/patients", token=whole.token(email))
    assert answer.status == 200, answer.body
    return answer.json()["patients"]


def test_an_organization_leaves_with_everything_and_stays_away(tmp_path: Path) -> None:
    """Handed over, verified by its owner, destroyed with receipts; a backup brings nothing back."""
    old, new, receipts = tmp_path / "old", tmp_path / "new", tmp_path / "receipts"
    package, opened = tmp_path / "package.age", tmp_path / "opened"
    site, key, gone = tmp_path / "site.age", tmp_path / "key.txt", old / "destroyed-keys.jsonl"
    owner, public = _owner(tmp_path)
    with up(old) as whole:
        assert whole.medhub("demo").returncode == 0
        name = whole.running.organizations[0]["name"]
        row = str(UUID(name.partition("/")[2]))
        seen = _patients(whole, LEAVING)
        handing = ("offboard", "export", name, str(package), "--recipient", public)
        destroying = ("offboard", "destroy", name, "--receipts", str(receipts), "--digest")
        assert "not suspended" in _told(whole, *handing, fails=True)
        _told(whole, "auth", "suspend-organization", name)
        _told(whole, *handing)
        _told(whole, "backup", str(site), "--key", str(key))

        found = medhub(
            "offboard", "verify", str(package), "--key", str(owner), "--into", str(opened),
            data_dir=tmp_path / "nowhere",
        )  # fmt: skip
        fields = _fields(found.stdout)
        manifest = json.loads((opened / "manifest.json").read_text())
        names = (opened / "clinical/patient-000001.jsonl").read_text()
        assert found.returncode == 0, found.stderr
        assert fields["audit log"].startswith("holds, ")
        assert manifest["organization"] == name
        assert all(one["name"].partition("/")[2] in names for one in seen)
        assert b"ADT^A01" in (opened / "clinical/hl7_bytes-000001.jsonl").read_bytes()

        assert "by this digest" in _told(whole, *destroying, "00" * 32, fails=True)
        _told(whole, *destroying, fields["digest"])

        for service in Service:
            note = receipts / f"{service}.receipt"
            said = _told(whole, "receipt", str(note), "--key", manifest["receipt_keys"][service])
            assert f"export {fields['digest']}" in said
        assert tables_with(old, row) <= STAYS
        # Of a patient, what a doctor of another organization once asked for in vain: in its trail.
        left = {found for one in seen for found in tables_with(old, one["name"].partition("/")[2])}
        assert left <= STAYS | {"compliance.subject_key"}
        assert whole.medhub("doctor").returncode == 0
        _patients(whole, OTHER)
        asyncio.run(eventually(lambda: gone.read_text().count(row) >= len(Service), within=60.0))

    options = ("--key", str(key), "--destroyed-keys", str(gone))
    restored = medhub("restore", str(site), *options, data_dir=new)

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "organizations destroyed since the backup, and now again: 1" in restored.stdout
    assert "BROKEN" not in restored.stdout
    with up(new) as whole:
        assert tables_with(new, row) <= STAYS
        _patients(whole, OTHER)
