"""Verifying a whole exported log without trusting whoever exported it.

The checkpoints fix the root at some sizes. Between the last size that agrees and the first that
does not lies the first bad leaf; where the exported leaf hashes still agree with a checkpoint,
they name it exactly. A log that was rewritten, or cut, and signed again agrees with itself: only
checkpoints that the verifier kept from before, or that a witness cosigned, show it. So does a
verifier always bring some (`trusted`); without any, the verdict covers the log against itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from uuid import UUID

from compliance.domain.checkpoint import (
    Checkpoint,
    CheckpointNotVouched,
    MalformedCheckpoint,
    Verifier,
    open_checkpoint,
)
from compliance.domain.completeness import gaps
from compliance.domain.events import clear_part
from compliance.domain.merkle import Frontier, leaf_hash


class Fault(StrEnum):
    """What is wrong, as far as the log shows it."""

    LEAF_EDITED = "LEAF_EDITED"
    LEAF_DELETED = "LEAF_DELETED"
    LEAF_INSERTED = "LEAF_INSERTED"
    LEAVES_REORDERED = "LEAVES_REORDERED"
    LEAVES_ALTERED = "LEAVES_ALTERED"
    """Something between two checkpoints, in the leaves and in their stored hashes alike."""
    STORED_HASH_WRONG = "STORED_HASH_WRONG"
    """The leaves hold, but a stored leaf hash, of which proofs are made, does not."""
    TAIL_TRUNCATED = "TAIL_TRUNCATED"
    TAIL_NOT_SIGNED = "TAIL_NOT_SIGNED"
    HISTORY_REWRITTEN = "HISTORY_REWRITTEN"
    SPLIT_VIEW = "SPLIT_VIEW"
    CHECKPOINT_MALFORMED = "CHECKPOINT_MALFORMED"
    CHECKPOINT_NOT_VOUCHED = "CHECKPOINT_NOT_VOUCHED"
    CHECKPOINT_OF_ANOTHER_LOG = "CHECKPOINT_OF_ANOTHER_LOG"
    LEAF_UNREADABLE = "LEAF_UNREADABLE"
    LEAF_OF_ANOTHER_ORGANIZATION = "LEAF_OF_ANOTHER_ORGANIZATION"
    SOURCE_SEQ_MISSING = "SOURCE_SEQ_MISSING"
    SOURCE_SEQ_REPEATED = "SOURCE_SEQ_REPEATED"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Whose event a leaf says it is: organization, source, and the source's number for it."""

    organization: UUID
    source: str
    source_seq: int


@dataclass(frozen=True, slots=True)
class ExportedLog:
    """A log as exported: leaves' bytes, stored leaf hashes (tiles of level 0), signed notes."""

    origin: str
    organization: UUID
    entries: Sequence[bytes]
    leaf_hashes: Sequence[bytes]
    checkpoints: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. The first bad leaf is `leaf`, or lies between it and `until`, excluded.

    `leaf` is None for a fault of checkpoints alone; `checkpoint` is then its place in the export.
    """

    fault: Fault
    leaf: int | None = None
    until: int | None = None
    checkpoint: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found, the first bad leaf first. No findings: the log holds."""

    size: int
    root: bytes
    findings: tuple[Finding, ...] = ()

    @property
    def first_bad_leaf(self) -> int | None:
        """The index of the first bad leaf, or of the first that can be bad."""
        return min((f.leaf for f in self.findings if f.leaf is not None), default=None)


@dataclass(slots=True)
class _Anchors:
    """The roots that the log must have, by size. A trusted one outweighs the published."""

    published: dict[int, set[bytes]] = field(default_factory=dict)
    trusted: dict[int, set[bytes]] = field(default_factory=dict)

    def sizes(self) -> list[int]:
        return sorted(self.published.keys() | self.trusted.keys())

    def expected(self, size: int) -> set[bytes]:
        return self.trusted.get(size) or self.published[size]

    def split(self) -> list[int]:
        """The sizes of which two different roots are stated, by whomever."""
        none: set[bytes] = set()
        return [
            size
            for size in self.sizes()
            if len(self.published.get(size, none) | self.trusted.get(size, none)) > 1
        ]


def verify_log(
    log: ExportedLog,
    *,
    verifiers: Sequence[Verifier],
    provenance_of: Callable[[bytes], Provenance],
    trusted: Iterable[Checkpoint] = (),
    through: Mapping[str, int] | None = None,
) -> Verdict:
    """Check leaves, order, checkpoints, tenancy and completeness of a log.

    `verifiers` are the log's keys, retired ones included. `provenance_of` reads a leaf's clear
    part and raises ValueError where it cannot. `trusted` are older checkpoints that the verifier
    has itself verified before. `through` is the number each source says it used last.
    Holds all leaf hashes in memory: about 70 bytes for each.
    """
    hashes = [leaf_hash(entry) for entry in log.entries]
    anchors, findings = _anchors(log, verifiers, trusted)
    findings += [Finding(Fault.SPLIT_VIEW, detail=f"size {size}") for size in anchors.split()]
    findings += _tree_findings(hashes, log.leaf_hashes, anchors)
    findings += _content_findings(log, provenance_of, through)
    findings.sort(key=lambda f: len(hashes) if f.leaf is None else f.leaf)
    return Verdict(len(hashes), Frontier().extend(hashes).root(), tuple(findings))


