"""Verifying an organization's log from outside, whole: `medhub audit verify`.

Nothing that the server says is believed but what hashes and signatures prove. The newest
checkpoint that was verified is kept, with the key that signed it: the next run proves that the
log only grew since. A log that was cut, or rewritten and signed again, agrees with itself and
shows by that alone.
"""

import json
import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from google.protobuf.message import DecodeError

from compliance.domain.checkpoint import (
    Checkpoint,
    CheckpointNotVouched,
    MalformedCheckpoint,
    SignedNote,
    open_checkpoint,
)
from compliance.domain.completeness import FIRST_NUMBER
from compliance.domain.events import clear_part
from compliance.domain.merkle import HASH_SIZE, leaf_hash
from compliance.domain.tiles import (
    WIDTH,
    RightEdge,
    TileAddress,
    TilePath,
    bundles_at,
    decode_bundle,
    grow,
    tiles_at,
)
from compliance.domain.verification import (
    ExportedLog,
    Fault,
    Finding,
    Provenance,
    Verdict,
    verify_log,
)
from core.crypto.note_keys import MalformedKey, NoteVerifier
from hub.audit_reader import Published, Reader
from medhub.event.v1.audit_event_pb2 import ClearPart

AT_ONCE = 8
"""Tiles read at a time: the way there and back is the longest part of a read."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A checkpoint that an earlier run verified, and the key that vouched for it."""

    note: bytes
    verifier_key: str


class TrustStore:
    """What earlier runs verified, a file an organization.

    The file is named by the organization, which the token states, and not by the log's origin,
    which the server does: a history begun anew under another origin must not look like a first
    meeting.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, organization: UUID) -> Trusted | None:
        """The checkpoint kept; None when this log was never verified here."""
        try:
            kept = json.loads(self._path(organization).read_text())
        except FileNotFoundError:
            return None
        return Trusted(kept["note"].encode(), kept["verifier_key"])

    def keep(self, organization: UUID, trusted: Trusted) -> None:
        """Keep a checkpoint in place of the older one; the file appears whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {"note": trusted.note.decode(), "verifier_key": trusted.verifier_key}
        path = self._path(organization)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
        draft.replace(path)

    def _path(self, organization: UUID) -> Path:
        return self._folder / f"{organization}.json"


@dataclass(frozen=True, slots=True)
class Source:
    """What the log holds of one service: numbers from the first to `last`, `held` of them."""

    name: str
    last: int
    held: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `stated` is None when no checkpoint could be believed."""

    organization: UUID
    stated: Checkpoint | None
    verifier_key: str
    continues: int
    verdict: Verdict
    sources: tuple[Source, ...] = ()
    bad_event: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.verdict.findings


def verify(reader: Reader, organization: UUID, trust: TrustStore, *, key: str = "") -> Report:
    """Verify the whole log, and keep its checkpoint when all holds.

    `key` is a vkey from elsewhere that the log must be signed by; else it is the one kept from
    the first meeting, else the one published. Holds the leaves in memory. Raises Unreadable.
    """
    kept = trust.of(organization)
    published = reader.checkpoint()
    if published is None:
        return _without_log(organization, kept)
    verifier_key = key or (kept.verifier_key if kept else published.verifier_key)
    stated = _believed(published, verifier_key)
    if isinstance(stated, Finding):
        return _failed(organization, verifier_key, stated)
    earlier = _checkpoint_in(kept) if kept else None
    if earlier is not None and earlier.origin != stated.origin:
        return _failed(organization, verifier_key, Finding(Fault.CHECKPOINT_OF_ANOTHER_LOG))
    report = _verified(reader, organization, stated, earlier, published, verifier_key)
    if report.holds:
        trust.keep(organization, Trusted(published.note, verifier_key))
    return report


def _verified(
    reader: Reader,
    organization: UUID,
    stated: Checkpoint,
    earlier: Checkpoint | None,
    published: Published,
    verifier_key: str,
) -> Report:
    size = stated.size
    entries = _entries(reader, size)
    stored = _hashes(reader, size)
    log = ExportedLog(stated.origin, organization, entries, stored, [published.note])
    trusted = [earlier] if earlier else []
    verdict = verify_log(
        log,
        verifiers=[NoteVerifier.from_vkey(verifier_key)],
        provenance_of=_provenance,
        trusted=trusted,
    )
    if not verdict.findings:
        verdict = replace(verdict, findings=tuple(_tile_findings(reader, entries)))
    return Report(
        organization,
        stated,
        verifier_key,
        earlier.size if earlier else 0,
        verdict,
        tuple(_sources(entries)),
        _event_at(entries, verdict.first_bad_leaf),
    )


def _believed(published: Published, verifier_key: str) -> Checkpoint | Finding:
    """The checkpoint, when the key vouches for it; else what is wrong with it."""
    try:
        verifier = NoteVerifier.from_vkey(verifier_key)
        return open_checkpoint(published.note, [verifier])
    except (MalformedCheckpoint, MalformedKey) as cause:
        return Finding(Fault.CHECKPOINT_MALFORMED, detail=str(cause))
    except CheckpointNotVouched as cause:
        return Finding(Fault.CHECKPOINT_NOT_VOUCHED, detail=str(cause))


def _checkpoint_in(kept: Trusted) -> Checkpoint:
    """The kept checkpoint. It was verified before it was kept, in a file of our own."""
    return Checkpoint.parse(SignedNote.parse(kept.note).text)


def _without_log(organization: UUID, kept: Trusted | None) -> Report:
    """No checkpoint is published: right for a log that never had an event, and for no other."""
    size = _checkpoint_in(kept).size if kept else 0
    findings = (Finding(Fault.TAIL_TRUNCATED, 0, size),) if size else ()
    return Report(organization, None, "", size, Verdict(0, b"", findings))


def _failed(organization: UUID, verifier_key: str, finding: Finding) -> Report:
    """Without a checkpoint to believe there is nothing to measure leaves by."""
    return Report(organization, None, verifier_key, 0, Verdict(0, b"", (finding,)))


def _entries(reader: Reader, size: int) -> list[bytes]:
    """The leaves' bytes, in order, up to the first that the log cannot show."""
    leaves: list[bytes] = []
    for path, bundle in _read(reader, bundles_at(size)):
        if bundle is None:
            leaves += _beginning(reader, path)
            break
        leaves += decode_bundle(bundle)
    return leaves


