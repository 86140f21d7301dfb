"""medhub.subject.v1.SubjectService, for any service, from what it declares."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, TypeAlias
from uuid import UUID

from core import identity
from core.contract.paths import KINDS
from core.crypto.keyring import KeyProvider
from core.database import Database, Transaction
from core.errors import InvalidField
from core.ids import id_from
from core.subject.erasure import Erasure, detail_of
from core.subject.grounds import Kept
from core.subject.holdings import Holding, Holdings
from core.subject.person import COLLECTIONS, KINDS_ASKED, Person
from core.subject.record import text_of
from core.subject.restrictions import Restrictions
from medhub.subject.v1 import erasure_pb2
from medhub.subject.v1 import subject_pb2 as held
from medhub.subject.v1 import subject_service_pb2 as wire

ROWS_AT_A_TIME = 100
"""Rows read and opened together: some tens of KiB."""

LARGE_ROWS_AT_A_TIME = 4
"""The same where a row holds a document, which may have 16 MiB."""

PIECE_CHARACTERS = 64 * 1024
"""Of one record in one message: at most 256 KiB, whatever the text."""

MESSAGE_CHARACTERS = 64 * 1024
"""Records are gathered into a message up to about this size."""

_ERASURES = "erasureRequests"

Request: TypeAlias = (
    wire.FindSubjectRequest
    | wire.ExportSubjectRequest
    | wire.PlanErasureRequest
    | wire.ExecuteErasureRequest
    | wire.RestrictSubjectRequest
    | wire.LiftSubjectRestrictionRequest
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked about, and what the service knows of them."""

    person: Person
    standing: held.Standing


class SubjectData:
    """Answers for the tables of one service."""

    def __init__(self, database: Database, holdings: Holdings, keyring: KeyProvider) -> None:
        self._database = database
        self._erasure = Erasure(holdings, keyring)
        self._restrictions = Restrictions(holdings.metadata)
        self._service = holdings.service
        self._held = {kind: holdings.of(kind) for kind in KINDS_ASKED}
        self._registers = {kind: holdings.register(kind) for kind in KINDS_ASKED}

    async def FindSubject(self, request: wire.FindSubjectRequest) -> wire.FindSubjectResponse:
        async with self._begin(request) as tx:
            await _record(tx, request)
            asked = await self._identified(tx, _person_from(request))
            tables = [
                self._table(holding, await _count(tx, holding, asked.person))
                for holding in self._held[asked.person.kind]
            ]
        return wire.FindSubjectResponse(
            standing=asked.standing, identities=asked.person.names, tables=tables
        )

    async def ExportSubject(
        self, request: wire.ExportSubjectRequest
    ) -> AsyncIterator[wire.ExportSubjectResponse]:
        # The act is committed before the first row leaves; a transaction that streams commits last.
        async with self._begin(request) as tx:
            await _record(tx, request)
        tables = []
        async with self._begin(request) as tx:
            asked = await self._identified(tx, _person_from(request))
            for holding in self._held[asked.person.kind]:
                count = 0
                async with aclosing(self._records(tx, holding, asked.person)) as gathered:
                    async for some in gathered:
                        count += sum(not record.continues for record in some)
                        yield wire.ExportSubjectResponse(records=some)
                tables.append(self._table(holding, count))
        yield wire.ExportSubjectResponse(tables=tables, complete=True)

    async def PlanErasure(self, request: wire.PlanErasureRequest) -> wire.PlanErasureResponse:
        async with self._begin(request) as tx:
            await _record(tx, request)
            asked = await self._identified(tx, _person_from(request))
            plan = await self._erasure.plan(tx, asked.person, _elsewhere(request))
        return wire.PlanErasureResponse(
            standing=asked.standing,
            identities=asked.person.names,
            tables=plan.tables,
            digest=plan.digest,
        )

    async def ExecuteErasure(
        self, request: wire.ExecuteErasureRequest
    ) -> erasure_pb2.ErasureReceipt:
        occasion, digest = request.occasion.request, request.plan_digest
        async with self._begin(request) as tx:
            earlier = await self._erasure.earlier(tx, occasion, digest)
            if earlier is not None:
                return earlier
            person = (await self._identified(tx, _person_from(request))).person
            elsewhere = _elsewhere(request)
            receipt = await self._erasure.execute(tx, occasion, digest, person, elsewhere)
            await _record(tx, request, detail_of(receipt))
        return receipt

    async def RestrictSubject(
        self, request: wire.RestrictSubjectRequest
    ) -> wire.RestrictSubjectResponse:
        async with self._begin(request) as tx:
            await _record(tx, request)
            asked = await self._identified(tx, _person_from(request))
            await self._restrict(tx, asked.person, request.occasion.request)
        return wire.RestrictSubjectResponse(standing=asked.standing, identities=asked.person.names)

    async def LiftSubjectRestriction(
        self, request: wire.LiftSubjectRestrictionRequest
    ) -> wire.LiftSubjectRestrictionResponse:
        async with self._begin(request) as tx:
            await _record(tx, request)
            asked = await self._identified(tx, _person_from(request))
            await self._restrictions.remove(tx, _restriction_id(request.occasion.request))
        return wire.LiftSubjectRestrictionResponse(
            standing=asked.standing, identities=asked.person.names
        )

    async def _restrict(self, tx: Transaction, person: Person, occasion: str) -> None:
        """For the length of a restriction; or, once the person is erased everywhere, for ever."""
        if occasion.startswith(f"{_ERASURES}/"):
            erasure = id_from(occasion, _ERASURES, field="occasion.request")
            await self._restrictions.forget(tx, person.ids, erasure)
        else:
            await self._restrictions.add(tx, person, _restriction_id(occasion))

    def _begin(self, request: Request) -> AbstractAsyncContextManager[Transaction]:
        """A transaction inside the organization that the request is of, and no other's rows.

        A person has their rights while their data are restricted, and this is about them.
        """
        call = identity.call()
        organization = UUID(request.organization_id)
        caller = replace(call.caller, organization=organization)
        return self._database.begin_as(replace(call, caller=caller, sees_restricted=True))

    async def _identified(self, tx: Transaction, person: Person) -> _Asked:
        """The person under every identity that the service knows."""
        register = self._registers[person.kind]
        if register is None:
            return _Asked(person, held.STANDING_NOT_REGISTERED_HERE)
        rows = await tx.all(register, **person.parameters(register))
        known = held.STANDING_KNOWN if rows else held.STANDING_UNKNOWN
        ids = {*person.ids, *(row.id for row in rows)}
        return _Asked(Person(person.kind, tuple(sorted(ids))), known)

    async def _records(
        self, tx: Transaction, holding: Holding, person: Person
    ) -> AsyncGenerator[list[held.HeldRecord]]:
        """The rows of one table, gathered into messages."""
        name = self._named(holding)
        gathered: list[held.HeldRecord] = []
        size = 0
        async with aclosing(_rows(tx, holding, person)) as rows:
            async for values in rows:
                for record in _pieces(name, text_of(values)):
                    gathered.append(record)
                    size += len(record.values)
                    if size >= MESSAGE_CHARACTERS:
                        yield gathered
                        gathered, size = [], 0
        if gathered:
            yield gathered

    def _table(self, holding: Holding, count: int) -> held.HeldTable:
        return held.HeldTable(
            table=self._named(holding),
            collection=holding.table.info["collection"],
            count=count,
            fields=holding.shown.fields,
        )

    def _named(self, holding: Holding) -> str:
        return f"{self._service}.{holding.table.name}"