def _anchors(
    log: ExportedLog, verifiers: Sequence[Verifier], trusted: Iterable[Checkpoint]
) -> tuple[_Anchors, list[Finding]]:
    anchors, findings = _Anchors(), list[Finding]()
    for place, note in enumerate(log.checkpoints):
        try:
            checkpoint = open_checkpoint(note, verifiers)
        except MalformedCheckpoint as cause:
            findings.append(_of_checkpoint(Fault.CHECKPOINT_MALFORMED, place, str(cause)))
        except CheckpointNotVouched as cause:
            findings.append(_of_checkpoint(Fault.CHECKPOINT_NOT_VOUCHED, place, str(cause)))
        else:
            if checkpoint.origin == log.origin:
                anchors.published.setdefault(checkpoint.size, set()).add(checkpoint.root)
            else:
                findings.append(_of_checkpoint(Fault.CHECKPOINT_OF_ANOTHER_LOG, place))
    for checkpoint in trusted:
        if checkpoint.origin != log.origin:
            raise ValueError("a trusted checkpoint is of another log")
        anchors.trusted.setdefault(checkpoint.size, set()).add(checkpoint.root)
    return anchors, findings


def _of_checkpoint(fault: Fault, place: int, detail: str = "") -> Finding:
    return Finding(fault, checkpoint=place, detail=detail)


def _tree_findings(
    hashes: Sequence[bytes], stored: Sequence[bytes], anchors: _Anchors
) -> list[Finding]:
    """The first fault of the leaves against the checkpoints: later ones all follow from it."""
    good, bad = _agreement(hashes, anchors)
    if bad is None:
        return _beside_agreement(hashes, stored, max(anchors.published, default=0))
    stored_good, _ = _agreement(stored, anchors)
    if stored_good > good:
        return [_compared(hashes, stored[:stored_good])]
    if bad > len(hashes):
        return [Finding(Fault.TAIL_TRUNCATED, good, bad)]
    rewritten = bad in anchors.trusted
    fault = Fault.HISTORY_REWRITTEN if rewritten else Fault.LEAVES_ALTERED
    return [Finding(fault, good, bad)]


def _beside_agreement(
    hashes: Sequence[bytes], stored: Sequence[bytes], signed: int
) -> list[Finding]:
    """What can be wrong although the leaves agree with every checkpoint."""
    findings: list[Finding] = []
    leaf = _first_difference(stored, hashes)
    if leaf is not None:
        findings.append(Finding(Fault.STORED_HASH_WRONG, leaf, leaf + 1))
    if len(hashes) > signed:
        findings.append(Finding(Fault.TAIL_NOT_SIGNED, signed, len(hashes)))
    return findings


def _agreement(hashes: Sequence[bytes], anchors: _Anchors) -> tuple[int, int | None]:
    """The last anchored size up to which all roots agree, and the first one that does not."""
    frontier = Frontier()
    for size in anchors.sizes():
        before = frontier.size
        frontier = frontier.extend(hashes[before:size])
        if frontier.size != size or frontier.root() not in anchors.expected(size):
            return before, size
    return frontier.size, None


def _compared(hashes: Sequence[bytes], proven: Sequence[bytes]) -> Finding:
    """The first difference from leaf hashes that a checkpoint proves, and what happened there."""
    leaf = _first_difference(hashes, proven)
    if leaf is None or leaf == len(hashes):
        return Finding(Fault.TAIL_TRUNCATED, len(hashes), len(proven))
    proven_leaf_is_gone = proven[leaf] not in hashes[leaf:]
    present_leaf_is_foreign = hashes[leaf] not in proven[leaf:]
    fault = {
        (True, True): Fault.LEAF_EDITED,
        (True, False): Fault.LEAF_DELETED,
        (False, True): Fault.LEAF_INSERTED,
        (False, False): Fault.LEAVES_REORDERED,
    }[proven_leaf_is_gone, present_leaf_is_foreign]
    return Finding(fault, leaf, leaf + 1)


def _first_difference(one: Sequence[bytes], other: Sequence[bytes]) -> int | None:
    """The first index at which two lists differ; the end of the shorter one counts."""
    paired = enumerate(zip_longest(one, other))
    return next((at for at, (left, right) in paired if left != right), None)


def _content_findings(
    log: ExportedLog,
    provenance_of: Callable[[bytes], Provenance],
    through: Mapping[str, int] | None,
) -> list[Finding]:
    """What the leaves themselves say: whose they are, and which numbers are missing."""
    findings: list[Finding] = []
    places: dict[tuple[str, int], int] = {}
    for leaf, entry in enumerate(log.entries):
        try:
            provenance = provenance_of(clear_part(entry))
        except ValueError:
            findings.append(Finding(Fault.LEAF_UNREADABLE, leaf, leaf + 1))
            continue
        numbered = provenance.source, provenance.source_seq
        detail = f"{numbered[0]} {numbered[1]}"
        if provenance.organization != log.organization:
            fault = Fault.LEAF_OF_ANOTHER_ORGANIZATION
            findings.append(Finding(fault, leaf, leaf + 1, detail=detail))
        elif places.setdefault(numbered, leaf) != leaf:
            findings.append(Finding(Fault.SOURCE_SEQ_REPEATED, leaf, leaf + 1, detail=detail))
    return findings + _missing(places, through, len(log.entries))


def _missing(
    places: Mapping[tuple[str, int], int], through: Mapping[str, int] | None, size: int
) -> list[Finding]:
    """Each gap, at the leaf where it shows: the source's next one, or the end of the log."""
    findings: list[Finding] = []
    for source, first, last in gaps(places, through):
        leaf = places.get((source, last + 1), size)
        detail = f"{source} {first}" if first == last else f"{source} {first} to {last}"
        findings.append(Finding(Fault.SOURCE_SEQ_MISSING, leaf, leaf + 1, detail=detail))
    return findings
