from medhub.options.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_CREDENTIALS: _ClassVar[ErrorReason]
    ERROR_REASON_REFRESH_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_ASSERTION_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_A_MEMBER: _ClassVar[ErrorReason]
    ERROR_REASON_ALREADY_A_MEMBER: _ClassVar[ErrorReason]
    ERROR_REASON_ROLE_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_ESCALATION_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_LAST_ADMINISTRATOR: _ClassVar[ErrorReason]
    ERROR_REASON_ACTIVATION_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_PASSWORD_TOO_COMMON: _ClassVar[ErrorReason]
    ERROR_REASON_REVISION_OUT_OF_RANGE: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_KEYS: _ClassVar[ErrorReason]
    ERROR_REASON_LAST_KEY: _ClassVar[ErrorReason]
    ERROR_REASON_FEDERATION_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_IDENTITY_NOT_LINKED: _ClassVar[ErrorReason]
    ERROR_REASON_IDENTITY_TAKEN: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_UNREACHABLE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_CREDENTIALS: ErrorReason
ERROR_REASON_REFRESH_REFUSED: ErrorReason
ERROR_REASON_TOKEN_INVALID: ErrorReason
ERROR_REASON_ASSERTION_REFUSED: ErrorReason
ERROR_REASON_NOT_A_MEMBER: ErrorReason
ERROR_REASON_ALREADY_A_MEMBER: ErrorReason
ERROR_REASON_ROLE_EXISTS: ErrorReason
ERROR_REASON_ESCALATION_REFUSED: ErrorReason
ERROR_REASON_LAST_ADMINISTRATOR: ErrorReason
ERROR_REASON_ACTIVATION_REFUSED: ErrorReason
ERROR_REASON_PASSWORD_TOO_COMMON: ErrorReason
ERROR_REASON_REVISION_OUT_OF_RANGE: ErrorReason
ERROR_REASON_TOO_MANY_KEYS: ErrorReason
ERROR_REASON_LAST_KEY: ErrorReason
ERROR_REASON_FEDERATION_REFUSED: ErrorReason
ERROR_REASON_IDENTITY_NOT_LINKED: ErrorReason
ERROR_REASON_IDENTITY_TAKEN: ErrorReason
ERROR_REASON_PROVIDER_UNREACHABLE: ErrorReason
