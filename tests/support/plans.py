"""How PostgreSQL means to run a statement, asked as the app role behind row-level security."""

from typing import Any

from sqlalchemy import text

from core.database import Database, Statement, statement


async def plan_of(db: Database, stmt: Statement, /, **params: Any) -> str:
    """The plan of a statement with these values, in the tenant of the call in progress.

    Sequential scans are made dear, so a plan that has one has no index to use.
    """
    async with db.begin(read_only=True) as tx:
        await tx.all(_NO_SEQUENTIAL_SCANS)
        lines = await tx.all(stmt.explained(), **params)
    return "\n".join(line[0] for line in lines)


_NO_SEQUENTIAL_SCANS = statement(text("SELECT set_config('enable_seqscan', 'off', true)"))
