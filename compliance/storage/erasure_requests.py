"""Requests for erasure, and what each service would do and has done."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.access_requests import Requester
from compliance.domain.erasure_requests import (
    Confirmation,
    ErasureRequest,
    Keeps,
    Part,
    PartState,
    State,
)
from compliance.storage.tables import erasure_part, erasure_request
from core.database import Row, Transaction, statement
from core.errors import NotFound

_REQUEST = erasure_request.c
_PART = erasure_part.c
_SHOWN = [column for column in _REQUEST if column.name != "organization_id"]
_CHANGING = (
    "state", "revision", "confirmer_id", "confirmer_kind", "confirmed_at", "completed_at",
    "retry_at", "identities",
)  # fmt: skip
_LIMIT = bindparam("limit", type_=BigInteger)
_ADD = statement(insert(erasure_request))
_ONE = select(*_SHOWN).where(_REQUEST.id == bindparam("id"))
_GET = statement(_ONE)
_LOCK = statement(_ONE.with_for_update())
_NEWEST_FIRST = select(*_SHOWN).order_by(_REQUEST.id.desc()).limit(_LIMIT)
_FIRST = statement(_NEWEST_FIRST)
_NEXT = statement(_NEWEST_FIRST.where(_REQUEST.id < bindparam("before", type_=Uuid)))
_SAVE = statement(
    update(erasure_request)
    .where(_REQUEST.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}", type_=_REQUEST[name].type) for name in _CHANGING})
)
_PARTS = statement(
    select(*[column for column in _PART if column.name != "organization_id"])
    .where(_PART.request_id == bindparam("of_request"))
    .order_by(_PART.service)
)
_PUT = upsert(erasure_part).values(
    {column.name: bindparam(column.name, type_=column.type) for column in erasure_part.columns}
)
_PUT_PART = statement(
    _PUT.on_conflict_do_update(
        constraint=erasure_part.primary_key,
        set_={
            column.name: _PUT.excluded[column.name]
            for column in erasure_part.columns
            if not column.primary_key
        },
    )
)


class ErasureRequests:
    """The requests of the organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, request: ErasureRequest) -> None:
        """Enter a new one."""
        await self._tx.run(
            _ADD,
            id=request.id,
            patient_id=request.patient_id,
            requester_id=request.requester.id,
            requester_kind=request.requester.kind,
            received_at=request.received_at,
            created_at=request.created_at,
            **_changing(request),
        )

    async def get(self, row: UUID) -> ErasureRequest:
        """One of them. Raises NotFound."""
        return _request(await self._tx.one(_GET, id=row))

    async def lock(self, row: UUID) -> ErasureRequest:
        """One of them, which nobody else changes until the transaction ends. Raises NotFound."""
        return _request(await self._tx.one(_LOCK, id=row))

    async def page(self, limit: int, before: UUID | None) -> list[ErasureRequest]:
        """Requests, newest first, behind `before`."""
        if before is None:
            return [_request(row) for row in await self._tx.all(_FIRST, limit=limit)]
        return [_request(row) for row in await self._tx.all(_NEXT, limit=limit, before=before)]

    async def save(self, request: ErasureRequest) -> None:
        """Keep how far it has come."""
        values = {f"new_{name}": value for name, value in _changing(request).items()}
        await self._tx.run(_SAVE, of_id=request.id, **values)

    async def parts(self, request: UUID) -> list[Part]:
        """What each service would do and has done, by name."""
        return [_part(row) for row in await self._tx.all(_PARTS, of_request=request)]

    async def parts_of(self, requests: Sequence[ErasureRequest]) -> dict[UUID, list[Part]]:
        """The same for a page of requests."""
        return {one.id: await self.parts(one.id) for one in requests}

    async def put(self, request: UUID, parts: Collection[Part]) -> None:
        """Keep what is known of services."""
        await self._tx.run_many(_PUT_PART, [_columns(request, one) for one in parts])


def _changing(request: ErasureRequest) -> dict[str, Any]:
    confirmation = request.confirmation
    return {
        "state": request.state.value,
        "revision": request.revision,
        "confirmer_id": confirmation and confirmation.by.id,
        "confirmer_kind": confirmation and confirmation.by.kind,
        "confirmed_at": confirmation and confirmation.at,
        "completed_at": request.completed_at,
        "retry_at": request.retry_at,
        "identities": list(request.identities),
    }


def _request(row: Row | None) -> ErasureRequest:
    if row is None:
        raise NotFound
    confirmation = None
    if row.confirmed_at is not None:
        by = Requester(row.confirmer_kind, row.confirmer_id)
        confirmation = Confirmation(by, row.confirmed_at)
    return ErasureRequest(
        id=row.id,
        patient_id=row.patient_id,
        requester=Requester(row.requester_kind, row.requester_id),
        received_at=row.received_at,
        created_at=row.created_at,
        state=State(row.state),
        revision=row.revision,
        confirmation=confirmation,
        completed_at=row.completed_at,
        retry_at=row.retry_at,
        identities=tuple(row.identities),
    )


def _part(row: Row) -> Part:
    return Part(
        service=row.service,
        state=PartState(row.state),
        failures=row.failures,
        last_failure=row.last_failure,
        digest=row.plan_digest,
        plan=row.plan,
        keeps=Keeps(row.kept_until) if row.keeps else None,
        receipt=row.receipt,
    )


def _columns(request: UUID, part: Part) -> dict[str, Any]:
    return {
        "request_id": request,
        "service": part.service,
        "state": part.state.value,
        "failures": part.failures,
        "last_failure": part.last_failure,
        "plan_digest": part.digest,
        "plan": part.plan,
        "keeps": part.keeps is not None,
        "kept_until": part.keeps and part.keeps.until,
        "receipt": part.receipt,
    }
