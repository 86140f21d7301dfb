"""Erasing a person from a service's tables: planned, done by the plan's digest, and done again.

The rows go in one transaction with the receipt. After a restore the same tables lose the person's
rows again, whatever the law says of them by then: it was decided when it was done.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core import clock
from core.crypto.keyring import KeyProvider
from core.database import Transaction
from core.errors import Refusal
from core.subject.grounds import ACCOUNTABILITY, Kept
from core.subject.holdings import Holdings
from core.subject.person import KINDS_ERASED, Person
from core.subject.plans import Erasable, digest_of, erasables_of, kept_of, planned
from core.subject.receipts import Receipts, Record
from medhub.subject.v1 import erasure_pb2 as wire


class ErasurePlanChanged(Refusal):
    """The data have changed since the plan was made; nothing was erased."""

    reason = "ERASURE_PLAN_CHANGED"


@dataclass(frozen=True, slots=True)
class Plan:
    """What erasing would do, and the digest that stands for it."""

    tables: list[wire.ErasedTable]
    digest: bytes


class Erasure:
    """Erases persons from one service."""

    def __init__(self, holdings: Holdings, keyring: KeyProvider) -> None:
        self._holdings = holdings
        self._tables = {kind: erasables_of(holdings, kind) for kind in KINDS_ERASED}
        self._locks = {kind: holdings.lock(kind) for kind in KINDS_ERASED}
        self._destroys = tuple(dict.fromkeys(holdings.destroys.values()))
        self._receipts = Receipts(holdings.service, holdings.metadata, keyring)
        order = [table.name for table in holdings.metadata.sorted_tables]
        self._place = {name: place for place, name in enumerate(order)}

    async def plan(self, tx: Transaction, person: Person, elsewhere: Kept | None) -> Plan:
        """What erasing the person would do now."""
        service = self._holdings.service
        kept = await kept_of(self._holdings, tx, person, elsewhere)
        tables = await planned(service, tx, self._tables[person.kind], person, kept)
        return Plan(tables, digest_of(service, person, tables))

    async def earlier(
        self, tx: Transaction, request: str, digest: bytes
    ) -> wire.ErasureReceipt | None:
        """The receipt of a plan that was executed before."""
        return await self._receipts.of(tx, request, digest)

    async def execute(
        self, tx: Transaction, request: str, digest: bytes, person: Person, elsewhere: Kept | None
    ) -> wire.ErasureReceipt:
        """Do what the plan of this digest says. Raises ErasurePlanChanged."""
        await self._hold_still(tx, person)
        plan = await self.plan(tx, person, elsewhere)
        if plan.digest != digest:
            raise ErasurePlanChanged
        going = {t.table: t for t in plan.tables if t.action == wire.ERASURE_ACTION_DELETE}
        for one in self._children_first(person.kind):
            told = going.get(self._name(one))
            if not told or not told.count:
                continue
            if await self._delete(tx, one, plan, person) != told.count:
                raise ErasurePlanChanged
        keys = await self._destroyed(tx, plan.tables, person)
        receipt = self._receipt(request, plan, keys)
        gone = tuple(name.partition(".")[2] for name, told in going.items() if told.count)
        await self._receipts.sign(tx, receipt, person.ids, gone)
        await self._tell(tx, person)
        return receipt

    async def redo(self, tx: Transaction, record: Record) -> int | None:
        """Do again what a backup has undone; how many rows came back and are gone.

        None where the backup was made after it: what has come since is not touched.
        """
        if await self._receipts.knows(tx, record):
            return None
        person = Person("patient", record.persons)
        await self._hold_still(tx, person)
        again = 0
        for one in self._children_first(person.kind):
            if one.table.name in record.erased:
                again += await tx.run(one.free.delete, **person.parameters(one.free.delete))
        # Those that have been made since the backup are gone with it, and none must be made again.
        await self._destroyed(tx, wire.ErasureReceipt.FromString(record.receipt).tables, person)
        await self._receipts.keep(tx, record)
        await self._tell(tx, person)
        return again

    async def _hold_still(self, tx: Transaction, person: Person) -> None:
        """Whoever adds rows that refer to the person is either first or too late."""
        lock = self._locks[person.kind]
        if lock is not None:
            await tx.all(lock, **person.parameters(lock))

    async def _tell(self, tx: Transaction, person: Person) -> None:
        if self._holdings.tells is not None:
            await self._holdings.tells(tx, person)

    def _children_first(self, kind: str) -> list[Erasable]:
        """What refers to a row goes before it."""
        return sorted(self._tables[kind], key=lambda one: -self._place[one.table.name])

    async def _delete(self, tx: Transaction, one: Erasable, plan: Plan, person: Person) -> int:
        name = self._name(one)
        partly = any(t.table == name and t.action == wire.ERASURE_ACTION_KEEP for t in plan.tables)
        rows = one.free if partly else one.all
        return await tx.run(rows.delete, **person.parameters(rows.delete))

    async def _destroyed(
        self, tx: Transaction, tables: Iterable[wire.ErasedTable], person: Person
    ) -> list[str]:
        if not any(table.action == wire.ERASURE_ACTION_DESTROY_KEY for table in tables):
            return []
        return sorted({key for destroy in self._destroys for key in await destroy(tx, person)})

    def _receipt(self, request: str, plan: Plan, keys: Sequence[str]) -> wire.ErasureReceipt:
        return wire.ErasureReceipt(
            service=self._holdings.service,
            request=request,
            plan_digest=plan.digest,
            execute_time=clock.now(),
            outcome=outcome_of(plan.tables, keys),
            tables=plan.tables,
            destroyed_keys=keys,
        )

    def _name(self, one: Erasable) -> str:
        return f"{self._holdings.service}.{one.table.name}"


def outcome_of(tables: Sequence[wire.ErasedTable], keys: Sequence[str]) -> wire.ErasureOutcome:
    """What came of a plan in one word. The record of requests is not counted as kept."""
    keeps = [t for t in tables if t.action == wire.ERASURE_ACTION_KEEP and t.count]
    kept = any(t.retention != ACCOUNTABILITY for t in keeps)
    gone = bool(keys) or any(t.count for t in tables if t.action != wire.ERASURE_ACTION_KEEP)
    if gone:
        return wire.ERASURE_OUTCOME_PARTLY_KEPT if kept else wire.ERASURE_OUTCOME_ERASED
    return wire.ERASURE_OUTCOME_KEPT_BY_LAW if kept else wire.ERASURE_OUTCOME_NOTHING_FOUND


def detail_of(receipt: wire.ErasureReceipt) -> dict[str, str]:
    """What the trail keeps of a receipt: enough to prove that it is the one that was given."""
    return {
        "plan": receipt.plan_digest.hex(),
        "receipt": hashlib.sha256(receipt.note).hexdigest(),
        "outcome": wire.ErasureOutcome.Name(receipt.outcome),
    }
