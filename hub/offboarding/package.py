"""The package that an organization is handed when it leaves, sealed to its own key.

An archive in the age format, as a backup is (hub/archive.py). Inside:

    manifest.json                  whose it is, when it was made, which keys sign receipts
    clinical/patient-000001.jsonl  rows of a table: a JSON object a line, in the order of its key
    …
    contents.json                  every table with its columns and files, each with its SHA-256
    end.json

The SHA-256 of contents.json is the export's digest. No command but `verify` tells it, so whoever
knows it has opened the package.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from core.offboarding.belongings import Belonging
from hub.archive import Writer

CONTENTS = "contents.json"
FORMAT = "medhub organization export v1"
FILE_BYTES = 8 * 1024 * 1024
"""Of one file of rows, about: it is built in memory, for an archive says sizes beforehand."""


@dataclass(slots=True)
class Contents:
    """Writes rows into files of bounded size, and keeps account of them."""

    writer: Writer
    tables: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, service: str, belonging: Belonging) -> "Table":
        """The rows of one table come next."""
        return Table(self, f"{service}/{belonging.table.name}", _described(service, belonging))

    def end(self) -> bytes:
        """Close the account; its digest."""
        text = json.dumps({"tables": self.tables}, ensure_ascii=False, indent=1).encode() + b"\n"
        self.writer.content(CONTENTS, text)
        return hashlib.sha256(text).digest()


class Table:
    """One table on its way into the package."""

    def __init__(self, contents: Contents, path: str, described: dict[str, Any]) -> None:
        self._contents = contents
        self._path = path
        self._described = described
        self._files: list[dict[str, Any]] = []
        self._lines: list[bytes] = []
        self._size = 0
        self._rows = 0

    def add(self, lines: list[str]) -> None:
        """Some rows."""
        for line in lines:
            self._lines.append(line.encode() + b"\n")
            self._size += len(self._lines[-1])
            if self._size >= FILE_BYTES:
                self._flush()

    def end(self) -> int:
        """All rows are in; how many."""
        self._flush()
        told = {**self._described, "rows": self._rows, "files": self._files}
        self._contents.tables.append(told)
        return self._rows

    def _flush(self) -> None:
        if not self._lines:
            return
        content = b"".join(self._lines)
        name = f"{self._path}-{len(self._files) + 1:06}.jsonl"
        self._contents.writer.content(name, content)
        self._files.append({
            "name": name,
            "rows": len(self._lines),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        })  # fmt: skip
        self._rows += len(self._lines)
        self._lines, self._size = [], 0


def _described(service: str, belonging: Belonging) -> dict[str, Any]:
    """What a table and each of its columns hold, as the contract says."""
    return {
        "table": f"{service}.{belonging.table.name}",
        "collection": belonging.table.info.get("collection", belonging.table.name),
        "columns": [
            MessageToDict(one, preserving_proto_field_name=True) for one in belonging.shown.fields
        ],
    }


class Damaged(Exception):
    """A package is not what its account says; the text says where."""


def checked(folder: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """The digest of an unpacked package and its tables, when every file is as accounted for.

    Raises Damaged.
    """
    text = (folder / CONTENTS).read_bytes()
    tables = json.loads(text)["tables"]
    named = set()
    for table in tables:
        rows = 0
        for file in table["files"]:
            rows += _checked(folder, file)
            named.add(file["name"])
        if rows != table["rows"]:
            raise Damaged(f"{table['table']} has {rows} rows and not {table['rows']}")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*.jsonl")}
    if there != named:
        raise Damaged(f"not accounted for: {', '.join(sorted(there ^ named))}")
    return hashlib.sha256(text).digest(), tables


def _checked(folder: Path, file: dict[str, Any]) -> int:
    path = folder / file["name"]
    if not path.exists():
        raise Damaged(f"{file['name']} is missing")
    content: bytes = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file["sha256"]:
        raise Damaged(f"{file['name']} was altered")
    rows: int = content.count(b"\n")
    if rows != int(file["rows"]):
        raise Damaged(f"{file['name']} has {rows} rows and not {file['rows']}")
    return rows


def rows_in(folder: Path, tables: list[dict[str, Any]], table: str) -> Iterator[dict[str, Any]]:
    """The rows of one table of an unpacked package, in their order."""
    for told in tables:
        if told["table"] == table:
            for file in told["files"]:
                with (folder / file["name"]).open(encoding="utf-8") as lines:
                    yield from map(json.loads, lines)
