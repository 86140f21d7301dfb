"""Which service account appends as which source: the first that does, until it is forgotten."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.sources import SourceNotYours
from compliance.storage.tables import audit_source
from core.database import Transaction, statement

_HOLDER = statement(
    select(audit_source.c.account).where(audit_source.c.source == bindparam("source"))
)
_BIND = statement(
    upsert(audit_source)
    .values(source=bindparam("source"), account=bindparam("account"))
    .on_conflict_do_nothing()
)
_FORGET = statement(delete(audit_source).where(audit_source.c.source == bindparam("of_source")))


class Sources:
    """The sources of the platform."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def claim(self, source: str, account: UUID | None) -> None:
        """Append as `source` from now on, or go on doing so. Raises SourceNotYours.

        Of two accounts that come first at once, one waits for the other's commit and is refused.
        """
        held = await self._tx.one(_HOLDER, source=source)
        if held is None and account is not None:
            await self._tx.run(_BIND, source=source, account=account)
            held = await self._tx.one(_HOLDER, source=source)
        if held is None or held.account != account:
            raise SourceNotYours

    async def forget(self, source: str) -> bool:
        """Let the next account that comes have the source; whether anybody had it."""
        if not await self._tx.run(_FORGET, of_source=source):
            return False
        await self._tx.record_act("compliance.sources.rebind", resource=f"auditSources/{source}")
        return True