def _person_from(request: Request) -> Person:
    """Who is asked about. Raises InvalidField for identities of another kind of person."""
    kind = KINDS[request.subject.partition("/")[0]]
    collection = COLLECTIONS[kind]
    ids = {id_from(request.subject, collection, field="subject")}
    for at, name in enumerate(request.also_known_as):
        if not name.startswith(f"{collection}/"):
            raise InvalidField(field=f"also_known_as[{at}]", rule="same_kind")
        ids.add(id_from(name, collection, field=f"also_known_as[{at}]"))
    return Person(kind, tuple(sorted(ids)))


def _elsewhere(request: wire.PlanErasureRequest | wire.ExecuteErasureRequest) -> Kept | None:
    """What other services keep of the person. Raises InvalidField."""
    if not request.HasField("kept_elsewhere"):
        return None
    kept = request.kept_elsewhere
    try:
        return Kept(kept.until.ToDatetime(tzinfo=UTC) if kept.HasField("until") else None)
    except (ValueError, OverflowError):
        raise InvalidField(field="kept_elsewhere.until", rule="timestamp") from None


def _restriction_id(occasion: str) -> UUID:
    """Which one. Raises InvalidName for a request of another kind."""
    return id_from(occasion, "restrictions", field="occasion.request")


async def _record(tx: Transaction, request: Request, more: Mapping[str, str] | None = None) -> None:
    """Write into the person's trail who asks, for which request of theirs, and who entered it."""
    collection, _, person = request.subject.partition("/")
    await tx.record_act(
        identity.call().action,
        subject=UUID(person),
        subject_kind=KINDS[collection],
        resource=request.subject,
        detail={
            "request": request.occasion.request,
            "requester": request.occasion.requester,
            **(more or {}),
        },
    )


async def _count(tx: Transaction, holding: Holding, person: Person) -> int:
    row = await tx.one(holding.count, **person.parameters(holding.count))
    if row is None:
        raise LookupError("a count has one row")
    return int(row.many)


async def _rows(
    tx: Transaction, holding: Holding, person: Person
) -> AsyncGenerator[Mapping[str, object]]:
    """What the person is shown of each row."""
    size = LARGE_ROWS_AT_A_TIME if holding.shown.large else ROWS_AT_A_TIME
    batch: list[Mapping[str, Any]] = []
    asked = person.parameters(holding.rows)
    async with aclosing(tx.stream(holding.rows, size=size, **asked)) as rows:
        async for row in rows:
            batch.append(dict(zip(holding.shown.columns, row, strict=True)))
            if len(batch) == size:
                for values in await _shown(tx, holding, batch, person):
                    yield values
                batch = []
    for values in await _shown(tx, holding, batch, person):
        yield values


async def _shown(
    tx: Transaction, holding: Holding, rows: list[Mapping[str, Any]], person: Person
) -> list[Mapping[str, object]]:
    opened: Any = [{}] * len(rows)
    if holding.opens is not None and rows:
        opened = await holding.opens(tx, rows, person)
    told = holding.shown.told
    return [
        {name: value for name, value in {**row, **clear}.items() if name in told}
        for row, clear in zip(rows, opened, strict=True)
    ]


def _pieces(table: str, text: str) -> list[held.HeldRecord]:
    """A record in pieces that fit into messages; all but the last say that there is more."""
    cuts = range(0, max(len(text), 1), PIECE_CHARACTERS)
    return [
        held.HeldRecord(
            table=table,
            values=text[at : at + PIECE_CHARACTERS],
            continues=at + PIECE_CHARACTERS < len(text),
        )
        for at in cuts
    ]