def _beginning(reader: Reader, path: TilePath) -> list[bytes]:
    """The leaves of a bundle before the first missing one, which no narrower bundle reaches."""
    widths = range(1, path.width)
    # Widths that can be read stand before those that cannot: False sorts before True.
    readable = bisect_right(
        widths, False, key=lambda width: reader.tile(replace(path, width=width).text) is None
    )
    if not readable:
        return []
    bundle = reader.tile(replace(path, width=widths[readable - 1]).text)
    return decode_bundle(bundle) if bundle is not None else []


def _hashes(reader: Reader, size: int) -> list[bytes]:
    """The stored leaf hashes: the tiles of level 0."""
    stored = bytearray()
    paths = (path for path in tiles_at(size) if path.level == 0)
    for _, tile in _read(reader, paths):
        if tile is None:
            break
        stored += tile
    return [bytes(stored[at : at + HASH_SIZE]) for at in range(0, len(stored), HASH_SIZE)]


def _tile_findings(reader: Reader, entries: Sequence[bytes]) -> list[Finding]:
    """Tiles above the leaves' own that are not what the leaves make; proofs are made of them."""
    expected = grow(RightEdge(), [leaf_hash(entry) for entry in entries]).tiles
    above = (path for path in tiles_at(len(entries)) if path.level)
    findings: list[Finding] = []
    for path, tile in _read(reader, above):
        if tile != expected[TileAddress(path.level or 0, path.index)]:
            covered = WIDTH ** (path.level or 0)
            first = path.index * WIDTH * covered
            until = min(first + path.width * covered, len(entries))
            findings.append(Finding(Fault.STORED_HASH_WRONG, first, until, detail=path.text))
    return findings


def _read(reader: Reader, paths: Iterable[TilePath]) -> Iterable[tuple[TilePath, bytes | None]]:
    """Tiles in the order of their paths, several read at a time."""
    wanted = list(paths)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(wanted, pool.map(lambda path: reader.tile(path.text), wanted), strict=True)


def _provenance(clear: bytes) -> Provenance:
    """Whose event a clear part says it is. Raises ValueError."""
    try:
        part = ClearPart.FromString(clear)
    except DecodeError as cause:
        raise ValueError("not a clear part") from cause
    if not part.source or part.source_seq < FIRST_NUMBER:
        raise ValueError("a clear part without source or number")
    return Provenance(UUID(part.organization_id), part.source, part.source_seq)


def _sources(entries: Iterable[bytes]) -> list[Source]:
    numbers: dict[str, set[int]] = {}
    for entry in entries:
        try:
            found = _provenance(clear_part(entry))
        except ValueError:
            continue
        numbers.setdefault(found.source, set()).add(found.source_seq)
    return [Source(name, max(held), len(held)) for name, held in sorted(numbers.items())]


def _event_at(entries: Sequence[bytes], leaf: int | None) -> str:
    """The name of the event at a leaf, as far as the leaf can be read."""
    if leaf is None or leaf >= len(entries):
        return ""
    try:
        return f"auditEvents/{UUID(ClearPart.FromString(clear_part(entries[leaf])).event_id)}"
    except (ValueError, DecodeError):
        return ""
