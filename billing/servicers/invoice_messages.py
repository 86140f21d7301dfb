"""Invoices between the wire and the domain."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from billing.domain.invoices import (
    PRICE_UNIT,
    QUANTITY_UNIT,
    RATE_UNIT,
    Buyer,
    Invoice,
    Line,
    State,
    TaxTotal,
    Terms,
    Treatment,
    VatCategory,
)
from billing.servicers.amounts import (
    decimal_from_proto,
    decimal_to_proto,
    money_to_proto,
    price_from_proto,
    price_to_proto,
)
from billing.servicers.texts import text_from_proto
from billing.servicers.times import date_from_proto, date_to_proto, time_to_proto
from core.errors import InvalidField
from core.ids import name_of
from medhub.billing.v1 import invoice_pb2

_CATEGORY: Final[dict[VatCategory, Any]] = {
    VatCategory.STANDARD: invoice_pb2.VAT_CATEGORY_STANDARD,
    VatCategory.ZERO: invoice_pb2.VAT_CATEGORY_ZERO,
    VatCategory.EXEMPT: invoice_pb2.VAT_CATEGORY_EXEMPT,
}
_CATEGORY_BACK: Final = {number: one for one, number in _CATEGORY.items()}
_STATE: Final[dict[State, Any]] = {
    one: invoice_pb2.InvoiceState.Value(f"INVOICE_STATE_{one.value}") for one in State
}
_CHANGEABLE: Final = frozenset({"buyer", "series", "due_date", "lines"})
# AIP-203: what is output only or fixed may stand in a mask and is ignored.
_IGNORED: Final = frozenset(invoice_pb2.Invoice.DESCRIPTOR.fields_by_name) - _CHANGEABLE


def invoice_to_proto(invoice: Invoice) -> invoice_pb2.Invoice:
    """An invoice, with the lines and taxes that it was read with."""
    currency, terms = invoice.currency, invoice.terms
    is_final = invoice.state is State.FINAL
    return invoice_pb2.Invoice(
        name=name_of("invoices", invoice.id),
        patient=name_of("patients", invoice.patient_id),
        buyer=_buyer_to_proto(terms.buyer),
        currency_code=currency,
        series=terms.series,
        due_date=date_to_proto(terms.due_date),
        lines=[_line_to_proto(one, currency) for one in terms.lines],
        tax_totals=[_tax_to_proto(one, currency) for one in invoice.taxes],
        net_total=money_to_proto(invoice.net_total, currency),
        tax_total=money_to_proto(invoice.tax_total, currency),
        total=money_to_proto(invoice.total, currency),
        open=money_to_proto(invoice.open, currency) if is_final else None,
        state=_STATE[invoice.state],
        number=invoice.number,
        issue_date=date_to_proto(invoice.issue_date),
        create_time=time_to_proto(invoice.created_at),
        update_time=time_to_proto(invoice.updated_at),
        etag=invoice.etag,
    )


def terms_from_proto(message: invoice_pb2.Invoice, currency: str) -> Terms:
    """What may be changed of a draft in this currency. Raises InvalidField."""
    return Terms(
        buyer=_buyer_from_proto(message.buyer),
        series=message.series,
        lines=_lines_from_proto(message.lines, currency),
        due_date=date_from_proto(message.due_date, "invoice.due_date"),
    )


def changed_by(invoice: Invoice, message: invoice_pb2.Invoice, mask: FieldMask) -> Terms:
    """The terms with the fields that the mask names; without one, all that are set (AIP-134).

    Raises InvalidField for a field that there is not, and for another patient or currency than the
    invoice is of: those are fixed.
    """
    named = set(mask.paths) or {field.name for field, _ in message.ListFields()}
    if "*" in named:
        named = set(_CHANGEABLE)
    if named - _CHANGEABLE - _IGNORED:
        raise InvalidField(field="update_mask", rule="field_mask")
    fixed = {"patient": name_of("patients", invoice.patient_id), "currency_code": invoice.currency}
    for field in sorted(named & fixed.keys()):
        if getattr(message, field) != fixed[field]:
            raise InvalidField(field=f"invoice.{field}", rule="immutable")
    # What the mask leaves out is not even looked at.
    sent = invoice_pb2.Invoice()
    FieldMask(paths=sorted(named & _CHANGEABLE)).MergeMessage(message, sent)
    terms = terms_from_proto(sent, invoice.currency)
    return replace(invoice.terms, **{name: getattr(terms, name) for name in named & _CHANGEABLE})


def _lines_from_proto(
    messages: Iterable[invoice_pb2.InvoiceLine], currency: str
) -> tuple[Line, ...]:
    return tuple(
        _line_from_proto(message, currency, f"invoice.lines[{index}]")
        for index, message in enumerate(messages)
    )


def _line_from_proto(message: invoice_pb2.InvoiceLine, currency: str, at: str) -> Line:
    quantity = decimal_from_proto(message.quantity, QUANTITY_UNIT, f"{at}.quantity")
    if not quantity:
        # Credits are documents of their own, so nothing is charged less than once.
        raise InvalidField(field=f"{at}.quantity", rule="positive")
    description = text_from_proto(message.description, f"{at}.description")
    if not description:
        raise InvalidField(field=f"{at}.description", rule="required")
    return Line(
        description=description,
        quantity=quantity,
        unit_price=price_from_proto(message.unit_price, PRICE_UNIT, currency, f"{at}.unit_price"),
        treatment=Treatment(
            _CATEGORY_BACK[message.vat_category],
            decimal_from_proto(message.vat_rate, RATE_UNIT, f"{at}.vat_rate"),
            message.exemption_code,
        ),
    )


def _line_to_proto(line: Line, currency: str) -> invoice_pb2.InvoiceLine:
    return invoice_pb2.InvoiceLine(
        description=line.description,
        quantity=decimal_to_proto(line.quantity, QUANTITY_UNIT),
        unit_price=price_to_proto(line.unit_price, PRICE_UNIT, currency),
        vat_category=_CATEGORY[line.treatment.category],
        vat_rate=decimal_to_proto(line.treatment.rate, RATE_UNIT),
        exemption_code=line.treatment.exemption_code,
        net=money_to_proto(line.net(currency), currency),
    )


def _tax_to_proto(total: TaxTotal, currency: str) -> invoice_pb2.TaxTotal:
    return invoice_pb2.TaxTotal(
        vat_category=_CATEGORY[total.treatment.category],
        vat_rate=decimal_to_proto(total.treatment.rate, RATE_UNIT),
        exemption_code=total.treatment.exemption_code,
        basis=money_to_proto(total.basis, currency),
        tax=money_to_proto(total.tax, currency),
    )


def _buyer_to_proto(buyer: Buyer) -> invoice_pb2.Buyer:
    return invoice_pb2.Buyer(
        display_name=buyer.display_name,
        street=buyer.street,
        postal_code=buyer.postal_code,
        city=buyer.city,
        country_code=buyer.country_code,
    )


def _buyer_from_proto(message: invoice_pb2.Buyer) -> Buyer:
    at = "invoice.buyer"
    return Buyer(
        display_name=text_from_proto(message.display_name, f"{at}.display_name"),
        street=text_from_proto(message.street, f"{at}.street"),
        postal_code=text_from_proto(message.postal_code, f"{at}.postal_code"),
        city=text_from_proto(message.city, f"{at}.city"),
        country_code=message.country_code,
    )
