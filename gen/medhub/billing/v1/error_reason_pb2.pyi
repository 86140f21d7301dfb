from medhub.options.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVOICE_FINAL: _ClassVar[ErrorReason]
    ERROR_REASON_ISSUE_DATE_OUT_OF_ORDER: _ClassVar[ErrorReason]
    ERROR_REASON_INVOICE_NOT_FINAL: _ClassVar[ErrorReason]
    ERROR_REASON_CURRENCY_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_PAYMENT_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_INVOICE_EXCEEDED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVOICE_FINAL: ErrorReason
ERROR_REASON_ISSUE_DATE_OUT_OF_ORDER: ErrorReason
ERROR_REASON_INVOICE_NOT_FINAL: ErrorReason
ERROR_REASON_CURRENCY_MISMATCH: ErrorReason
ERROR_REASON_PAYMENT_EXCEEDED: ErrorReason
ERROR_REASON_INVOICE_EXCEEDED: ErrorReason
