"""Verifying a package by those who were handed it: without a platform and without a network."""

import base64
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from compliance.domain.merkle import HASH_SIZE
from compliance.domain.tiles import WIDTH, TilePath, encode_bundle
from hub import archive
from hub.audit_reader import Published
from hub.audit_verify import Report, TrustStore, verify
from hub.offboarding.package import FORMAT, checked, rows_in

_Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a package holds, and what became of its audit log. `digest` stands for all of it."""

    manifest: dict[str, Any]
    digest: bytes
    tables: _Rows
    log: Report


def opened(source: Path, key: archive.Identity, into: Path) -> Verified:
    """Open a package into an empty folder and verify it. Raises archive.Unusable and Damaged."""
    manifests: list[dict[str, Any]] = []
    accept = _only(source, manifests.append)
    archive.unpack(source, key, into, accept, what="package of an organization")
    [manifest] = manifests
    (into / archive.MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    digest, tables = checked(into)
    organization = UUID(manifest["organization"].partition("/")[2])
    with tempfile.TemporaryDirectory() as nowhere:
        log = verify(_PackedLog(into, tables), organization, TrustStore(Path(nowhere)))
    return Verified(manifest, digest, tables, log)


def _only(source: Path, keep: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, str]], None]:
    def accept(manifest: dict[str, str]) -> None:
        if manifest.get("format") != FORMAT:
            raise archive.Unusable(f"{source} is another archive than an organization's export")
        keep(manifest)

    return accept


class _PackedLog:
    """The audit log of a package, read as a log is (hub.audit_reader.Reader)."""

    def __init__(self, folder: Path, tables: _Rows) -> None:
        events = sorted(
            rows_in(folder, tables, "compliance.audit_event"), key=lambda row: row["leaf_index"]
        )
        self._leaves = [_bytes(row["clear"]) + _bytes(row["sealed_digest"]) for row in events]
        self._tiles = {
            (row["level"], row["index"]): _bytes(row["content"])
            for row in rows_in(folder, tables, "compliance.tile")
        }
        self._checkpoints = sorted(
            rows_in(folder, tables, "compliance.checkpoint"), key=lambda row: row["size"]
        )

    def checkpoint(self) -> Published | None:
        """The newest one."""
        if not self._checkpoints:
            return None
        newest = self._checkpoints[-1]
        return Published(_bytes(newest["note"]), newest["verifier_key"])

    def tile(self, path: str) -> bytes | None:
        """A tile or a bundle by its path; None where the package lacks it."""
        asked = TilePath.parse(path)
        if asked.level is None:
            start = asked.index * WIDTH
            leaves = self._leaves[start : start + asked.width]
            return encode_bundle(leaves) if len(leaves) == asked.width else None
        size = asked.width * HASH_SIZE
        content = self._tiles.get((asked.level, asked.index), b"")[:size]
        return content if len(content) == size else None


def _bytes(value: Any) -> bytes:
    """Bytes as a package writes them: text where they are one, or base64."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])
