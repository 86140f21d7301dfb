import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.type import decimal_pb2 as _decimal_pb2
from google.type import money_pb2 as _money_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvoiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_STATE_UNSPECIFIED: _ClassVar[InvoiceState]
    INVOICE_STATE_DRAFT: _ClassVar[InvoiceState]
    INVOICE_STATE_FINAL: _ClassVar[InvoiceState]

class VatCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VAT_CATEGORY_UNSPECIFIED: _ClassVar[VatCategory]
    VAT_CATEGORY_STANDARD: _ClassVar[VatCategory]
    VAT_CATEGORY_ZERO: _ClassVar[VatCategory]
    VAT_CATEGORY_EXEMPT: _ClassVar[VatCategory]
INVOICE_STATE_UNSPECIFIED: InvoiceState
INVOICE_STATE_DRAFT: InvoiceState
INVOICE_STATE_FINAL: InvoiceState
VAT_CATEGORY_UNSPECIFIED: VatCategory
VAT_CATEGORY_STANDARD: VatCategory
VAT_CATEGORY_ZERO: VatCategory
VAT_CATEGORY_EXEMPT: VatCategory

class Invoice(_message.Message):
    __slots__ = ("name", "patient", "buyer", "currency_code", "series", "due_date", "lines", "tax_totals", "net_total", "tax_total", "total", "open", "state", "number", "issue_date", "create_time", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    BUYER_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    DUE_DATE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    TAX_TOTALS_FIELD_NUMBER: _ClassVar[int]
    NET_TOTAL_FIELD_NUMBER: _ClassVar[int]
    TAX_TOTAL_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUE_DATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    buyer: Buyer
    currency_code: str
    series: str
    due_date: _date_pb2.Date
    lines: _containers.RepeatedCompositeFieldContainer[InvoiceLine]
    tax_totals: _containers.RepeatedCompositeFieldContainer[TaxTotal]
    net_total: _money_pb2.Money
    tax_total: _money_pb2.Money
    total: _money_pb2.Money
    open: _money_pb2.Money
    state: InvoiceState
    number: str
    issue_date: _date_pb2.Date
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., buyer: _Optional[_Union[Buyer, _Mapping]] = ..., currency_code: _Optional[str] = ..., series: _Optional[str] = ..., due_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[InvoiceLine, _Mapping]]] = ..., tax_totals: _Optional[_Iterable[_Union[TaxTotal, _Mapping]]] = ..., net_total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., tax_total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., open: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., state: _Optional[_Union[InvoiceState, str]] = ..., number: _Optional[str] = ..., issue_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class Buyer(_message.Message):
    __slots__ = ("display_name", "street", "postal_code", "city", "country_code")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STREET_FIELD_NUMBER: _ClassVar[int]
    POSTAL_CODE_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_CODE_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    street: str
    postal_code: str
    city: str
    country_code: str
    def __init__(self, display_name: _Optional[str] = ..., street: _Optional[str] = ..., postal_code: _Optional[str] = ..., city: _Optional[str] = ..., country_code: _Optional[str] = ...) -> None: ...

class InvoiceLine(_message.Message):
    __slots__ = ("description", "quantity", "unit_price", "vat_category", "vat_rate", "exemption_code", "net")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    VAT_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VAT_RATE_FIELD_NUMBER: _ClassVar[int]
    EXEMPTION_CODE_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    description: str
    quantity: _decimal_pb2.Decimal
    unit_price: _money_pb2.Money
    vat_category: VatCategory
    vat_rate: _decimal_pb2.Decimal
    exemption_code: str
    net: _money_pb2.Money
    def __init__(self, description: _Optional[str] = ..., quantity: _Optional[_Union[_decimal_pb2.Decimal, _Mapping]] = ..., unit_price: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., vat_category: _Optional[_Union[VatCategory, str]] = ..., vat_rate: _Optional[_Union[_decimal_pb2.Decimal, _Mapping]] = ..., exemption_code: _Optional[str] = ..., net: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class TaxTotal(_message.Message):
    __slots__ = ("vat_category", "vat_rate", "exemption_code", "basis", "tax")
    VAT_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VAT_RATE_FIELD_NUMBER: _ClassVar[int]
    EXEMPTION_CODE_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    TAX_FIELD_NUMBER: _ClassVar[int]
    vat_category: VatCategory
    vat_rate: _decimal_pb2.Decimal
    exemption_code: str
    basis: _money_pb2.Money
    tax: _money_pb2.Money
    def __init__(self, vat_category: _Optional[_Union[VatCategory, str]] = ..., vat_rate: _Optional[_Union[_decimal_pb2.Decimal, _Mapping]] = ..., exemption_code: _Optional[str] = ..., basis: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., tax: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...
