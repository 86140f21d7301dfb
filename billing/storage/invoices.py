"""Rows of invoices: drafts, and the moment when one becomes final."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Date, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from billing.domain.invoices import Invoice, IssueDateOutOfOrder
from billing.storage.guards import OUT_OF_ORDER
from billing.storage.invoice_rows import (
    COLUMNS,
    PART_COLUMNS,
    PARTS,
    RECEIVABLE,
    invoice_of,
    listed_of,
    own_parameters,
    part_parameters,
)
from billing.storage.paging import page, pages
from core.database import ConstraintViolated, Transaction, sql
from core.errors import NotFound

_TIME: Final = TIMESTAMP(timezone=True)
_CHANGING: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "buyer_display_name",
            "buyer_street",
            "buyer_postal_code",
            "buyer_city",
            "buyer_country_code",
            "series",
        ),
        Text,
    ),
    "due_date": Date,
    "net_total": BigInteger,
    "tax_total": BigInteger,
    "updated_at": _TIME,
    "revision": Integer,
}
_PART_TYPES: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("descriptions", "line_categories", "line_codes", "tax_categories", "tax_codes"),
        ARRAY(Text),
    ),
    **dict.fromkeys(("quantities", "unit_prices", "nets", "bases", "taxes"), ARRAY(BigInteger)),
    **dict.fromkeys(("line_rates", "tax_rates"), ARRAY(Integer)),
}
_OWN: Final[dict[str, Any]] = {
    "organization_id": Uuid,
    "id": Uuid,
    "patient_id": Uuid,
    "currency_code": Text,
    **_CHANGING,
    "created_at": _TIME,
}

# The hot statement: one invoice, whole.
GET: Final = sql(
    f"SELECT {COLUMNS}, {PART_COLUMNS} FROM invoice i {RECEIVABLE} {PARTS} WHERE i.id = :id",
    id=Uuid,
)
_LOCK: Final = sql("SELECT i.id FROM invoice i WHERE i.id = :id FOR NO KEY UPDATE", id=Uuid)
_ADD_LINES: Final = """INSERT INTO invoice_line (organization_id, invoice_id, position, patient_id,
        description, quantity, unit_price, vat_category, vat_rate, exemption_code, net)
    SELECT :organization_id, :id, n.position, :patient_id, n.description, n.quantity, n.unit_price,
        n.category, n.rate, n.code, n.net
    FROM unnest(:descriptions, :quantities, :unit_prices, :line_categories, :line_rates,
        :line_codes, :nets) WITH ORDINALITY
        AS n(description, quantity, unit_price, category, rate, code, net, position)"""
_ADD_TAXES: Final = """INSERT INTO invoice_tax (organization_id, invoice_id, position, patient_id,
        vat_category, vat_rate, exemption_code, basis, tax)
    SELECT :organization_id, :id, n.position, :patient_id, n.category, n.rate, n.code, n.basis,
        n.tax
    FROM unnest(:tax_categories, :tax_rates, :tax_codes, :bases, :taxes) WITH ORDINALITY
        AS n(category, rate, code, basis, tax, position)"""
# One statement for the whole invoice: one round trip, and the triggers of each table run once.
_ADD: Final = sql(
    f"""WITH made AS (
        INSERT INTO invoice ({", ".join(_OWN)}, state)
        VALUES ({", ".join(f":{name}" for name in _OWN)}, 'DRAFT')),
    lined AS ({_ADD_LINES})
    {_ADD_TAXES}""",
    **_OWN,
    **_PART_TYPES,
)
_SAVE: Final = sql(
    f"""UPDATE invoice SET {", ".join(f"{name} = :{name}" for name in _CHANGING)}
    WHERE id = :id""",
    id=Uuid,
    **_CHANGING,
)
_DROP_PARTS: Final = sql(
    """WITH untaxed AS (DELETE FROM invoice_tax WHERE invoice_id = :id)
    DELETE FROM invoice_line WHERE invoice_id = :id""",
    id=Uuid,
)
_ADD_PARTS: Final = sql(
    f"WITH lined AS ({_ADD_LINES}) {_ADD_TAXES}",
    organization_id=Uuid,
    id=Uuid,
    patient_id=Uuid,
    **_PART_TYPES,
)
_OWE: Final = sql(
    """INSERT INTO receivable (organization_id, invoice_id, total)
    VALUES (:organization_id, :id, :total)""",
    organization_id=Uuid,
    id=Uuid,
    total=BigInteger,
)
# A trigger takes the number: no statement of the service chooses one.
_FINALIZE: Final = sql(
    """UPDATE invoice SET state = 'FINAL', issue_date = :issue_date, updated_at = :updated_at,
        revision = :revision
    WHERE id = :id RETURNING number""",
    id=Uuid,
    issue_date=Date,
    updated_at=_TIME,
    revision=Integer,
)


PAGES: Final = pages(
    f"SELECT {COLUMNS} FROM invoice i {RECEIVABLE}", key="i.id", patient_id=("i.patient_id", Uuid)
)


class Invoices:
    """Invoices in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, invoice: Invoice) -> None:
        """A draft with its lines and taxes."""
        own = own_parameters(invoice)
        fixed = {"currency_code": invoice.currency, "created_at": invoice.created_at}
        await self._tx.run(_ADD, **own, **fixed, **part_parameters(invoice))

    async def get(self, row: UUID) -> Invoice:
        """One invoice, whole. Raises NotFound."""
        found = await self._tx.one(GET, id=row)
        if found is None:
            raise NotFound
        return invoice_of(found)

    async def lock(self, row: UUID) -> Invoice:
        """One invoice that nobody else changes until the end. Raises NotFound.

        It is locked first and read by the next statement: only then is it what the transaction
        that held the lock has left behind.
        """
        if not await self._tx.all(_LOCK, id=row):
            raise NotFound
        return await self.get(row)

    async def save(self, before: Invoice, after: Invoice) -> None:
        """A changed draft whose row this transaction has locked."""
        if after == before:
            return
        if after.terms.lines != before.terms.lines:
            await self._tx.run(_DROP_PARTS, id=after.id)
            await self._tx.run(
                _ADD_PARTS, id=after.id, patient_id=after.patient_id, **part_parameters(after)
            )
        values = own_parameters(after)
        await self._tx.run(_SAVE, id=after.id, **{name: values[name] for name in _CHANGING})

    async def finalize(self, invoice: Invoice) -> Invoice:
        """The final invoice with its number. Raises IssueDateOutOfOrder.

        To be the last act of its transaction: from here to the commit, others who finalize in
        this series wait.
        """
        await self._tx.run(_OWE, id=invoice.id, total=invoice.total)
        try:
            made = await self._tx.one(
                _FINALIZE,
                id=invoice.id,
                issue_date=invoice.issue_date,
                updated_at=invoice.updated_at,
                revision=invoice.revision,
            )
        except ConstraintViolated as broken:
            if broken.name == OUT_OF_ORDER:
                raise IssueDateOutOfOrder from None
            raise
        if made is None:
            raise NotFound
        return replace(invoice, number=made.number)

    async def page(self, *, limit: int, patient: UUID | None, after: UUID | None) -> list[Invoice]:
        """Invoices without lines and taxes, newest first."""
        rows = await page(self._tx, PAGES, limit=limit, patient_id=patient, after_id=after)
        return [listed_of(row) for row in rows]
