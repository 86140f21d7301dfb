"""Rows of an invoice to the domain's value, and the parameters of the reverse."""

from typing import Any, Final

from billing.domain.invoices import (
    Buyer,
    Invoice,
    Line,
    State,
    TaxTotal,
    Terms,
    Treatment,
    VatCategory,
)
from core.database import Row

# An invoice as a list shows it; `i` is its row and `r` what is receivable of it.
COLUMNS: Final = """i.id, i.patient_id, i.buyer_display_name, i.buyer_street,
    i.buyer_postal_code, i.buyer_city, i.buyer_country_code, i.currency_code, i.series, i.due_date,
    i.net_total, i.tax_total, i.state, i.number, i.issue_date, i.created_at, i.updated_at,
    i.revision, r.allocated"""
RECEIVABLE: Final = "LEFT JOIN receivable r ON r.invoice_id = i.id"

# Lines and taxes come along as arrays, so that one statement shows a whole invoice.
PART_COLUMNS: Final = """l.descriptions, l.quantities, l.unit_prices, l.line_categories,
    l.line_rates, l.line_codes, t.tax_categories, t.tax_rates, t.tax_codes, t.bases, t.taxes"""
PARTS: Final = """LEFT JOIN LATERAL (
    SELECT array_agg(x.description ORDER BY x.position) AS descriptions,
        array_agg(x.quantity ORDER BY x.position) AS quantities,
        array_agg(x.unit_price ORDER BY x.position) AS unit_prices,
        array_agg(x.vat_category ORDER BY x.position) AS line_categories,
        array_agg(x.vat_rate ORDER BY x.position) AS line_rates,
        array_agg(x.exemption_code ORDER BY x.position) AS line_codes
    FROM invoice_line x WHERE x.invoice_id = i.id) l ON true
LEFT JOIN LATERAL (
    SELECT array_agg(x.vat_category ORDER BY x.position) AS tax_categories,
        array_agg(x.vat_rate ORDER BY x.position) AS tax_rates,
        array_agg(x.exemption_code ORDER BY x.position) AS tax_codes,
        array_agg(x.basis ORDER BY x.position) AS bases,
        array_agg(x.tax ORDER BY x.position) AS taxes
    FROM invoice_tax x WHERE x.invoice_id = i.id) t ON true"""


def listed_of(row: Row) -> Invoice:
    """The invoice in a row of COLUMNS, without its lines and taxes."""
    return _invoice(row, (), ())


def invoice_of(row: Row) -> Invoice:
    """The invoice in a row of COLUMNS and PART_COLUMNS."""
    return _invoice(row, _lines(row), _taxes(row))


def _invoice(row: Row, lines: tuple[Line, ...], taxes: tuple[TaxTotal, ...]) -> Invoice:
    buyer = Buyer(
        row.buyer_display_name,
        row.buyer_street,
        row.buyer_postal_code,
        row.buyer_city,
        row.buyer_country_code,
    )
    return Invoice(
        id=row.id,
        patient_id=row.patient_id,
        currency=row.currency_code,
        terms=Terms(buyer, row.series, lines, row.due_date),
        taxes=taxes,
        net_total=row.net_total,
        tax_total=row.tax_total,
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=State(row.state),
        number=row.number or "",
        issue_date=row.issue_date,
        allocated=row.allocated or 0,
        revision=row.revision,
    )


def _lines(row: Row) -> tuple[Line, ...]:
    parts = zip(
        row.descriptions, row.quantities, row.unit_prices,
        row.line_categories, row.line_rates, row.line_codes, strict=True,
    )  # fmt: skip
    return tuple(
        Line(description, quantity, price, Treatment(VatCategory(category), rate, code))
        for description, quantity, price, category, rate, code in parts
    )


def _taxes(row: Row) -> tuple[TaxTotal, ...]:
    parts = zip(row.tax_categories, row.tax_rates, row.tax_codes, row.bases, row.taxes, strict=True)
    return tuple(
        TaxTotal(Treatment(VatCategory(category), rate, code), basis, tax)
        for category, rate, code, basis, tax in parts
    )


def own_parameters(invoice: Invoice) -> dict[str, Any]:
    """The columns of the invoice's own row that a draft sets."""
    terms = invoice.terms
    return {
        "id": invoice.id,
        "patient_id": invoice.patient_id,
        "buyer_display_name": terms.buyer.display_name,
        "buyer_street": terms.buyer.street,
        "buyer_postal_code": terms.buyer.postal_code,
        "buyer_city": terms.buyer.city,
        "buyer_country_code": terms.buyer.country_code,
        "series": terms.series,
        "due_date": terms.due_date,
        "net_total": invoice.net_total,
        "tax_total": invoice.tax_total,
        "updated_at": invoice.updated_at,
        "revision": invoice.revision,
    }


def part_parameters(invoice: Invoice) -> dict[str, list[Any]]:
    """The rows of its lines and taxes, as one array a column."""
    lines, taxes = invoice.terms.lines, invoice.taxes
    return {
        "descriptions": [one.description for one in lines],
        "quantities": [one.quantity for one in lines],
        "unit_prices": [one.unit_price for one in lines],
        "line_categories": [one.treatment.category.value for one in lines],
        "line_rates": [one.treatment.rate for one in lines],
        "line_codes": [one.treatment.exemption_code for one in lines],
        "nets": [one.net(invoice.currency) for one in lines],
        "tax_categories": [one.treatment.category.value for one in taxes],
        "tax_rates": [one.treatment.rate for one in taxes],
        "tax_codes": [one.treatment.exemption_code for one in taxes],
        "bases": [one.basis for one in taxes],
        "taxes": [one.tax for one in taxes],
    }
