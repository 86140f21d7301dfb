"""Doing again, on a backup that was put back, what had been erased since it was made."""

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from pydantic import SecretBytes, SecretStr

import analytics.storage.subject_data
import auth.storage.subject_data
import billing.storage.subject_data
import clinical.storage.subject_data
import compliance.servicers.subject_data
from clinical.storage.tables import organization_key
from core import identity
from core.contract import everything
from core.crypto.keyring import Keyring
from core.crypto.organization_keys import OrganizationKeys
from core.crypto.unlocking import KeyFile
from core.database import Database, DatabaseSettings
from core.database.settings import PAGE_KEY_BYTES
from core.identity import Call, Caller, Kind
from core.subject.erasure import Erasure
from core.subject.holdings import Holdings
from core.subject.receipts import is_unreadable
from core.subject.restrictions import Restrictions
from hub.erased_rows import ErasedRows
from hub.layout import Layout
from hub.services import Service
from medhub.subject.v1.erasure_pb2 import ErasureReceipt

_ACTION = "subject.data.erase"


async def redo(layout: Layout, erased: Iterable[ErasedRows]) -> tuple[int, int]:
    """Erase what came back: how many erasures were done again, and how many rows went."""
    listed = sorted(erased, key=lambda one: one.record.executed_at)
    erasures = rows = 0
    # Tables name the fields of the contract, which have to be known.
    everything()
    for service in Service:
        own = [one for one in listed if one.service == service]
        if not own:
            continue
        async with database_of(layout, service) as (database, keyring):
            erasure = Erasure(_holdings(service, keyring), keyring)
            for one in own:
                again = await _redo(database, erasure, one)
                erasures += again is not None
                rows += again or 0
    await _forget(layout, [one for one in listed if _is_forgotten(one)])
    return erasures, rows


def _is_forgotten(one: ErasedRows) -> bool:
    """Whether nothing is left under which an act about the person could be recorded."""
    receipt = ErasureReceipt.FromString(one.record.receipt)
    return one.service == Service.COMPLIANCE and is_unreadable(receipt)


async def _forget(layout: Layout, erased: Sequence[ErasedRows]) -> None:
    """Have no service write about them again."""
    for service in Service if erased else ():
        async with database_of(layout, service) as (database, keyring):
            restrictions = Restrictions(_holdings(service, keyring).metadata)
            for one in erased:
                call = _call(service, one)
                identity.enter(call)
                async with database.begin_as(call) as tx:
                    await restrictions.forget(tx, one.record.persons, one.record.request_id)


def _call(service: str, one: ErasedRows) -> Call:
    return Call(
        method=f"{service}.server/Restore",
        caller=Caller(kind=Kind.SERVICE, organization=one.organization),
        action=_ACTION,
        purpose="operation",
        sees_restricted=True,
    )


async def _redo(database: Database, erasure: Erasure, one: ErasedRows) -> int | None:
    call = _call(one.service, one)
    identity.enter(call)
    async with database.begin_as(call) as tx:
        again = await erasure.redo(tx, one.record)
        if again is not None:
            resource = f"erasureRequests/{one.record.request_id}"
            detail = {"after": "restore", "rows": str(again)}
            await tx.record_act(_ACTION, resource=resource, detail=detail)
    return again


@asynccontextmanager
async def database_of(layout: Layout, service: Service) -> AsyncIterator[tuple[Database, Keyring]]:
    """A service's rows, as its own role sees them, and its keyring."""
    own = layout.of(service)
    settings = DatabaseSettings(
        app_url=SecretStr(layout.database(service).app),
        page_key=SecretBytes(os.urandom(PAGE_KEY_BYTES)),
    )
    database = Database(settings)
    await database.open()
    try:
        yield database, Keyring.open(own.keyring(), KeyFile(own.keyring_key()))
    finally:
        await database.close()


def _holdings(service: Service, keyring: Keyring) -> Holdings:
    """What a service holds of persons, by its own declaration."""
    match service:
        case Service.AUTH:
            return auth.storage.subject_data.holdings()
        case Service.BILLING:
            return billing.storage.subject_data.holdings()
        case Service.ANALYTICS:
            return analytics.storage.subject_data.holdings()
        case Service.COMPLIANCE:
            return compliance.servicers.subject_data.holdings(keyring)
        case Service.CLINICAL:
            keys = OrganizationKeys(organization_key, keyring)
            return clinical.storage.subject_data.holdings(keys)
