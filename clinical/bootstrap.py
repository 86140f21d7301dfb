"""What an operator decides before an organization starts, by the app role's connection."""

from uuid import UUID

from clinical.domain.ins import TenantKind
from clinical.storage.settings import Settings
from core.database import Database
from core.identity import Call, Caller, Kind


async def set_tenant_kind(database: Database, organization: UUID, kind: TenantKind) -> None:
    """Say whether an organization treats real people or rehearses.

    An organization that never said so treats real people: it refuses test INS. One that rehearses
    refuses real ones. The change is recorded like any other.
    """
    call = Call(
        method="clinical.bootstrap/SetTenantKind",
        caller=Caller(kind=Kind.SERVICE, organization=organization),
        action="clinical.settings.update",
        purpose="administration",
    )
    async with database.begin_as(call) as tx:
        await Settings(tx).put_tenant_kind(kind)
