"""Every table of the billing service. All belong to one organization each.

Amounts are whole minor units of their currency. What is final, and the ledger, is guarded by
triggers and functions of the owner (`guards.py`).
"""

from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP

from core.database import Reach, column, index, new_metadata, reference, tenant_table, unique
from core.subject.receipts import receipt_tables
from core.subject.restrictions import restriction_tables

metadata = new_metadata("billing")

_V1: Final = "medhub.billing.v1"
_TIME: Final = TIMESTAMP(timezone=True)
_IS_FINAL: Final = "{t}.state = 'FINAL'"
# The parts of an invoice are what it is.
_OF_FINAL: Final = """EXISTS (SELECT 1 FROM invoice f WHERE f.organization_id = {t}.organization_id
    AND f.id = {t}.invoice_id AND f.state = 'FINAL')"""
_SUBJECT: Final = "Whose invoice it is part of, for the trail; the reference holds it."


def _one_of(name: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=name)


def _text(name: str, field: str) -> Column[Any]:
    return column(name, Text, field=f"{_V1}.{field}", server_default="''")


def _amount(name: str, field: str) -> Column[Any]:
    return column(name, BigInteger, field=f"{_V1}.{field}")


def _currency(field: str, *, key: bool = False) -> Column[Any]:
    return column("currency_code", Text, field=f"{_V1}.{field}", primary_key=key)


def _is_currency() -> CheckConstraint:
    return CheckConstraint("currency_code ~ '^[A-Z]{3}$'", name="currency_code")


def _treatment(message: str) -> tuple[Column[Any], ...]:
    return (
        column("vat_category", Text, field=f"{_V1}.{message}.vat_category"),
        column("vat_rate", Integer, field=f"{_V1}.{message}.vat_rate"),
        _text("exemption_code", f"{message}.exemption_code"),
    )


def _created_at(message: str) -> Column[Any]:
    return column("created_at", _TIME, field=f"{_V1}.{message}.create_time")


invoice: Final[Table] = tenant_table(
    "invoice",
    metadata,
    column("id", Uuid, field=f"{_V1}.Invoice.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.Invoice.patient"),
    _text("buyer_display_name", "Buyer.display_name"),
    _text("buyer_street", "Buyer.street"),
    _text("buyer_postal_code", "Buyer.postal_code"),
    _text("buyer_city", "Buyer.city"),
    _text("buyer_country_code", "Buyer.country_code"),
    _currency("Invoice.currency_code"),
    _text("series", "Invoice.series"),
    column("due_date", Date, field=f"{_V1}.Invoice.due_date", nullable=True),
    _amount("net_total", "Invoice.net_total"),
    _amount("tax_total", "Invoice.tax_total"),
    _text("state", "Invoice.state"),
    column("sequence", BigInteger, internal="Its place in the series.", nullable=True),
    column("number", Text, field=f"{_V1}.Invoice.number", nullable=True),
    column("issue_date", Date, field=f"{_V1}.Invoice.issue_date", nullable=True),
    _created_at("Invoice"),
    column("updated_at", _TIME, field=f"{_V1}.Invoice.update_time"),
    column("revision", Integer, field=f"{_V1}.Invoice.etag"),
    _is_currency(),
    _one_of("state", "DRAFT", "FINAL"),
    CheckConstraint("net_total >= 0 AND tax_total >= 0", name="totals"),
    CheckConstraint(
        "num_nonnulls(sequence, number, issue_date) = CASE state WHEN 'FINAL' THEN 3 ELSE 0 END",
        name="numbered",
    ),
    # BR-FR-01 and 02: what an electronic invoice may have for a number.
    CheckConstraint("number ~ '^[A-Za-z0-9+/_-]{1,35}$'", name="number"),
    unique("series", "sequence"),
    unique("number"),
    # Lines and taxes refer to both, so that their subject is that of their invoice.
    unique("id", "patient_id"),
    index("patient_id", "id"),
    subject="patient_id",
    collection="invoices",
    reach=Reach(kept=_IS_FINAL),
    guards=("guard_invoice",),
)

invoice_line: Final[Table] = tenant_table(
    "invoice_line",
    metadata,
    column("invoice_id", Uuid, field=f"{_V1}.Invoice.lines", primary_key=True),
    column("position", Integer, internal="Its place on the invoice.", primary_key=True),
    column("patient_id", Uuid, internal=_SUBJECT),
    _text("description", "InvoiceLine.description"),
    column("quantity", BigInteger, field=f"{_V1}.InvoiceLine.quantity"),
    column("unit_price", BigInteger, field=f"{_V1}.InvoiceLine.unit_price"),
    *_treatment("InvoiceLine"),
    _amount("net", "InvoiceLine.net"),
    CheckConstraint("quantity > 0 AND unit_price >= 0 AND net >= 0", name="amounts"),
    _one_of("vat_category", "S", "Z", "E"),
    reference("invoice_id", "patient_id", to="invoice", columns_there=("id", "patient_id")),
    index("patient_id", "invoice_id"),
    subject="patient_id",
    collection="invoiceLines",
    reach=Reach(kept=_OF_FINAL),
    guards=("guard_invoice_line",),
)

