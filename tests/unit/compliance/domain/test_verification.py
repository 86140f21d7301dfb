"""Verification of whole logs: what was done to each is found, at the first leaf it was done to."""

import dataclasses
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.checkpoint import Checkpoint, cosign, sign
from compliance.domain.events import leaf_data
from compliance.domain.merkle import leaf_hash, root_of
from compliance.domain.verification import (
    ExportedLog,
    Fault,
    Finding,
    Provenance,
    Verdict,
    verify_log,
)
from core.crypto.note_keys import NoteSigner

OURS, THEIRS = UUID(int=1), UUID(int=2)
ORIGIN = "medhub/log/01"
KEY, STRANGER = NoteSigner(ORIGIN, bytes(32)), NoteSigner(ORIGIN, b"\x01" * 32)
SIZES = (10, 20, 25)
"""Where the log was checkpointed."""


def entry(number: int, organization: UUID = OURS, text: str = "seen") -> bytes:
    """A leaf: the events of two sources take turns, each numbered from 1."""
    source, seq = ("auth", "clinical")[number % 2], number // 2 + 1
    clear = f"{organization}|{source}|{seq}|{text}".encode()
    return leaf_data(clear, f"sealed {number}".encode())


def provenance_of(clear: bytes) -> Provenance:
    """Reads what `entry` wrote."""
    organization, source, seq, _ = clear.decode().split("|")
    return Provenance(UUID(organization), source, int(seq))


ENTRIES = [entry(number) for number in range(25)]


def checkpoint(entries: Sequence[bytes], size: int) -> Checkpoint:
    """The true checkpoint of these leaves at a size."""
    return Checkpoint(ORIGIN, size, root_of(leaf_hash(e) for e in entries[:size]))


def signed_log(entries: Sequence[bytes], sizes: Sequence[int] = SIZES) -> ExportedLog:
    """A log whose hashes and checkpoints all follow from these leaves."""
    return ExportedLog(
        ORIGIN,
        OURS,
        entries,
        [leaf_hash(e) for e in entries],
        [sign(checkpoint(entries, size), KEY) for size in sizes],
    )


LOG = signed_log(ENTRIES)


def with_entries(entries: Sequence[bytes]) -> ExportedLog:
    """The true log's hashes and checkpoints, over other leaves."""
    return dataclasses.replace(LOG, entries=entries)


def verify(
    log: ExportedLog, *trusted: Checkpoint, through: dict[str, int] | None = None
) -> Verdict:
    """The verdict by the log's own key."""
    return verify_log(
        log,
        verifiers=[KEY.verifier],
        provenance_of=provenance_of,
        trusted=trusted,
        through=through,
    )


def test_an_untouched_log_holds() -> None:
    """No finding, with its size and root, and with every older checkpoint."""
    verdict = verify(LOG, *(checkpoint(ENTRIES, size) for size in range(26)))

    assert verdict == Verdict(25, checkpoint(ENTRIES, 25).root)
    assert verdict.first_bad_leaf is None


def test_an_empty_log_holds() -> None:
    """There is nothing to find."""
    assert verify(signed_log([], [0])).findings == ()
    assert verify(signed_log([], [])).findings == ()


@given(st.integers(0, 24))
def test_an_edited_leaf_is_found(leaf: int) -> None:
    """A leaf whose text was changed is named."""
    edited = [*ENTRIES[:leaf], entry(leaf, text="unseen"), *ENTRIES[leaf + 1 :]]

    assert verify(with_entries(edited)).findings == (Finding(Fault.LEAF_EDITED, leaf, leaf + 1),)


@given(st.integers(0, 22))
def test_a_deleted_leaf_is_found(leaf: int) -> None:
    """A leaf that was taken out is named, and so is its source's missing number."""
    verdict = verify(with_entries(ENTRIES[:leaf] + ENTRIES[leaf + 1 :]))

    faults = [finding.fault for finding in verdict.findings]
    assert verdict.findings[0] == Finding(Fault.LEAF_DELETED, leaf, leaf + 1)
    assert verdict.first_bad_leaf == leaf
    assert faults == [Fault.LEAF_DELETED, Fault.SOURCE_SEQ_MISSING]


@given(st.integers(0, 24), st.integers(0, 24))
def test_two_swapped_leaves_are_found(one: int, other: int) -> None:
    """The first of the two is named; nothing is missing."""
    first, second = sorted((one, other))
    if first == second:
        return
    swapped = list(ENTRIES)
    swapped[first], swapped[second] = swapped[second], swapped[first]

    assert verify(with_entries(swapped)).findings == (
        Finding(Fault.LEAVES_REORDERED, first, first + 1),
    )


