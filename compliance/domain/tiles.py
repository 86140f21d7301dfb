"""How a tree is stored: tiles of 256 hashes, laid out as c2sp.org/tlog-tiles says.

A tile at level L holds hashes of subtrees of 256^L leaves. Full tiles never change; each level
has at most one partial tile, at the right edge, and a narrower version of it is a prefix of a
wider one. So a tile is stored once, under its address, with the hashes it has so far.
Entry bundles hold the leaves themselves, 256 to a bundle, each behind its 2-byte length.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compliance.domain.merkle import HASH_SIZE, Frontier, HashReader, Node, Range, node_hash

HEIGHT = 8
WIDTH = 256

MAX_ENTRY = 0xFFFF
"""Bytes; the entry's length is stated in two."""

_FULL = WIDTH * HASH_SIZE
_MAX_LEVEL = 63
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileMissing(LookupError):
    """A stored tile is absent or narrower than the log's size demands: storage is damaged."""


class MalformedTile(ValueError):
    """A path or an entry bundle that is not of the format."""


@dataclass(frozen=True, slots=True, order=True)
class TileAddress:
    """Where a tile stands: `index` counts the tiles of its level from the left."""

    level: int
    index: int

    def path(self, width: int = WIDTH) -> str:
        """`tile/<L>/<N>`, with `.p/<W>` for a partial tile."""
        return f"tile/{self.level}/{_encoded(self.index, width)}"


