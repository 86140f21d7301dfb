"""Trees and proofs, against the recursive definitions of RFC 9162 spelled out below."""

import hashlib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.merkle import (
    EMPTY_ROOT,
    ConsistencyFromEmptyTree,
    Frontier,
    HashReader,
    LeafIndexBeyondTree,
    Node,
    TreeSizeBeyondLog,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from compliance.domain.tiles import RightEdge, grow, tile_reader

LARGEST = 600
"""Past two full tiles, so that proofs cross tile borders and levels."""

# Whole tiles, the first of the next and their edges; what lies between is more of the same.
SIZES = [*range(1, 273), *range(508, 521), LARGEST - 1, LARGEST]
ENTRIES = [f"event {number}".encode() for number in range(LARGEST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@cache
def naive_root(start: int, end: int) -> bytes:
    """MTH(D[start:end]) of RFC 9162, 2.1.1."""
    if start == end:
        return hashlib.sha256().digest()
    if end - start == 1:
        return hashlib.sha256(b"\x00" + ENTRIES[start]).digest()
    k = split(end - start)
    halves = naive_root(start, start + k) + naive_root(start + k, end)
    return hashlib.sha256(b"\x01" + halves).digest()


def naive_path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end]) of RFC 9162, 2.1.3.1."""
    if end - start == 1:
        return []
    k = split(end - start)
    if m < k:
        return [*naive_path(m, start, start + k), naive_root(start + k, end)]
    return [*naive_path(m - k, start + k, end), naive_root(start, start + k)]


def naive_subproof(m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], b) of RFC 9162, 2.1.4.1."""
    if m == end - start:
        return [] if whole else [naive_root(start, end)]
    k = split(end - start)
    if m <= k:
        return [*naive_subproof(m, start, start + k, whole=whole), naive_root(start + k, end)]
    return [
        *naive_subproof(m - k, start + k, end, whole=False),
        naive_root(start, start + k),
    ]


def split(size: int) -> int:
    """The largest power of two smaller than size."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


@pytest.fixture(scope="module")
def read() -> HashReader:
    """Reads subtree hashes out of the tiles of the whole log."""
    return cache(tile_reader(grow(RightEdge(), LEAVES).tiles))


def test_known_roots_of_certificate_transparency() -> None:
    """The published test vectors of RFC 6962 implementations, whose tree is the same."""
    entries = [
        bytes.fromhex(text)
        for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")
    ]
    entries.append(bytes(range(0x60, 0x70)))

    roots = [root_of(leaf_hash(entry) for entry in entries[:size]).hex() for size in range(9)]

    assert roots[0] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert roots[1] == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert roots[2] == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert roots[8] == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_appending_one_by_one_gives_the_roots_of_the_definition() -> None:
    """At every size the frontier's root is MTH, and it remembers one hash for each bit set."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT

    for size, leaf in enumerate(LEAVES, start=1):
        frontier = frontier.append(leaf)

        assert frontier.root() == naive_root(0, size)
        assert len(frontier.peaks) == size.bit_count()


@given(st.lists(st.integers(0, 90), max_size=6))
def test_appending_in_batches_is_appending_one_by_one(batches: list[int]) -> None:
    """The frontier does not depend on how appends were grouped."""
    frontier, size = Frontier(), 0

    for count in batches:
        frontier = frontier.extend(LEAVES[size : size + count])
        size += count

    assert frontier == Frontier().extend(LEAVES[:size])


def test_every_inclusion_proof_is_the_definitions_and_verifies(read: HashReader) -> None:
    """For each size and leaf, the proof out of tiles equals PATH and proves the leaf."""
    for size in SIZES:
        root = naive_root(0, size)
        for index in range(size):
            hashes = inclusion_proof(index, size, read, log_size=LARGEST)

            assert hashes == naive_path(index, 0, size)
            assert verify_inclusion(LEAVES[index], index, size, hashes, root)


def test_every_consistency_proof_is_the_definitions_and_verifies(read: HashReader) -> None:
    """For each pair of sizes, the proof out of tiles equals PROOF and proves the growth."""
    for second in SIZES:
        new = naive_root(0, second)
        for first in range(1, second + 1):
            hashes = consistency_proof(first, second, read, log_size=LARGEST)

            assert hashes == naive_subproof(first, 0, second, whole=True)
            assert verify_consistency(first, naive_root(0, first), second, new, hashes)


@given(data=st.data(), size=st.integers(2, LARGEST))
def test_a_mutated_inclusion_proof_fails(data: st.DataObject, size: int, read: HashReader) -> None:
    """No hash can be changed, dropped, added or exchanged, and no claim altered."""
    index = data.draw(st.integers(0, size - 1))
    leaf, root = LEAVES[index], naive_root(0, size)
    hashes = inclusion_proof(index, size, read, log_size=LARGEST)
    other = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))

    assert not any(
        verify_inclusion(leaf, index, size, wrong, root) for wrong in mutations(data, hashes)
    )
    assert not verify_inclusion(LEAVES[other], index, size, hashes, root)
    assert not verify_inclusion(leaf, other, size, hashes, root)
    assert not verify_inclusion(leaf, index, size, hashes, naive_root(0, size - 1))
    assert not verify_inclusion(leaf, size, size, hashes, root)
    assert not verify_inclusion(leaf, -1, size, hashes, root)


