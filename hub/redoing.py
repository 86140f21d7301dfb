"""Doing again, on a backup that was put back, what had been erased since it was made."""

from collections.abc import Iterable, Sequence

from core import identity
from core.database import Database
from core.identity import Call, Caller, Kind
from core.subject.erasure import Erasure
from core.subject.receipts import is_unreadable
from core.subject.restrictions import Restrictions
from hub.erased_rows import ErasedRows
from hub.layout import Layout
from hub.places import place_of
from hub.services import Service
from medhub.subject.v1.erasure_pb2 import ErasureReceipt

_ACTION = "subject.data.erase"


async def redo(layout: Layout, erased: Iterable[ErasedRows]) -> tuple[int, int]:
    """Erase what came back: how many erasures were done again, and how many rows went."""
    listed = sorted(erased, key=lambda one: one.record.executed_at)
    erasures = rows = 0
    for service in Service:
        own = [one for one in listed if one.service == service]
        if not own:
            continue
        place = place_of(layout, service)
        erasure = Erasure(place.holdings(), place.keyring)
        async with place.database() as database:
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
        place = place_of(layout, service)
        restrictions = Restrictions(place.holdings().metadata)
        async with place.database() as database:
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