@dataclass(frozen=True, slots=True, order=True)
class TilePath:
    """A tile as a client asks for it. A `level` of None asks for an entry bundle."""

    level: int | None
    index: int
    width: int = WIDTH

    @classmethod
    def parse(cls, path: str) -> "TilePath":
        """Raises MalformedTile for any other spelling than the one of the format."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise MalformedTile("not a tile's path")
        level = None if match["level"] == "entries" else int(match["level"])
        digits = match["index"].replace("x", "").replace("/", "")
        parsed = cls(level, int(digits), int(match["width"] or WIDTH))
        # One tile has one path, so the path made from what was read must be the path read.
        if parsed.text != path or (level or 0) > _MAX_LEVEL:
            raise MalformedTile("not a tile's path")
        return parsed

    @property
    def text(self) -> str:
        """The path."""
        if self.level is None:
            return bundle_path(self.index, self.width)
        return TileAddress(self.level, self.index).path(self.width)


def bundle_path(index: int, width: int = WIDTH) -> str:
    """`tile/entries/<N>`, with `.p/<W>` for a partial bundle."""
    return f"tile/entries/{_encoded(index, width)}"


def tiles_at(size: int) -> Iterator[TilePath]:
    """Every tile of a log of `size` leaves, level by level, the partial one of a level last."""
    level, hashes = 0, size
    while hashes:
        yield from _covering(level, hashes)
        level, hashes = level + 1, hashes >> HEIGHT


def bundles_at(size: int) -> Iterator[TilePath]:
    """Every entry bundle of a log of `size` leaves."""
    return _covering(None, size)


def edge_addresses(size: int) -> list[TileAddress]:
    """The partial tiles of a log of `size` leaves: what appending to it has to load."""
    return [
        TileAddress(path.level, path.index)
        for path in tiles_at(size)
        if path.width < WIDTH and path.level is not None
    ]


def addresses(ranges: Iterable[Range]) -> list[TileAddress]:
    """The tiles that hold what a proof needs, in order and each once."""
    return sorted({_place(node)[0] for needed in ranges for node in needed.nodes()})


def tile_reader(tiles: Mapping[TileAddress, bytes]) -> HashReader:
    """Reads subtree hashes out of loaded tiles. The reader raises TileMissing."""

    def read(node: Node) -> bytes:
        address, start, count = _place(node)
        hashes = tiles.get(address, b"")[start * HASH_SIZE : (start + count) * HASH_SIZE]
        if len(hashes) != count * HASH_SIZE:
            raise TileMissing(f"{address.path()} lacks hash {start + count - 1}")
        return _complete_root(hashes)

    return read


@dataclass(frozen=True, slots=True)
class RightEdge:
    """A log's partial tiles, lowest level first: all that appending needs.

    A level whose tiles are all full has an empty tile here.
    """

    size: int = 0
    partial: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, size: int, tiles: Mapping[TileAddress, bytes]) -> "RightEdge":
        """The edge of a log from its stored tiles at `edge_addresses(size)`.

        Wider tiles, written for a later size, serve too. Raises TileMissing.
        """
        partial: list[bytes] = []
        level, hashes = 0, size
        while hashes:
            address = TileAddress(level, hashes >> HEIGHT)
            width = hashes % WIDTH * HASH_SIZE
            tile = tiles.get(address, b"")[:width]
            if len(tile) != width:
                raise TileMissing(f"{address.path()} is narrower than the log")
            partial.append(tile)
            level, hashes = level + 1, hashes >> HEIGHT
        return cls(size, tuple(partial))

    def frontier(self) -> Frontier:
        """The complete subtrees of the log, hence its root."""
        peaks: list[bytes] = []
        for tile in reversed(self.partial):
            for node in Range(0, len(tile) // HASH_SIZE).nodes():
                start = (node.index << node.level) * HASH_SIZE
                peaks.append(_complete_root(tile[start : start + (HASH_SIZE << node.level)]))
        return Frontier(self.size, tuple(peaks))


class Growth(NamedTuple):
    """A log after an append: its new right edge, and every tile that is new or wider."""

    edge: RightEdge
    tiles: dict[TileAddress, bytes]


def grow(edge: RightEdge, leaves: Sequence[bytes]) -> Growth:
    """Append leaf hashes. Each stored tile in the result replaces its narrower self."""
    changed: dict[TileAddress, bytes] = {}
    partial: list[bytes] = []
    level, hashes, arriving = 0, edge.size, b"".join(leaves)
    while arriving or level < len(edge.partial):
        row = (edge.partial[level] if level < len(edge.partial) else b"") + arriving
        full = [row[at : at + _FULL] for at in range(0, len(row) - _FULL + 1, _FULL)]
        rest = row[len(full) * _FULL :]
        first = hashes >> HEIGHT
        changed.update((TileAddress(level, first + n), tile) for n, tile in enumerate(full))
        if arriving and rest:
            changed[TileAddress(level, first + len(full))] = rest
        partial.append(rest)
        arriving = b"".join(_complete_root(tile) for tile in full)
        level, hashes = level + 1, first
    return Growth(RightEdge(edge.size + len(leaves), tuple(partial)), changed)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries as a bundle. Raises MalformedTile for other counts and longer entries."""
    if not 1 <= len(entries) <= WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise MalformedTile("a bundle holds 1 to 256 entries of at most 65535 bytes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises MalformedTile."""
    entries: list[bytes] = []
    rest = memoryview(bundle)
    while rest:
        length = int.from_bytes(rest[:2])
        entry = bytes(rest[2 : 2 + length])
        if len(rest) < 2 or len(entry) != length or len(entries) == WIDTH:
            raise MalformedTile("an entry bundle is cut short or too long")
        entries.append(entry)
        rest = rest[2 + length :]
    return entries


def _place(node: Node) -> tuple[TileAddress, int, int]:
    """The tile that holds a subtree's hash or what it is made of: first hash, and how many."""
    level, height = divmod(node.level, HEIGHT)
    first = node.index << height
    return TileAddress(level, first >> HEIGHT), first % WIDTH, 1 << height


def _complete_root(hashes: bytes) -> bytes:
    """The root over 2^k concatenated hashes."""
    row = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _covering(level: int | None, hashes: int) -> Iterator[TilePath]:
    full, rest = divmod(hashes, WIDTH)
    yield from (TilePath(level, index) for index in range(full))
    if rest:
        yield TilePath(level, full, rest)


def _encoded(index: int, width: int) -> str:
    """Groups of three digits, all but the last marked by x: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < WIDTH else "")