@given(st.integers(0, 24))
def test_a_leaf_inserted_in_the_past_is_found(leaf: int) -> None:
    """A foreign leaf between true ones is named, also for the number it repeats."""
    inserted = [*ENTRIES[:leaf], entry(24, text="never happened"), *ENTRIES[leaf:]]

    verdict = verify(with_entries(inserted))

    assert verdict.findings[0] == Finding(Fault.LEAF_INSERTED, leaf, leaf + 1)
    assert Fault.SOURCE_SEQ_REPEATED in {finding.fault for finding in verdict.findings}
    assert verdict.first_bad_leaf == leaf


@given(st.integers(0, 24))
def test_a_truncated_tail_is_found(size: int) -> None:
    """The first leaf that a checkpoint promises and the log lacks is named."""
    verdict = verify(with_entries(ENTRIES[:size]))

    assert verdict.findings == (Finding(Fault.TAIL_TRUNCATED, size, 25),)


def test_a_checkpoint_that_promises_more_leaves_than_its_root_has_is_found() -> None:
    """A true root under too large a size is a promise the log does not keep."""
    boast = sign(dataclasses.replace(checkpoint(ENTRIES, 25), size=30), KEY)
    log = dataclasses.replace(LOG, checkpoints=[*LOG.checkpoints, boast])

    assert verify(log).findings == (Finding(Fault.TAIL_TRUNCATED, 25, 30),)


def test_a_tail_cut_and_signed_again_is_found_by_an_older_checkpoint() -> None:
    """A shorter log that agrees with itself is betrayed by who saw it longer."""
    cut = signed_log(ENTRIES[:15], (10, 15))

    alone = verify(cut)
    by_witness = verify(cut, checkpoint(ENTRIES, 20))
    by_sources = verify(cut, through={"auth": 8, "clinical": 8})

    assert alone.findings == ()
    assert by_witness.findings == (Finding(Fault.TAIL_TRUNCATED, 15, 20),)
    assert by_sources.findings == (Finding(Fault.SOURCE_SEQ_MISSING, 15, 16, detail="clinical 8"),)


def test_a_rewritten_history_is_found_by_an_older_checkpoint() -> None:
    """With all hashes computed and signed anew, kept checkpoints enclose the first bad leaf."""
    rewritten = signed_log([*ENTRIES[:7], entry(7, text="unseen"), *ENTRIES[8:]])
    kept = [checkpoint(ENTRIES, size) for size in (5, 9, 22)]

    assert verify(rewritten).findings == ()
    assert verify(rewritten, *kept).findings == (Finding(Fault.HISTORY_REWRITTEN, 5, 9),)


def test_an_edit_hidden_in_leaf_and_stored_hash_is_enclosed() -> None:
    """When the tiles were edited too, the signed checkpoints around the leaf still tell."""
    forged = [*ENTRIES[:13], entry(13, text="unseen"), *ENTRIES[14:]]
    log = dataclasses.replace(with_entries(forged), leaf_hashes=[leaf_hash(e) for e in forged])

    assert verify(log).findings == (Finding(Fault.LEAVES_ALTERED, 10, 20),)


def test_an_edited_stored_hash_is_found() -> None:
    """Leaves that hold under tiles that do not would fail every proof."""
    wrong = [*LOG.leaf_hashes[:4], bytes(32), *LOG.leaf_hashes[5:]]

    assert verify(dataclasses.replace(LOG, leaf_hashes=wrong)).findings == (
        Finding(Fault.STORED_HASH_WRONG, 4, 5),
    )


@pytest.mark.parametrize("covered", [True, False])
def test_leaves_exchanged_between_tenants_are_found(covered: bool) -> None:
    """Another organization's leaf is named, also when the log was signed with it inside."""
    foreign = entry(6, THEIRS)
    exchanged = [*ENTRIES[:6], foreign, *ENTRIES[7:]]

    verdict = verify(signed_log(exchanged) if covered else with_entries(exchanged))

    faults = [finding.fault for finding in verdict.findings]
    assert verdict.first_bad_leaf == 6
    assert Fault.LEAF_OF_ANOTHER_ORGANIZATION in faults
    assert (Fault.LEAF_EDITED in faults) is not covered


