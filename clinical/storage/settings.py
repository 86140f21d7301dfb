"""What an organization has decided about its clinical data."""

from typing import Final

from sqlalchemy import Boolean, Uuid

from clinical.domain.ins import TenantKind
from clinical.storage.sql import sql
from core.database import Transaction

_GET: Final = sql("SELECT s.accepts_test_ins FROM clinical_setting s")
_PUT: Final = sql(
    """INSERT INTO clinical_setting (organization_id, accepts_test_ins)
    VALUES (:organization_id, :accepts_test_ins)
    ON CONFLICT (organization_id) DO UPDATE SET accepts_test_ins = EXCLUDED.accepts_test_ins""",
    organization_id=Uuid,
    accepts_test_ins=Boolean,
)


class Settings:
    """The organization's settings in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def tenant_kind(self) -> TenantKind:
        """Whether the organization rehearses. One that never said so treats real people."""
        row = await self._tx.one(_GET)
        rehearses = row is not None and row.accepts_test_ins
        return TenantKind.TEST if rehearses else TenantKind.PRODUCTION

    async def put_tenant_kind(self, kind: TenantKind) -> None:
        """Say which it is."""
        await self._tx.run(_PUT, accepts_test_ins=kind is TenantKind.TEST)
