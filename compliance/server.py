"""The compliance server: what it is made of."""

import asyncio

from compliance.clients.subject_data import SubjectServices
from compliance.gathering import Gathering
from compliance.servicers.access_requests import AccessRequests
from compliance.servicers.audit_log import AuditLog
from compliance.servicers.sealing_keys import SealingKeys
from compliance.servicers.subject_data import holdings
from compliance.storage.store import Store
from core import tasks
from core.service import Core
from core.subject.servicer import SubjectData


async def build(core: Core) -> dict[str, object]:
    """The servicers by the service they stand for, and the worker that gathers for persons."""
    store = Store(core.database, core.keyring)
    gathering = Gathering(store, _services(core))
    task = asyncio.create_task(gathering.run())
    core.parts.push_async_callback(tasks.end, task)
    return {
        "medhub.compliance.v1.AuditService": AuditLog(store, core.pages),
        "medhub.compliance.v1.DataSubjectRequestService": AccessRequests(
            store, core.pages, gathering.wake
        ),
        "medhub.compliance.v1.KeyService": SealingKeys(store),
        "medhub.subject.v1.SubjectService": SubjectData(
            core.database, holdings(core.keyring), core.keyring
        ),
    }


def _services(core: Core) -> SubjectServices:
    """Every service that the settings name. Raises ValueError when there is none to ask."""
    names = core.settings.subject_targets
    if not names:
        raise ValueError("MEDHUB_COMPLIANCE_SUBJECT_TARGETS names no service to ask")
    return SubjectServices({name: core.channels.to(name) for name in names})
