import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.type import money_pb2 as _money_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PaymentMeans(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYMENT_MEANS_UNSPECIFIED: _ClassVar[PaymentMeans]
    PAYMENT_MEANS_CASH: _ClassVar[PaymentMeans]
    PAYMENT_MEANS_CHEQUE: _ClassVar[PaymentMeans]
    PAYMENT_MEANS_CARD: _ClassVar[PaymentMeans]
    PAYMENT_MEANS_TRANSFER: _ClassVar[PaymentMeans]
PAYMENT_MEANS_UNSPECIFIED: PaymentMeans
PAYMENT_MEANS_CASH: PaymentMeans
PAYMENT_MEANS_CHEQUE: PaymentMeans
PAYMENT_MEANS_CARD: PaymentMeans
PAYMENT_MEANS_TRANSFER: PaymentMeans

class Payment(_message.Message):
    __slots__ = ("name", "patient", "amount", "means", "receive_date", "reference", "allocations", "unallocated", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    MEANS_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    ALLOCATIONS_FIELD_NUMBER: _ClassVar[int]
    UNALLOCATED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    amount: _money_pb2.Money
    means: PaymentMeans
    receive_date: _date_pb2.Date
    reference: str
    allocations: _containers.RepeatedCompositeFieldContainer[Allocation]
    unallocated: _money_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., means: _Optional[_Union[PaymentMeans, str]] = ..., receive_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reference: _Optional[str] = ..., allocations: _Optional[_Iterable[_Union[Allocation, _Mapping]]] = ..., unallocated: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Allocation(_message.Message):
    __slots__ = ("invoice", "amount", "create_time")
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    invoice: str
    amount: _money_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, invoice: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
