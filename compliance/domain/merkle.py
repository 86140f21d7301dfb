"""Merkle trees of RFC 9162 (section 2.1) over SHA-256: roots, proofs and their verification.

A proof is a list of subtree hashes. Which subtrees it needs follows from sizes alone, so it is
computed in two steps: `inclusion_ranges` or `consistency_ranges` say what is needed (storage
loads the tiles that hold it), then `proof` reads the hashes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.errors import Refusal

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class TreeSizeBeyondLog(Refusal):
    """The tree size asked for is larger than the log, or than the tree it is compared with.

    The metadata states that limit.
    """

    reason = "TREE_SIZE_BEYOND_LOG"


class LeafIndexBeyondTree(Refusal):
    """The leaf asked for is not in the tree of the size asked for."""

    reason = "LEAF_INDEX_BEYOND_TREE"


class ConsistencyFromEmptyTree(Refusal):
    """Consistency from the empty tree: RFC 9162 leaves it undefined, and it would prove nothing."""

    reason = "CONSISTENCY_FROM_EMPTY_TREE"


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree: the 2^level leaves from `index` * 2^level on."""

    level: int
    index: int


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The subtree over leaves `start` to `end`, the latter excluded."""

    start: int
    end: int

    def nodes(self) -> list[Node]:
        """The complete subtrees that make it up, from left to right."""
        found: list[Node] = []
        start = self.start
        while start < self.end:
            level = (self.end - start).bit_length() - 1
            found.append(Node(level, start >> level))
            start += 1 << level
        return found


HashReader = Callable[[Node], bytes]
"""Reads the stored hash of a complete subtree."""


def leaf_hash(stored: bytes) -> bytes:
    """The hash of a leaf's bytes, exactly as they are stored."""
    return hashlib.sha256(b"\x00" + stored).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What appending needs to remember of a tree: the roots of its complete subtrees.

    One for each bit set in `size`, the largest first, so at most 64 hashes.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf hash; O(log n) hashes at worst, one on average."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The tree with these leaf hashes appended in order."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            carry, rest = leaf, size
            while rest & 1:
                carry = node_hash(peaks.pop(), carry)
                rest >>= 1
            peaks.append(carry)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The root of the tree; of an empty one, the hash of nothing."""
        return _joined(self.peaks) if self.peaks else EMPTY_ROOT


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    return Frontier().extend(leaves).root()


def inclusion_ranges(index: int, size: int, *, log_size: int) -> list[Range]:
    """What proves leaf `index` in the tree of `size` leaves, from the leaf upwards.

    Raises TreeSizeBeyondLog and LeafIndexBeyondTree.
    """
    _within(size, log_size)
    if not 0 <= index < size:
        raise LeafIndexBeyondTree(metadata={"tree_size": str(size)})
    siblings, start, end = [], 0, size
    while end - start > 1:
        middle = start + _left_part(end - start)
        if index < middle:
            siblings.append(Range(middle, end))
            end = middle
        else:
            siblings.append(Range(start, middle))
            start = middle
    return siblings[::-1]


def consistency_ranges(first: int, second: int, *, log_size: int) -> list[Range]:
    """What proves that the tree of `second` leaves continues the one of `first`.

    Nothing, where the two are the same size. Raises TreeSizeBeyondLog (also when `first` is
    past `second`) and ConsistencyFromEmptyTree.
    """
    _within(second, log_size)
    _within(first, second)
    if first == 0:
        raise ConsistencyFromEmptyTree
    found, start, end = [], 0, second
    while first != end:
        middle = start + _left_part(end - start)
        if first <= middle:
            found.append(Range(middle, end))
            end = middle
        else:
            found.append(Range(start, middle))
            start = middle
    # The old tree's last subtree: the verifier knows it already when it is the whole old tree.
    if start > 0:
        found.append(Range(start, end))
    return found[::-1]


def proof(ranges: Iterable[Range], read: HashReader) -> list[bytes]:
    """The hashes of the ranges, in order: the proof as it is sent."""
    return [_joined([read(node) for node in needed.nodes()]) for needed in ranges]


def inclusion_proof(index: int, size: int, read: HashReader, *, log_size: int) -> list[bytes]:
    """RFC 9162, 2.1.3.1. Raises TreeSizeBeyondLog and LeafIndexBeyondTree."""
    return proof(inclusion_ranges(index, size, log_size=log_size), read)


def consistency_proof(first: int, second: int, read: HashReader, *, log_size: int) -> list[bytes]:
    """RFC 9162, 2.1.4.1. Raises TreeSizeBeyondLog and ConsistencyFromEmptyTree."""
    return proof(consistency_ranges(first, second, log_size=log_size), read)


def verify_inclusion(
    leaf: bytes, index: int, size: int, hashes: Sequence[bytes], root: bytes
) -> bool:
    """Whether `hashes` prove the leaf hash at `index` under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, computed = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, hashes: Sequence[bytes]
) -> bool:
    """Whether `hashes` prove that the second tree continues the first (RFC 9162, 2.1.4.2).

    Raises ConsistencyFromEmptyTree.
    """
    if first == 0:
        raise ConsistencyFromEmptyTree
    if first == second:
        return not hashes and first_root == second_root
    if not 0 < first < second or not hashes:
        return False
    path = [first_root, *hashes] if first & (first - 1) == 0 else list(hashes)
    return _rebuilt(first, second, path) == (first_root, second_root)


def _rebuilt(first: int, second: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots as the path gives them, or None where the path has not the right length."""
    position, last = first - 1, second - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return (old, new) if last == 0 else None


def _joined(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, the smallest on the right."""
    *rest, joined = hashes
    for left in reversed(rest):
        joined = node_hash(left, joined)
    return joined


def _left_part(size: int) -> int:
    """The largest power of two smaller than `size`: where RFC 9162 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def _within(size: int, log_size: int) -> None:
    if not 0 <= size <= log_size:
        raise TreeSizeBeyondLog(metadata={"tree_size": str(log_size)})
