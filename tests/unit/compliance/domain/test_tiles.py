"""Tiles, entry bundles and their paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.domain.merkle import (
    Frontier,
    Node,
    Range,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    proof,
)
from compliance.domain.tiles import (
    MAX_ENTRY,
    MalformedTile,
    RightEdge,
    TileAddress,
    TileMissing,
    TilePath,
    addresses,
    bundle_path,
    bundles_at,
    decode_bundle,
    edge_addresses,
    encode_bundle,
    grow,
    tile_reader,
    tiles_at,
)

LARGEST = 66_000
"""Past 256 full tiles, so that there is a third level."""

LEAVES = [leaf_hash(number.to_bytes(4)) for number in range(LARGEST)]
WHOLE = grow(RightEdge(), LEAVES)


@pytest.mark.parametrize(
    ("address", "width", "path"),
    [
        (TileAddress(0, 0), 256, "tile/0/000"),
        (TileAddress(1, 7), 1, "tile/1/007.p/1"),
        (TileAddress(3, 1_234_067), 256, "tile/3/x001/x234/067"),
        (TileAddress(0, 1_000), 255, "tile/0/x001/000.p/255"),
    ],
)
def test_paths_are_those_of_the_format(address: TileAddress, width: int, path: str) -> None:
    """A tile has one path, which is read back as it was written."""
    assert address.path(width) == path
    assert TilePath.parse(path) == TilePath(address.level, address.index, width)


def test_bundles_have_paths_of_their_own() -> None:
    """Entries stand beside the tiles of level 0."""
    assert bundle_path(1_234_067) == "tile/entries/x001/x234/067"
    assert TilePath.parse("tile/entries/000.p/12") == TilePath(None, 0, 12)


@given(st.none() | st.integers(0, 63), st.integers(0, 2**40), st.integers(1, 256))
def test_every_path_is_read_back(level: int | None, index: int, width: int) -> None:
    """Parsing inverts writing."""
    path = TilePath(level, index, width)

    assert TilePath.parse(path.text) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/x000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/007",
        "tile/0/001/",
        "/tile/0/001",
        "tile/0/../001",
        "tile/data/001",
        "tile/0/001\n",
        "tile/0/\u0661\u0661\u0661",
    ],
)
def test_another_spelling_is_refused(path: str) -> None:
    """Paths come from outside: only the format's own spelling is a tile."""
    with pytest.raises(MalformedTile):
        TilePath.parse(path)


def test_a_log_of_a_size_has_these_tiles() -> None:
    """Full tiles and at most one partial one for each level, and bundles like level 0."""
    assert [path.text for path in tiles_at(0)] == []
    assert [path.text for path in tiles_at(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [path.text for path in tiles_at(600)] == [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ]
    assert [path.text for path in bundles_at(257)] == ["tile/entries/000", "tile/entries/001.p/1"]


def test_growth_stores_exactly_the_tiles_of_the_size() -> None:
    """After one large append every tile of the log is there, with its width."""
    stored = {TilePath(a.level, a.index, len(tile) // 32) for a, tile in WHOLE.tiles.items()}

    assert stored == set(tiles_at(LARGEST))
    assert WHOLE.edge.frontier() == Frontier().extend(LEAVES)


@given(st.lists(st.sampled_from([0, 1, 2, 100, 255, 256, 257, 600, 4000]), max_size=12))
def test_appending_in_batches_stores_what_one_append_stores(batches: list[int]) -> None:
    """Whatever the batches, tiles, edge and frontier are those of the whole."""
    edge, stored = RightEdge(), dict[TileAddress, bytes]()

    for count in batches:
        growth = grow(edge, LEAVES[edge.size : edge.size + count])
        # A stored tile is only ever extended, so whoever read it has read a prefix.
        assert all(tile.startswith(stored.get(at, b"")) for at, tile in growth.tiles.items())
        assert all(len(stored.get(at, b"")) < len(tile) for at, tile in growth.tiles.items())
        stored |= growth.tiles
        edge = growth.edge

        assert RightEdge.of(edge.size, {at: stored[at] for at in edge_addresses(edge.size)}) == edge

    once = grow(RightEdge(), LEAVES[: sum(batches)])
    assert (stored, edge) == (once.tiles, once.edge)
    assert edge.frontier() == Frontier().extend(LEAVES[: sum(batches)])


@given(st.integers(0, LARGEST))
def test_an_older_edge_is_read_from_wider_tiles(size: int) -> None:
    """Tiles written since serve for an older size, since a partial tile is a prefix."""
    edge = RightEdge.of(size, WHOLE.tiles)

    assert edge.size == size
    assert edge.frontier().root() == grow(RightEdge(), LEAVES[:size]).edge.frontier().root()


def test_missing_and_narrow_tiles_are_noticed() -> None:
    """Damaged storage is no smaller tree."""
    narrow = {TileAddress(0, 0): LEAVES[0] * 3}

    with pytest.raises(TileMissing):
        RightEdge.of(4, narrow)
    with pytest.raises(TileMissing):
        RightEdge.of(256, narrow)
    with pytest.raises(TileMissing):
        tile_reader(narrow)(Node(0, 3))
    with pytest.raises(TileMissing):
        tile_reader({})(Node(9, 0))


@given(st.data())
def test_the_named_tiles_are_enough_for_a_proof(data: st.DataObject) -> None:
    """With the tiles that `addresses` names and no others, proofs come out as with all."""
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    everything = tile_reader(WHOLE.tiles)

    for ranges in (
        inclusion_ranges(index, size, log_size=LARGEST),
        consistency_ranges(index + 1, size, log_size=LARGEST),
    ):
        named = addresses(ranges)
        read = tile_reader({address: WHOLE.tiles[address] for address in named})

        assert proof(ranges, read) == proof(ranges, everything)
        assert len(named) <= 6


def test_every_complete_subtree_is_read_out_of_the_tiles() -> None:
    """Subtrees of all heights, stored or between stored levels, have their hash."""
    read = tile_reader(WHOLE.tiles)

    for level in range(17):
        last = (LARGEST >> level) - 1
        for index in {0, last // 2, last}:
            leaves = LEAVES[index << level : (index + 1) << level]
            assert read(Node(level, index)) == Frontier().extend(leaves).root()


def test_a_range_is_made_of_complete_subtrees() -> None:
    """The largest first, covering every leaf once."""
    assert Range(8, 15).nodes() == [Node(2, 2), Node(1, 6), Node(0, 14)]
    assert Range(0, 0).nodes() == []


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_holds_its_entries(entries: list[bytes]) -> None:
    """Each entry stands behind its length in two bytes."""
    bundle = encode_bundle(entries)

    assert decode_bundle(bundle) == entries
    assert bundle[:2] == len(entries[0]).to_bytes(2)


def test_an_entry_has_at_most_65535_bytes() -> None:
    """Lengths have two bytes, bundles 256 entries."""
    longest = bytes(MAX_ENTRY)

    assert decode_bundle(encode_bundle([longest])) == [longest]
    for wrong in ([longest + b"\0"], [], [b""] * 257):
        with pytest.raises(MalformedTile):
            encode_bundle(wrong)


@pytest.mark.parametrize("bundle", [b"\0", b"\0\2a", b"\0\1a\0", b"\0\0" * 257])
def test_a_damaged_bundle_is_refused(bundle: bytes) -> None:
    """What is cut short is not read as fewer entries."""
    with pytest.raises(MalformedTile):
        decode_bundle(bundle)
