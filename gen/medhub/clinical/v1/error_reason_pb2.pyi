from medhub.options.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_IDENTIFIER_TAKEN: _ClassVar[ErrorReason]
    ERROR_REASON_INS_NOT_ALLOWED_HERE: _ClassVar[ErrorReason]
    ERROR_REASON_MERGE_WITH_ITSELF: _ClassVar[ErrorReason]
    ERROR_REASON_MERGE_INVERTED: _ClassVar[ErrorReason]
    ERROR_REASON_PATIENT_MERGED: _ClassVar[ErrorReason]
    ERROR_REASON_PATIENT_NOT_DELETED: _ClassVar[ErrorReason]
    ERROR_REASON_CARE_LINK_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_PRACTITIONER_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_UNIT_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_ENDPOINT_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_ENDPOINT_NOT_YOURS: _ClassVar[ErrorReason]
    ERROR_REASON_SELF_ENTITLEMENT_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_PATIENT_DELETED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_IDENTIFIER_TAKEN: ErrorReason
ERROR_REASON_INS_NOT_ALLOWED_HERE: ErrorReason
ERROR_REASON_MERGE_WITH_ITSELF: ErrorReason
ERROR_REASON_MERGE_INVERTED: ErrorReason
ERROR_REASON_PATIENT_MERGED: ErrorReason
ERROR_REASON_PATIENT_NOT_DELETED: ErrorReason
ERROR_REASON_CARE_LINK_EXISTS: ErrorReason
ERROR_REASON_PRACTITIONER_EXISTS: ErrorReason
ERROR_REASON_UNIT_EXISTS: ErrorReason
ERROR_REASON_ENDPOINT_EXISTS: ErrorReason
ERROR_REASON_ENDPOINT_NOT_YOURS: ErrorReason
ERROR_REASON_SELF_ENTITLEMENT_REFUSED: ErrorReason
ERROR_REASON_PATIENT_DELETED: ErrorReason
