"""The compliance server: what it is made of."""

from compliance.servicers.audit_log import AuditLog
from compliance.servicers.sealing_keys import SealingKeys
from compliance.storage.store import Store
from core.service import Core


async def build(core: Core) -> dict[str, object]:
    """The servicers by the service they stand for."""
    store = Store(core.database, core.keyring)
    return {
        "medhub.compliance.v1.AuditService": AuditLog(store, core.pages),
        "medhub.compliance.v1.KeyService": SealingKeys(store),
    }
