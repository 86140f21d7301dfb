"""Proofs and tiles of a log, read from its stored tiles alone."""

from collections.abc import Sequence
from typing import NamedTuple

from compliance.domain.merkle import (
    HASH_SIZE,
    Range,
    consistency_ranges,
    inclusion_ranges,
    proof,
)
from compliance.domain.tiles import (
    WIDTH,
    MalformedTile,
    RightEdge,
    TileAddress,
    TilePath,
    addresses,
    edge_addresses,
    encode_bundle,
    tile_reader,
)
from compliance.storage.store import StoreTransaction
from core.errors import InvalidField, NotFound


class Proven(NamedTuple):
    """A proof's hashes, and the roots of the sizes asked for."""

    hashes: list[bytes]
    roots: list[bytes]


async def prove_inclusion(tx: StoreTransaction, index: int, size: int, *, log_size: int) -> Proven:
    """That a leaf stands in the tree of a size. Raises the refusals of `inclusion_ranges`."""
    return await _prove(tx, inclusion_ranges(index, size, log_size=log_size), [size])


async def prove_consistency(
    tx: StoreTransaction, first: int, second: int, *, log_size: int
) -> Proven:
    """That one tree continues another. Raises the refusals of `consistency_ranges`."""
    return await _prove(tx, consistency_ranges(first, second, log_size=log_size), [first, second])


async def read_tile(tx: StoreTransaction, path: str) -> bytes:
    """A tile or a bundle. Raises InvalidField, and NotFound while the log lacks a part of it."""
    try:
        asked = TilePath.parse(path)
    except MalformedTile:
        raise InvalidField(field="path", rule="tile_path") from None
    if asked.level is None:
        start = asked.index * WIDTH
        leaves = await tx.events.bundle(start, start + asked.width)
        if len(leaves) < asked.width:
            raise NotFound
        return encode_bundle(leaves)
    address = TileAddress(asked.level, asked.index)
    # A narrower version of a tile is a prefix of a wider one, so any past width is served too.
    content = (await tx.tiles.read([address])).get(address, b"")[: asked.width * HASH_SIZE]
    if len(content) < asked.width * HASH_SIZE:
        raise NotFound
    return content


async def _prove(tx: StoreTransaction, ranges: Sequence[Range], sizes: Sequence[int]) -> Proven:
    """One reading of tiles serves the proof and the roots."""
    edges = [address for size in sizes for address in edge_addresses(size)]
    tiles = await tx.tiles.read([*addresses(ranges), *edges])
    roots = [RightEdge.of(size, tiles).frontier().root() for size in sizes]
    return Proven(proof(ranges, tile_reader(tiles)), roots)
