"""Restrictions of persons' data, and what each service has been told."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.access_requests import Requester
from compliance.domain.restrictions import Ground, Lifting, PartState, Restriction, State, Told
from compliance.storage.tables import restriction, restriction_part
from core.database import Row, Transaction, statement
from core.errors import NotFound

_ONE = restriction.c
_PART = restriction_part.c
_SHOWN = [column for column in _ONE if column.name != "organization_id"]
_CHANGING = ("state", "lifter_id", "lifter_kind", "lifted_at", "retry_at", "identities")
_LIMIT = bindparam("limit", type_=BigInteger)
_ADD = statement(insert(restriction))
_BY_ID = select(*_SHOWN).where(_ONE.id == bindparam("id"))
_GET = statement(_BY_ID)
_LOCK = statement(_BY_ID.with_for_update())
_NEWEST_FIRST = select(*_SHOWN).order_by(_ONE.id.desc()).limit(_LIMIT)
_FIRST = statement(_NEWEST_FIRST)
_NEXT = statement(_NEWEST_FIRST.where(_ONE.id < bindparam("before", type_=Uuid)))
_SAVE = statement(
    update(restriction)
    .where(_ONE.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}", type_=_ONE[name].type) for name in _CHANGING})
)
_PARTS = statement(
    select(_PART.service, _PART.state, _PART.failures, _PART.last_failure)
    .where(_PART.restriction_id == bindparam("of_restriction"))
    .order_by(_PART.service)
)
_PUT = upsert(restriction_part).values(
    {column.name: bindparam(column.name, type_=column.type) for column in restriction_part.columns}
)
_PUT_PART = statement(
    _PUT.on_conflict_do_update(
        constraint=restriction_part.primary_key,
        set_={name: _PUT.excluded[name] for name in ("state", "failures", "last_failure")},
    )
)


class Restrictions:
    """The restrictions of the organization."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, made: Restriction) -> None:
        """Enter a new one."""
        await self._tx.run(
            _ADD,
            id=made.id,
            patient_id=made.patient_id,
            ground=made.ground.value,
            requester_id=made.requester.id,
            requester_kind=made.requester.kind,
            created_at=made.created_at,
            **_changing(made),
        )

    async def get(self, row: UUID) -> Restriction:
        """One of them. Raises NotFound."""
        return _restriction(await self._tx.one(_GET, id=row))

    async def lock(self, row: UUID) -> Restriction:
        """One of them, which nobody else changes until the transaction ends. Raises NotFound."""
        return _restriction(await self._tx.one(_LOCK, id=row))

    async def page(self, limit: int, before: UUID | None) -> list[Restriction]:
        """Restrictions, newest first, behind `before`."""
        if before is None:
            return [_restriction(row) for row in await self._tx.all(_FIRST, limit=limit)]
        rows = await self._tx.all(_NEXT, limit=limit, before=before)
        return [_restriction(row) for row in rows]

    async def save(self, changed: Restriction) -> None:
        """Keep how far it has come."""
        values = {f"new_{name}": value for name, value in _changing(changed).items()}
        await self._tx.run(_SAVE, of_id=changed.id, **values)

    async def parts(self, of: UUID) -> list[Told]:
        """What the services have been told, by name."""
        rows = await self._tx.all(_PARTS, of_restriction=of)
        return [Told(r.service, PartState(r.state), r.failures, r.last_failure) for r in rows]

    async def parts_of(self, some: Sequence[Restriction]) -> dict[UUID, list[Told]]:
        """The same for a page of restrictions."""
        return {one.id: await self.parts(one.id) for one in some}

    async def put(self, of: UUID, parts: Collection[Told]) -> None:
        """Keep what services have been told."""
        rows = [
            {
                "restriction_id": of,
                "service": one.service,
                "state": one.state.value,
                "failures": one.failures,
                "last_failure": one.last_failure,
            }
            for one in parts
        ]
        await self._tx.run_many(_PUT_PART, rows)


def _changing(of: Restriction) -> dict[str, Any]:
    return {
        "state": of.state.value,
        "lifter_id": of.lifting and of.lifting.by.id,
        "lifter_kind": of.lifting and of.lifting.by.kind,
        "lifted_at": of.lifting and of.lifting.at,
        "retry_at": of.retry_at,
        "identities": list(of.identities),
    }


def _restriction(row: Row | None) -> Restriction:
    if row is None:
        raise NotFound
    lifting = None
    if row.lifted_at is not None:
        lifting = Lifting(Requester(row.lifter_kind, row.lifter_id), row.lifted_at)
    return Restriction(
        id=row.id,
        patient_id=row.patient_id,
        ground=Ground(row.ground),
        requester=Requester(row.requester_kind, row.requester_id),
        created_at=row.created_at,
        state=State(row.state),
        lifting=lifting,
        retry_at=row.retry_at,
        identities=tuple(row.identities),
    )
