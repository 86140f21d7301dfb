"""The list of destroyed keys."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from core.ids import new_id
from core.subject.receipts import Record
from hub.destroyed_keys import Destroyed, DestroyedKey, keep, listed
from hub.destroyed_organizations import DestroyedOrganization
from hub.erased_rows import ErasedRows

WARD = UUID(int=7)


def test_a_list_is_read_as_it_was_kept(tmp_path: Path) -> None:
    """Keys of persons and of months, erasures, organizations that left; and nothing else."""
    at = datetime(2026, 11, 25, 12, 30, 1, 5, tzinfo=UTC)
    record = Record(new_id(), b"\x01\x02", (new_id(),), ("patient", "encounter"), at, b"\xffsigned")
    keys: set[Destroyed] = {
        DestroyedKey(WARD, new_id()),
        DestroyedKey(WARD, None, "audit", "2026-11"),
        ErasedRows(WARD, "clinical", record),
        DestroyedOrganization(new_id(), "billing", b"\x03", at, at, b"\xfesigned"),
    }
    path = tmp_path / "destroyed-keys.jsonl"

    keep(path, keys)

    assert listed(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_list_says_that_no_key_was_destroyed(tmp_path: Path) -> None:
    """So does one that is not there, as before the first start."""
    path = tmp_path / "destroyed-keys.jsonl"

    before = listed(path)
    keep(path, ())

    assert (before, listed(path)) == (set(), set())


@pytest.mark.parametrize("text", ["{}\n", "[]\n", "{", '{"organization": "x"}\n'])
def test_another_file_is_no_list(tmp_path: Path, text: str) -> None:
    """A restore must not take it for "none was destroyed"."""
    path = tmp_path / "destroyed-keys.jsonl"
    path.write_text(text)

    with pytest.raises(ValueError):  # noqa: PT011 - of json, uuid or our own
        listed(path)
