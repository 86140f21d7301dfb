"""Lists that may be asked with several filters, each combination compiled once."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any, TypeAlias

from sqlalchemy import Integer, Uuid
from sqlalchemy.types import TypeEngine

from core.database import Row, Statement, Transaction, sql

Pages: TypeAlias = Mapping[frozenset[str], Statement]


def pages(
    select: str, *, key: str, **filters: tuple[str, TypeEngine[Any] | type[TypeEngine[Any]]]
) -> Pages:
    """The statements of a list, newest first, by the parameters that they are asked with.

    `filters` name their parameter, its column and its type; `after_id` goes on behind a row.
    """
    known = {name: (f"{column} = :{name}", type_) for name, (column, type_) in filters.items()}
    known["after_id"] = (f"{key} < :after_id", Uuid)
    return {
        frozenset(asked): _page(select, key, {name: known[name] for name in asked})
        for count in range(len(known) + 1)
        for asked in combinations(known, count)
    }


async def page(tx: Transaction, found: Pages, *, limit: int, **asked: Any) -> list[Row]:
    """The rows of a page; a filter of None or "" is not asked."""
    given = {name: value for name, value in asked.items() if value}
    return await tx.all(found[frozenset(given)], limit=limit, **given)


def _page(select: str, key: str, asked: Mapping[str, tuple[str, Any]]) -> Statement:
    where = " AND ".join(condition for condition, _ in asked.values())
    return sql(
        f"{select} {'WHERE ' + where if where else ''} ORDER BY {key} DESC LIMIT :limit",
        limit=Integer,
        **{name: type_ for name, (_, type_) in asked.items()},
    )
