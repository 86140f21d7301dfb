from medhub.options.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_FACT_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_FACT_SOURCE_NOT_YOURS: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_CELLS: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_FACT_CONFLICT: ErrorReason
ERROR_REASON_FACT_SOURCE_NOT_YOURS: ErrorReason
ERROR_REASON_TOO_MANY_CELLS: ErrorReason
