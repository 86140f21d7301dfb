import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccessGrantKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_GRANT_KIND_UNSPECIFIED: _ClassVar[AccessGrantKind]
    ACCESS_GRANT_KIND_EXPLICIT: _ClassVar[AccessGrantKind]
    ACCESS_GRANT_KIND_BREAK_GLASS: _ClassVar[AccessGrantKind]

class AccessGrantState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_GRANT_STATE_UNSPECIFIED: _ClassVar[AccessGrantState]
    ACCESS_GRANT_STATE_PENDING: _ClassVar[AccessGrantState]
    ACCESS_GRANT_STATE_OPEN: _ClassVar[AccessGrantState]
    ACCESS_GRANT_STATE_ENDED: _ClassVar[AccessGrantState]
    ACCESS_GRANT_STATE_REVOKED: _ClassVar[AccessGrantState]

class BreakGlassFinding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_GLASS_FINDING_UNSPECIFIED: _ClassVar[BreakGlassFinding]
    BREAK_GLASS_FINDING_JUSTIFIED: _ClassVar[BreakGlassFinding]
    BREAK_GLASS_FINDING_NOT_JUSTIFIED: _ClassVar[BreakGlassFinding]
ACCESS_GRANT_KIND_UNSPECIFIED: AccessGrantKind
ACCESS_GRANT_KIND_EXPLICIT: AccessGrantKind
ACCESS_GRANT_KIND_BREAK_GLASS: AccessGrantKind
ACCESS_GRANT_STATE_UNSPECIFIED: AccessGrantState
ACCESS_GRANT_STATE_PENDING: AccessGrantState
ACCESS_GRANT_STATE_OPEN: AccessGrantState
ACCESS_GRANT_STATE_ENDED: AccessGrantState
ACCESS_GRANT_STATE_REVOKED: AccessGrantState
BREAK_GLASS_FINDING_UNSPECIFIED: BreakGlassFinding
BREAK_GLASS_FINDING_JUSTIFIED: BreakGlassFinding
BREAK_GLASS_FINDING_NOT_JUSTIFIED: BreakGlassFinding

class AccessGrant(_message.Message):
    __slots__ = ("name", "grantee", "patient", "kind", "reason", "start_time", "end_time", "granted_by", "state", "create_time", "revoke_time", "finding", "finding_note", "reviewed_by", "review_time", "etag", "auth_revision")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GRANTEE_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    FINDING_NOTE_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_BY_FIELD_NUMBER: _ClassVar[int]
    REVIEW_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    AUTH_REVISION_FIELD_NUMBER: _ClassVar[int]
    name: str
    grantee: str
    patient: str
    kind: AccessGrantKind
    reason: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    granted_by: str
    state: AccessGrantState
    create_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    finding: BreakGlassFinding
    finding_note: str
    reviewed_by: str
    review_time: _timestamp_pb2.Timestamp
    etag: str
    auth_revision: int
    def __init__(self, name: _Optional[str] = ..., grantee: _Optional[str] = ..., patient: _Optional[str] = ..., kind: _Optional[_Union[AccessGrantKind, str]] = ..., reason: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., granted_by: _Optional[str] = ..., state: _Optional[_Union[AccessGrantState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finding: _Optional[_Union[BreakGlassFinding, str]] = ..., finding_note: _Optional[str] = ..., reviewed_by: _Optional[str] = ..., review_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., auth_revision: _Optional[int] = ...) -> None: ...
