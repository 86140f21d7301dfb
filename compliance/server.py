"""The compliance server: what it is made of."""

import asyncio

from compliance.clients.subject_data import SubjectServices
from compliance.erasing import Erasing
from compliance.gathering import Gathering
from compliance.restricting import Restricting
from compliance.servicers.audit_log import AuditLog
from compliance.servicers.data_subject_requests import DataSubjectRequests
from compliance.servicers.sealing_keys import SealingKeys
from compliance.servicers.subject_data import holdings
from compliance.storage.access_work import ACCESS, ERASURE, RESTRICTION
from compliance.storage.store import Store
from compliance.worker import Worker
from core import tasks
from core.service import Core
from core.starting import CannotStart
from core.subject.servicer import SubjectData


async def build(core: Core) -> dict[str, object]:
    """The servicers by the service they stand for, and the worker on requests of persons."""
    store = Store(core.database, core.keyring)
    services = _services(core)
    worker = Worker(
        store,
        {
            ACCESS: Gathering(services),
            ERASURE: Erasing(services),
            RESTRICTION: Restricting(services),
        },
    )
    task = asyncio.create_task(worker.run())
    core.parts.push_async_callback(tasks.end, task)
    return {
        "medhub.compliance.v1.AuditService": AuditLog(store, core.pages),
        "medhub.compliance.v1.DataSubjectRequestService": DataSubjectRequests(
            store, core.pages, worker.wake
        ),
        "medhub.compliance.v1.KeyService": SealingKeys(store),
        "medhub.subject.v1.SubjectService": SubjectData(
            core.database, holdings(core.keyring), core.keyring
        ),
    }


def _services(core: Core) -> SubjectServices:
    """Every service that the settings name. Raises CannotStart when there is none to ask."""
    names = core.settings.subject_targets
    if not names:
        raise CannotStart("MEDHUB_COMPLIANCE_SUBJECT_TARGETS names no service to ask")
    return SubjectServices({name: core.channels.to(name) for name in names})
