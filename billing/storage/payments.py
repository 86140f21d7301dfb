"""Rows of payments and of what they pay."""

# ruff: noqa: S608 - the text of statements is made of constants of this module alone.

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Date, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from billing.domain.invoices import State
from billing.domain.payments import Allocation, Means, Payment, Receivable, Share
from billing.storage.paging import page, pages
from core.database import Row, Transaction, sql
from core.errors import NotFound
from core.ids import new_id

_TIME: Final = TIMESTAMP(timezone=True)
_COLUMNS: Final = """p.id, p.patient_id, p.amount, p.currency_code, p.means, p.received_on,
    p.reference, p.created_at, p.allocated"""
_TYPES: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "patient_id": Uuid,
    "amount": BigInteger,
    "currency_code": Text,
    "means": Text,
    "received_on": Date,
    "reference": Text,
    "created_at": _TIME,
}
# The hot statement: a payment and what it has paid, oldest first.
GET: Final = sql(
    f"""SELECT {_COLUMNS}, s.ids, s.invoices, s.amounts, s.times FROM payment p
    LEFT JOIN LATERAL (
        SELECT array_agg(x.id ORDER BY x.id) AS ids,
            array_agg(x.invoice_id ORDER BY x.id) AS invoices,
            array_agg(x.amount ORDER BY x.id) AS amounts,
            array_agg(x.created_at ORDER BY x.id) AS times
        FROM allocation x WHERE x.payment_id = p.id) s ON true
    WHERE p.id = :id""",
    id=Uuid,
)
_LOCK: Final = sql("SELECT p.id FROM payment p WHERE p.id = :id FOR NO KEY UPDATE", id=Uuid)
_ADD: Final = sql(
    f"""INSERT INTO payment ({", ".join(_TYPES)})
    VALUES ({", ".join(f":{name}" for name in _TYPES)})""",
    **_TYPES,
)
# In the order of ids: two callers never wait crosswise.
_LOCK_RECEIVABLES: Final = sql(
    """SELECT r.invoice_id FROM receivable r WHERE r.invoice_id = ANY (:ids)
    ORDER BY r.invoice_id FOR NO KEY UPDATE""",
    ids=ARRAY(Uuid),
)
_RECEIVABLES: Final = sql(
    """SELECT i.id, i.patient_id, i.currency_code, i.state, r.total - r.allocated AS open
    FROM invoice i LEFT JOIN receivable r ON r.invoice_id = i.id WHERE i.id = ANY (:ids)""",
    ids=ARRAY(Uuid),
)
_ALLOCATE: Final = sql(
    """WITH shares AS (
        SELECT * FROM unnest(:row_ids, :invoice_ids, :patient_ids, :amounts)
            AS n(id, invoice_id, patient_id, amount)),
    added AS (
        INSERT INTO allocation (organization_id, id, payment_id, invoice_id, patient_id, amount,
            created_at)
        SELECT :organization_id, n.id, :id, n.invoice_id, n.patient_id, n.amount, :created_at
        FROM shares n),
    paid AS (
        UPDATE receivable r SET allocated = r.allocated + n.amount
        FROM shares n WHERE r.invoice_id = n.invoice_id)
    UPDATE payment SET allocated = :allocated WHERE id = :id""",
    organization_id=Uuid,
    id=Uuid,
    row_ids=ARRAY(Uuid),
    invoice_ids=ARRAY(Uuid),
    patient_ids=ARRAY(Uuid),
    amounts=ARRAY(BigInteger),
    created_at=_TIME,
    allocated=BigInteger,
)


PAGES: Final = pages(
    f"SELECT {_COLUMNS} FROM payment p", key="p.id", patient_id=("p.patient_id", Uuid)
)


class Payments:
    """Payments in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, payment: Payment) -> None:
        """A payment that nothing is allocated of."""
        await self._tx.run(
            _ADD,
            id=payment.id,
            patient_id=payment.patient_id,
            amount=payment.amount,
            currency_code=payment.currency,
            means=payment.means.value,
            received_on=payment.received_on,
            reference=payment.reference,
            created_at=payment.created_at,
        )

    async def get(self, row: UUID) -> Payment:
        """One payment with its allocations. Raises NotFound."""
        found = await self._tx.one(GET, id=row)
        if found is None:
            raise NotFound
        return payment_of(found)

    async def lock(self, row: UUID) -> Payment:
        """One payment that nobody else allocates until the end. Raises NotFound."""
        if not await self._tx.all(_LOCK, id=row):
            raise NotFound
        return await self.get(row)

    async def lock_receivables(self, invoices: Sequence[UUID]) -> Mapping[UUID, Receivable]:
        """What these invoices ask for, which nobody else pays until the end; by invoice.

        Locked first and read by the next statement, as in `lock`. Unknown ones are left out.
        """
        await self._tx.all(_LOCK_RECEIVABLES, ids=sorted(invoices))
        rows = await self._tx.all(_RECEIVABLES, ids=list(invoices))
        return {
            row.id: Receivable(row.patient_id, row.currency_code, State(row.state), row.open or 0)
            for row in rows
        }

    async def save_allocations(
        self,
        payment: Payment,
        shares: Sequence[Share],
        receivables: Mapping[UUID, Receivable],
        *,
        at: datetime,
    ) -> None:
        """Shares of a payment; this transaction has locked it and what the invoices ask for."""
        await self._tx.run(
            _ALLOCATE,
            id=payment.id,
            row_ids=[new_id() for _ in shares],
            invoice_ids=[share.invoice_id for share in shares],
            patient_ids=[receivables[share.invoice_id].patient_id for share in shares],
            amounts=[share.amount for share in shares],
            created_at=at,
            allocated=payment.allocated,
        )

    async def page(self, *, limit: int, patient: UUID | None, after: UUID | None) -> list[Payment]:
        """Payments without allocations, newest first."""
        rows = await page(self._tx, PAGES, limit=limit, patient_id=patient, after_id=after)
        return [_payment(row, ()) for row in rows]


def payment_of(row: Row) -> Payment:
    """The payment in a row of GET."""
    if row.ids is None:
        return _payment(row, ())
    parts = zip(row.ids, row.invoices, row.amounts, row.times, strict=True)
    return _payment(row, tuple(Allocation(*part) for part in parts))


def _payment(row: Row, allocations: tuple[Allocation, ...]) -> Payment:
    return Payment(
        id=row.id,
        patient_id=row.patient_id,
        amount=row.amount,
        currency=row.currency_code,
        means=Means(row.means),
        received_on=row.received_on,
        reference=row.reference,
        created_at=row.created_at,
        allocated=row.allocated,
        allocations=allocations,
    )