def test_two_checkpoints_of_one_size_are_found() -> None:
    """Two signed roots of one size are a split view, whichever of them the leaves have."""
    other = sign(Checkpoint(ORIGIN, 20, bytes(32)), KEY)
    log = dataclasses.replace(LOG, checkpoints=[*LOG.checkpoints, other])

    assert verify(log).findings == (Finding(Fault.SPLIT_VIEW, detail="size 20"),)


def test_a_root_other_than_the_one_kept_is_a_split_view_and_a_rewritten_history() -> None:
    """What the verifier kept outweighs what is published for the same size."""
    rewritten = signed_log([entry(0, text="unseen"), *ENTRIES[1:]])

    assert verify(rewritten, checkpoint(ENTRIES, 20)).findings == (
        Finding(Fault.HISTORY_REWRITTEN, 10, 20),
        Finding(Fault.SPLIT_VIEW, detail="size 20"),
    )


def test_a_checkpoint_by_another_key_is_found() -> None:
    """It is named by its place and believed in nothing."""
    forged = sign(Checkpoint(ORIGIN, 20, bytes(32)), STRANGER)
    tampered = sign(Checkpoint(ORIGIN, 20, bytes(32)), KEY).replace(b"20", b"21")
    log = dataclasses.replace(LOG, checkpoints=[forged, tampered, *LOG.checkpoints])

    findings = verify(log).findings

    assert [(f.fault, f.leaf, f.checkpoint) for f in findings] == [
        (Fault.CHECKPOINT_NOT_VOUCHED, None, 0),
        (Fault.CHECKPOINT_NOT_VOUCHED, None, 1),
    ]


def test_retired_keys_and_cosignatures_are_no_fault() -> None:
    """A log verifies over a rotation, with lines of witnesses nobody here knows."""
    old, *rest = LOG.checkpoints
    rotated = [sign(checkpoint(ENTRIES, 10), STRANGER), *(cosign(n, STRANGER) for n in rest)]
    log = dataclasses.replace(LOG, checkpoints=rotated)

    verdict = verify_log(
        log, verifiers=[STRANGER.verifier, KEY.verifier], provenance_of=provenance_of
    )

    assert old not in rotated
    assert verdict.findings == ()


def test_checkpoints_of_another_log_and_malformed_ones_are_found() -> None:
    """A true checkpoint of another tenant's log proves nothing here."""
    elsewhere = sign(Checkpoint("medhub/log/02", 10, bytes(32)), KEY)
    log = dataclasses.replace(LOG, checkpoints=[elsewhere, b"noise", *LOG.checkpoints])

    assert [(f.fault, f.checkpoint) for f in verify(log).findings] == [
        (Fault.CHECKPOINT_OF_ANOTHER_LOG, 0),
        (Fault.CHECKPOINT_MALFORMED, 1),
    ]
    with pytest.raises(ValueError, match="another log"):
        verify(LOG, Checkpoint("medhub/log/02", 10, bytes(32)))


def test_leaves_after_the_last_checkpoint_are_found() -> None:
    """Nobody vouches for them yet."""
    assert verify(signed_log(ENTRIES, (10, 20))).findings == (
        Finding(Fault.TAIL_NOT_SIGNED, 20, 25),
    )
    assert verify(signed_log(ENTRIES, ())).first_bad_leaf == 0


def test_a_number_that_never_arrived_is_found() -> None:
    """A perfect tree without one event names the leaf before which it is missing."""
    lacking = signed_log(ENTRIES[:9] + ENTRIES[10:], (10, 24))

    assert verify(lacking).findings == (
        Finding(Fault.SOURCE_SEQ_MISSING, 10, 11, detail="clinical 5"),
    )


def test_a_repeated_number_is_found() -> None:
    """An event that was taken in twice is named the second time."""
    repeated = signed_log([*ENTRIES, ENTRIES[3]], (26,))

    assert verify(repeated).findings == (
        Finding(Fault.SOURCE_SEQ_REPEATED, 25, 26, detail="clinical 2"),
    )


def test_an_unreadable_leaf_is_found() -> None:
    """A leaf that says nothing of its origin is named, whoever signed it."""
    log = signed_log([*ENTRIES, b"short", leaf_data(b"noise", b"")], (27,))

    assert verify(log).findings == (
        Finding(Fault.LEAF_UNREADABLE, 25, 26),
        Finding(Fault.LEAF_UNREADABLE, 26, 27),
    )
