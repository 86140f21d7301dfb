"""Tiles: the hashes of a log's tree, 256 to a row."""

from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from compliance.domain.tiles import RightEdge, TileAddress, edge_addresses
from core.database import Transaction, statement

_LEVELS = bindparam("levels", type_=ARRAY(SmallInteger))
_INDEXES = bindparam("indexes", type_=ARRAY(BigInteger))

_READ = statement(
    text("""
        SELECT tile.level, tile.index, tile.content
        FROM unnest(:levels, :indexes) AS wanted (level, index)
        JOIN tile ON tile.level = wanted.level AND tile.index = wanted.index
    """).bindparams(_LEVELS, _INDEXES)
)
# A full tile never changes: only a wider one replaces what is stored.
_WRITE = statement(
    text("""
        INSERT INTO tile (organization_id, level, index, content)
        SELECT CAST(:organization_id AS uuid), grown.*
        FROM unnest(:levels, :indexes, :contents) AS grown (level, index, content)
        ON CONFLICT (organization_id, level, index) DO UPDATE SET content = excluded.content
        WHERE octet_length(tile.content) < octet_length(excluded.content)
    """).bindparams(_LEVELS, _INDEXES, bindparam("contents", type_=ARRAY(LargeBinary)))
)


class Tiles:
    """The tiles of the organization's log."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def read(self, wanted: Iterable[TileAddress]) -> dict[TileAddress, bytes]:
        """The stored content of these tiles; what is not there is left out."""
        places = sorted(set(wanted))
        if not places:
            return {}
        rows = await self._tx.all(
            _READ,
            levels=[place.level for place in places],
            indexes=[place.index for place in places],
        )
        return {TileAddress(row.level, row.index): row.content for row in rows}

    async def edge(self, size: int) -> RightEdge:
        """The right edge of the log at a size. Raises TileMissing."""
        return RightEdge.of(size, await self.read(edge_addresses(size)))

    async def write(self, tiles: Mapping[TileAddress, bytes]) -> None:
        """Store what an append made, each tile in place of its narrower self."""
        await self._tx.run(
            _WRITE,
            levels=[address.level for address in tiles],
            indexes=[address.index for address in tiles],
            contents=list(tiles.values()),
        )
