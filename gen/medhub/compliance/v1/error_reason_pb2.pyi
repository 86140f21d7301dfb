from medhub.options.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_TREE_SIZE_BEYOND_LOG: _ClassVar[ErrorReason]
    ERROR_REASON_LEAF_INDEX_BEYOND_TREE: _ClassVar[ErrorReason]
    ERROR_REASON_CONSISTENCY_FROM_EMPTY_TREE: _ClassVar[ErrorReason]
    ERROR_REASON_EVENT_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_KEY_DESTROYED: _ClassVar[ErrorReason]
    ERROR_REASON_SOURCE_NOT_YOURS: _ClassVar[ErrorReason]
    ERROR_REASON_ACCESS_PACKAGE_NOT_READY: _ClassVar[ErrorReason]
    ERROR_REASON_ERASURE_NOT_PLANNED: _ClassVar[ErrorReason]
    ERROR_REASON_RESTRICTION_NOT_ACTIVE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_TREE_SIZE_BEYOND_LOG: ErrorReason
ERROR_REASON_LEAF_INDEX_BEYOND_TREE: ErrorReason
ERROR_REASON_CONSISTENCY_FROM_EMPTY_TREE: ErrorReason
ERROR_REASON_EVENT_CONFLICT: ErrorReason
ERROR_REASON_KEY_DESTROYED: ErrorReason
ERROR_REASON_SOURCE_NOT_YOURS: ErrorReason
ERROR_REASON_ACCESS_PACKAGE_NOT_READY: ErrorReason
ERROR_REASON_ERASURE_NOT_PLANNED: ErrorReason
ERROR_REASON_RESTRICTION_NOT_ACTIVE: ErrorReason
