"""Reading everything that a service holds of an organization, behind row-level security."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

from core.database import Transaction
from core.offboarding.belongings import Belonging
from core.subject.record import text_of

ROWS_AT_A_TIME = 500
"""Rows read and opened together: some hundred KiB."""

LARGE_ROWS_AT_A_TIME = 4
"""The same where a row holds a document, which may have 16 MiB."""


async def lines_of(
    tx: Transaction, belonging: Belonging, organization: UUID
) -> AsyncGenerator[list[str]]:
    """The rows of one table in the order of its key, each as JSON, some at a time."""
    size = LARGE_ROWS_AT_A_TIME if belonging.shown.large else ROWS_AT_A_TIME
    batch: list[Mapping[str, Any]] = []
    read = tx.stream(belonging.rows, size=size, organization_id=organization)
    async with aclosing(read) as rows:
        async for row in rows:
            batch.append(dict(zip(belonging.shown.columns, row, strict=True)))
            if len(batch) == size:
                yield await _shown(tx, belonging, batch)
                batch = []
    if batch:
        yield await _shown(tx, belonging, batch)


async def _shown(
    tx: Transaction, belonging: Belonging, rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    opened: Any = [{}] * len(rows)
    if belonging.opens is not None:
        opened = await belonging.opens(tx, rows)
    told = belonging.shown.told
    return [
        text_of({name: value for name, value in {**row, **clear}.items() if name in told})
        for row, clear in zip(rows, opened, strict=True)
    ]
