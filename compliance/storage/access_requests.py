"""Requests for access, and what each service has answered."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.access_requests import (
    AccessRequest,
    Answer,
    AnswerState,
    Requester,
    State,
)
from compliance.storage.tables import access_answer, access_request
from core.database import Row, Transaction, statement
from core.errors import NotFound

_REQUEST = access_request.c
_ANSWER = access_answer.c
_SHOWN = (
    _REQUEST.id, _REQUEST.patient_id, _REQUEST.requester_id, _REQUEST.requester_kind,
    _REQUEST.received_at, _REQUEST.created_at, _REQUEST.key_name, _REQUEST.state,
    _REQUEST.completed_at, _REQUEST.retry_at, _REQUEST.identities,
)  # fmt: skip
_LIMIT = bindparam("limit", type_=BigInteger)
_ADD = statement(insert(access_request))
_GET = statement(select(*_SHOWN).where(_REQUEST.id == bindparam("id")))
_NEWEST_FIRST = select(*_SHOWN).order_by(_REQUEST.id.desc()).limit(_LIMIT)
_FIRST = statement(_NEWEST_FIRST)
_NEXT = statement(_NEWEST_FIRST.where(_REQUEST.id < bindparam("before", type_=Uuid)))
_SAVE = statement(
    update(access_request)
    .where(_REQUEST.id == bindparam("of_id"))
    .values(
        {
            name: bindparam(f"new_{name}", type_=_REQUEST[name].type)
            for name in ("state", "completed_at", "retry_at", "identities")
        }
    )
)
_ANSWERS = statement(
    select(
        _ANSWER.service, _ANSWER.ordinal, _ANSWER.state, _ANSWER.failures, _ANSWER.last_failure,
        _ANSWER.record_count, _ANSWER.sha256, _ANSWER.gathered_at, _ANSWER.tables,
    )
    .where(_ANSWER.request_id == bindparam("of_request"))
    .order_by(_ANSWER.service)
)  # fmt: skip
_PUT = upsert(access_answer).values(
    {column.name: bindparam(column.name, type_=column.type) for column in access_answer.columns}
)
_PUT_ANSWER = statement(
    _PUT.on_conflict_do_update(
        constraint=access_answer.primary_key,
        set_={
            name: _PUT.excluded[name]
            for name in (
                "state", "failures", "last_failure", "record_count", "sha256", "gathered_at",
                "tables",
            )
        },
    )
)  # fmt: skip


class AccessRequests:
    """The requests of the organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, request: AccessRequest) -> None:
        """Enter a new one."""
        await self._tx.run(
            _ADD,
            id=request.id,
            patient_id=request.patient_id,
            requester_id=request.requester.id,
            requester_kind=request.requester.kind,
            received_at=request.received_at,
            created_at=request.created_at,
            key_name=request.key_name,
            state=request.state.value,
            completed_at=request.completed_at,
            retry_at=request.retry_at,
            identities=list(request.identities),
        )

    async def get(self, row: UUID) -> AccessRequest:
        """One of them. Raises NotFound."""
        found = await self._tx.one(_GET, id=row)
        if found is None:
            raise NotFound
        return _request(found)

    async def page(self, limit: int, before: UUID | None) -> list[AccessRequest]:
        """Requests, newest first, behind `before`."""
        if before is None:
            return [_request(row) for row in await self._tx.all(_FIRST, limit=limit)]
        return [_request(row) for row in await self._tx.all(_NEXT, limit=limit, before=before)]

    async def save(self, request: AccessRequest) -> None:
        """Keep how far it has come."""
        await self._tx.run(
            _SAVE,
            of_id=request.id,
            new_state=request.state.value,
            new_completed_at=request.completed_at,
            new_retry_at=request.retry_at,
            new_identities=list(request.identities),
        )

    async def answers(self, request: UUID) -> list[Answer]:
        """What the services have answered, by name."""
        return [_answer(row) for row in await self._tx.all(_ANSWERS, of_request=request)]

    async def answers_of(self, requests: Sequence[AccessRequest]) -> dict[UUID, list[Answer]]:
        """The same for a page of requests."""
        return {one.id: await self.answers(one.id) for one in requests}

    async def put(self, request: UUID, answers: Collection[Answer]) -> None:
        """Keep what services have answered."""
        await self._tx.run_many(_PUT_ANSWER, [_columns(request, one) for one in answers])


def _request(row: Row) -> AccessRequest:
    return AccessRequest(
        id=row.id,
        patient_id=row.patient_id,
        requester=Requester(row.requester_kind, row.requester_id),
        received_at=row.received_at,
        created_at=row.created_at,
        key_name=row.key_name,
        state=State(row.state),
        completed_at=row.completed_at,
        retry_at=row.retry_at,
        identities=tuple(row.identities),
    )


def _answer(row: Row) -> Answer:
    return Answer(
        service=row.service,
        ordinal=row.ordinal,
        state=AnswerState(row.state),
        failures=row.failures,
        last_failure=row.last_failure,
        record_count=row.record_count,
        sha256=row.sha256,
        gathered_at=row.gathered_at,
        tables=tuple(row.tables),
    )


def _columns(request: UUID, answer: Answer) -> dict[str, Any]:
    gathered_at: datetime | None = answer.gathered_at
    return {
        "request_id": request,
        "service": answer.service,
        "ordinal": answer.ordinal,
        "state": answer.state.value,
        "failures": answer.failures,
        "last_failure": answer.last_failure,
        "record_count": answer.record_count,
        "sha256": answer.sha256,
        "gathered_at": gathered_at,
        "tables": list(answer.tables),
    }
