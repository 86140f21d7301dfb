"""The package of an organization that leaves: what it holds, and that damage shows."""

import json
from pathlib import Path
from typing import Any

import pyrage
import pytest

from billing.storage.organization_data import belongings
from core.contract import everything
from hub import archive
from hub.offboarding import package
from hub.offboarding.package import FORMAT, Contents, Damaged, checked, rows_in
from hub.offboarding.verification import opened

everything()
KEY = pyrage.x25519.Identity.generate()
ORGANIZATION = "organizations/01980000-0000-7000-8000-000000000001"


def _written(target: Path, rows: list[str]) -> bytes:
    """A package with these rows in the first table of billing; its digest."""
    with archive.written(target, KEY.to_public()) as writer:
        manifest = {"format": FORMAT, "organization": ORGANIZATION, "receipt_keys": {}}
        writer.json(archive.MANIFEST, manifest)
        contents = Contents(writer)
        for belonging in belongings().tables():
            table = contents.begin("billing", belonging)
            table.add(rows if not contents.tables else [])
            table.end()
        return contents.end()


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is told of, one without rows too, and rows stand in files of bounded size."""
    monkeypatch.setattr(package, "FILE_BYTES", 64)
    rows = [json.dumps({"number": number, "text": "é\n"}) for number in range(20)]

    digest = _written(tmp_path / "x.age", rows)
    found = opened(tmp_path / "x.age", KEY, tmp_path)

    tables: Any = found.tables
    assert found.digest == digest
    assert len(tables) == len(belongings().tables())
    assert len(tables[0]["files"]) > 1
    assert [json.dumps(row) for row in rows_in(tmp_path, tables, tables[0]["table"])] == rows
    assert {one["column"] for one in tables[0]["columns"]}
    assert found.log.holds


def test_nobody_else_opens_it(tmp_path: Path) -> None:
    """Not even whoever made it."""
    _written(tmp_path / "x.age", ["{}"])

    with pytest.raises(archive.Unusable):
        opened(tmp_path / "x.age", pyrage.x25519.Identity.generate(), tmp_path)


@pytest.mark.parametrize("damage", ["altered", "missing", "not accounted for"])
def test_damage_shows(tmp_path: Path, damage: str) -> None:
    """A file that was changed, lost or added is named."""
    _written(tmp_path / "x.age", ['{"a": 1}'])
    tables: Any = opened(tmp_path / "x.age", KEY, tmp_path).tables
    file = tmp_path / tables[0]["files"][0]["name"]
    match damage:
        case "altered":
            file.write_text('{"a": 2}\n')
        case "missing":
            file.unlink()
        case _:
            file.with_name("more.jsonl").write_text("{}\n")

    with pytest.raises(Damaged, match=damage):
        checked(tmp_path)


def test_another_archive_is_no_package(tmp_path: Path) -> None:
    """A backup that somebody confuses with it."""
    with archive.written(tmp_path / "x.age", KEY.to_public()) as writer:
        writer.json(archive.MANIFEST, {"made_at": "now"})

    with pytest.raises(archive.Unusable, match="another archive"):
        opened(tmp_path / "x.age", KEY, tmp_path)