@given(data=st.data(), second=st.integers(2, LARGEST))
def test_a_mutated_consistency_proof_fails(
    data: st.DataObject, second: int, read: HashReader
) -> None:
    """No hash can be changed, dropped, added or exchanged, and no root altered."""
    first = data.draw(st.integers(1, second - 1))
    old, new = naive_root(0, first), naive_root(0, second)
    hashes = consistency_proof(first, second, read, log_size=LARGEST)

    assert not any(
        verify_consistency(first, old, second, new, wrong) for wrong in mutations(data, hashes)
    )
    assert not verify_consistency(first, new, second, new, hashes)
    assert not verify_consistency(first, old, second, old, hashes)
    assert not verify_consistency(second, new, first, old, hashes)
    assert not verify_consistency(second, new, second, new, hashes)


def test_a_proof_does_not_serve_another_size() -> None:
    """Proofs of the right hashes but the wrong length for the sizes claimed are refused."""
    root = {size: naive_root(0, size) for size in (4, 7, 8)}
    first_of_four, last_of_eight = naive_path(0, 0, 4), naive_path(7, 0, 8)
    four_to_eight = naive_subproof(4, 0, 8, whole=True)
    seven_to_eight = naive_subproof(7, 0, 8, whole=True)

    assert not verify_inclusion(LEAVES[0], 0, 8, first_of_four, root[4])
    assert not verify_inclusion(LEAVES[7], 3, 4, last_of_eight, root[8])
    assert not verify_consistency(4, root[4], 16, root[8], four_to_eight)
    assert not verify_consistency(3, root[7], 4, root[8], seven_to_eight)


def mutations(data: st.DataObject, hashes: list[bytes]) -> list[list[bytes]]:
    """Wrong proofs near a right one, which is not empty."""
    at = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(hashes[at]) ^ (1 << bit)).to_bytes(32)
    wrong = [
        [*hashes[:at], flipped, *hashes[at + 1 :]],
        hashes[:at] + hashes[at + 1 :],
        [*hashes[:at], hashes[at], *hashes[at:]],
        [*hashes, hashes[at]],
        hashes[::-1],
    ]
    return [mutation for mutation in wrong if mutation != hashes]


def test_sizes_past_the_log_and_leaves_past_the_tree_are_refused(read: HashReader) -> None:
    """What cannot be proven is refused by name, with the limit."""
    with pytest.raises(TreeSizeBeyondLog) as beyond_log:
        inclusion_proof(0, 601, read, log_size=600)
    with pytest.raises(LeafIndexBeyondTree) as beyond_tree:
        inclusion_proof(500, 500, read, log_size=600)
    with pytest.raises(LeafIndexBeyondTree):
        inclusion_proof(0, 0, read, log_size=600)
    with pytest.raises(TreeSizeBeyondLog):
        consistency_proof(1, 601, read, log_size=600)
    with pytest.raises(TreeSizeBeyondLog):
        consistency_proof(500, 400, read, log_size=600)

    assert beyond_log.value.reason == "TREE_SIZE_BEYOND_LOG"
    assert beyond_log.value.metadata == {"tree_size": "600"}
    assert beyond_tree.value.reason == "LEAF_INDEX_BEYOND_TREE"
    assert beyond_tree.value.metadata == {"tree_size": "500"}


def test_consistency_from_the_empty_tree_is_refused(read: HashReader) -> None:
    """RFC 9162 defines none: neither made nor verified."""
    with pytest.raises(ConsistencyFromEmptyTree) as refused:
        consistency_proof(0, 5, read, log_size=600)
    with pytest.raises(ConsistencyFromEmptyTree):
        verify_consistency(0, EMPTY_ROOT, 5, naive_root(0, 5), [])

    assert refused.value.reason == "CONSISTENCY_FROM_EMPTY_TREE"


def test_a_leaf_is_not_a_node() -> None:
    """The bytes of two hashes side by side, stored as a leaf, do not hash as their parent."""
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != naive_root(0, 2)


def test_a_proof_reads_few_hashes() -> None:
    """In a log of ten million leaves a proof reads fewer than a hundred stored subtrees."""
    nodes: list[Node] = []

    def read(node: Node) -> bytes:
        nodes.append(node)
        return bytes(32)

    inclusion_proof(9_999_999, 10_000_000, read, log_size=10_000_000)
    consistency_proof(5_000_001, 10_000_000, read, log_size=10_000_000)

    assert len(nodes) < 100