invoice_tax: Final[Table] = tenant_table(
    "invoice_tax",
    metadata,
    column("invoice_id", Uuid, field=f"{_V1}.Invoice.tax_totals", primary_key=True),
    column("position", Integer, internal="Its place on the invoice.", primary_key=True),
    column("patient_id", Uuid, internal=_SUBJECT),
    *_treatment("TaxTotal"),
    _amount("basis", "TaxTotal.basis"),
    _amount("tax", "TaxTotal.tax"),
    CheckConstraint("basis >= 0 AND tax >= 0", name="amounts"),
    _one_of("vat_category", "S", "Z", "E"),
    reference("invoice_id", "patient_id", to="invoice", columns_there=("id", "patient_id")),
    index("patient_id", "invoice_id"),
    subject="patient_id",
    capture=False,
    reason="Computed from the lines, whose changes are recorded.",
    reach=Reach(kept=_OF_FINAL),
    guards=("guard_invoice_tax",),
)

invoice_series: Final[Table] = tenant_table(
    "invoice_series",
    metadata,
    column("series", Text, internal="A series of invoice numbers.", primary_key=True),
    column("last_sequence", BigInteger, internal="The last number taken."),
    column("last_issue_date", Date, internal="The day of the invoice that took it."),
    subject=None,
    capture=False,
    reason="It counts invoices, and each that takes a number is recorded.",
    writable=False,
)

receivable: Final[Table] = tenant_table(
    "receivable",
    metadata,
    column("invoice_id", Uuid, field=f"{_V1}.Invoice.name", primary_key=True),
    _amount("total", "Invoice.total"),
    column("allocated", BigInteger, internal="Paid so far.", server_default="0"),
    CheckConstraint("allocated >= 0 AND allocated <= total", name="allocated"),
    reference("invoice_id", to="invoice"),
    subject=None,
    capture=False,
    reason="It sums up an invoice and its allocations, which are recorded.",
    reach=Reach(through="invoice_id"),
    guards=("allocations_agree", "guard_receivable"),
)

payment: Final[Table] = tenant_table(
    "payment",
    metadata,
    column("id", Uuid, field=f"{_V1}.Payment.name", primary_key=True),
    column("patient_id", Uuid, field=f"{_V1}.Payment.patient", nullable=True),
    _amount("amount", "Payment.amount"),
    _currency("Payment.amount"),
    _text("means", "Payment.means"),
    column("received_on", Date, field=f"{_V1}.Payment.receive_date"),
    _text("reference", "Payment.reference"),
    column("allocated", BigInteger, field=f"{_V1}.Payment.unallocated", server_default="0"),
    _created_at("Payment"),
    _is_currency(),
    _one_of("means", "CASH", "CHEQUE", "CARD", "TRANSFER"),
    CheckConstraint("amount > 0 AND allocated >= 0 AND allocated <= amount", name="allocated"),
    index("patient_id", "id"),
    subject="patient_id",
    collection="payments",
    guards=("allocations_agree", "guard_payment"),
)

allocation: Final[Table] = tenant_table(
    "allocation",
    metadata,
    column("id", Uuid, internal="The row.", primary_key=True),
    column("payment_id", Uuid, field=f"{_V1}.Payment.allocations"),
    column("invoice_id", Uuid, field=f"{_V1}.Allocation.invoice"),
    column("patient_id", Uuid, internal=_SUBJECT),
    _amount("amount", "Allocation.amount"),
    _created_at("Allocation"),
    CheckConstraint("amount > 0", name="amount"),
    reference("payment_id", to="payment"),
    reference("invoice_id", "patient_id", to="invoice", columns_there=("id", "patient_id")),
    index("payment_id", "id"),
    index("invoice_id", "id"),
    index("patient_id", "id"),
    subject="patient_id",
    collection="allocations",
    guards=("allocations_agree", "refuse_change"),
)

ledger_account: Final[Table] = tenant_table(
    "ledger_account",
    metadata,
    column("account", Text, field=f"{_V1}.AccountBalance.name", primary_key=True),
    _currency("AccountBalance.debits", key=True),
    _amount("debits", "AccountBalance.debits"),
    _amount("credits", "AccountBalance.credits"),
    _is_currency(),
    CheckConstraint("debits >= 0 AND credits >= 0", name="sums"),
    subject=None,
    capture=False,
    reason="It sums up entries, which are recorded.",
    writable=False,
)

ledger_transaction: Final[Table] = tenant_table(
    "ledger_transaction",
    metadata,
    column("id", Uuid, field=f"{_V1}.LedgerEntry.transaction", primary_key=True),
    column("kind", Text, internal="What is posted."),
    column("source", Text, field=f"{_V1}.LedgerEntry.source"),
    _created_at("LedgerEntry"),
    _one_of("kind", "INVOICE", "PAYMENT", "ALLOCATION"),
    index("source", "id"),
    subject=None,
    collection="ledgerTransactions",
    writable=False,
    guards=("refuse_change",),
)

ledger_entry: Final[Table] = tenant_table(
    "ledger_entry",
    metadata,
    column("id", Uuid, field=f"{_V1}.LedgerEntry.name", primary_key=True),
    column("transaction_id", Uuid, field=f"{_V1}.LedgerEntry.transaction"),
    column("account", Text, field=f"{_V1}.LedgerEntry.account"),
    _currency("LedgerEntry.amount"),
    column("side", Text, field=f"{_V1}.LedgerEntry.side"),
    _amount("amount", "LedgerEntry.amount"),
    _one_of("side", "DEBIT", "CREDIT"),
    CheckConstraint("amount > 0", name="amount"),
    reference("transaction_id", to="ledger_transaction"),
    reference(
        "account",
        "currency_code",
        to="ledger_account",
        columns_there=("account", "currency_code"),
    ),
    index("account", "id"),
    index("transaction_id", "id"),
    subject=None,
    collection="ledgerEntries",
    writable=False,
    guards=("adds_up", "refuse_change"),
)

receipt_tables(metadata)
restriction_tables(metadata)
