"""Puts the service together: the only file that knows every part."""

import asyncio

from clinical.servicers.care_links import CareLinks
from clinical.servicers.hl7_desk import Desks
from clinical.servicers.hl7_intake import Intake
from clinical.servicers.hl7_processing import Processing
from clinical.servicers.hl7_v2 import Hl7V2
from clinical.servicers.patients import Patients
from clinical.servicers.practitioners import Practitioners
from clinical.servicers.records import Records
from clinical.storage.store import Store
from clinical.storage.subject_data import holdings
from clinical.storage.tables import organization_key
from core import tasks
from core.crypto.organization_keys import OrganizationKeys
from core.service import Core
from core.subject.servicer import SubjectData


async def build(core: Core) -> dict[str, object]:
    """The servicers by the name of their service, and the worker that empties the queue."""
    keys = OrganizationKeys(organization_key, core.keyring)
    store = Store(core.database, keys)
    desks = Desks(store)
    processing = Processing(store, desks)
    _run(core, processing)
    intake = Intake(store, desks, processing)
    return {
        "medhub.clinical.v1.PatientService": Patients(store, core.pages),
        "medhub.clinical.v1.CareLinkService": CareLinks(store, core.pages),
        "medhub.clinical.v1.PractitionerService": Practitioners(store, core.pages),
        "medhub.clinical.v1.RecordService": Records(store, core.pages),
        "medhub.clinical.v1.Hl7V2Service": Hl7V2(store, core.pages, intake),
        "medhub.subject.v1.SubjectService": SubjectData(
            core.database, holdings(keys), core.keyring
        ),
    }


def _run(core: Core, processing: Processing) -> None:
    """Process what is stored, for as long as the server lives."""
    task = asyncio.create_task(processing.run())
    core.parts.push_async_callback(tasks.end, task)
