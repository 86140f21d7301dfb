import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.auth.v1 import membership_pb2 as _membership_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEY_STATE_UNSPECIFIED: _ClassVar[KeyState]
    KEY_STATE_ACTIVE: _ClassVar[KeyState]
    KEY_STATE_RETIRED: _ClassVar[KeyState]
    KEY_STATE_REVOKED: _ClassVar[KeyState]
KEY_STATE_UNSPECIFIED: KeyState
KEY_STATE_ACTIVE: KeyState
KEY_STATE_RETIRED: KeyState
KEY_STATE_REVOKED: KeyState

class StateEvent(_message.Message):
    __slots__ = ("session_revoked", "subject_epoch", "membership_changed", "organization_epoch", "key_changed", "role_changed", "access_grant_changed", "membership_epoch", "global_epoch")
    SESSION_REVOKED_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_EPOCH_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_EPOCH_FIELD_NUMBER: _ClassVar[int]
    KEY_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ROLE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ACCESS_GRANT_CHANGED_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_EPOCH_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_EPOCH_FIELD_NUMBER: _ClassVar[int]
    session_revoked: SessionRevoked
    subject_epoch: SubjectEpoch
    membership_changed: MembershipChanged
    organization_epoch: OrganizationEpoch
    key_changed: KeyChanged
    role_changed: RoleChanged
    access_grant_changed: AccessGrantChanged
    membership_epoch: MembershipEpoch
    global_epoch: GlobalEpoch
    def __init__(self, session_revoked: _Optional[_Union[SessionRevoked, _Mapping]] = ..., subject_epoch: _Optional[_Union[SubjectEpoch, _Mapping]] = ..., membership_changed: _Optional[_Union[MembershipChanged, _Mapping]] = ..., organization_epoch: _Optional[_Union[OrganizationEpoch, _Mapping]] = ..., key_changed: _Optional[_Union[KeyChanged, _Mapping]] = ..., role_changed: _Optional[_Union[RoleChanged, _Mapping]] = ..., access_grant_changed: _Optional[_Union[AccessGrantChanged, _Mapping]] = ..., membership_epoch: _Optional[_Union[MembershipEpoch, _Mapping]] = ..., global_epoch: _Optional[_Union[GlobalEpoch, _Mapping]] = ...) -> None: ...

class SessionRevoked(_message.Message):
    __slots__ = ("session_id", "forget_time")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    FORGET_TIME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    forget_time: _timestamp_pb2.Timestamp
    def __init__(self, session_id: _Optional[str] = ..., forget_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubjectEpoch(_message.Message):
    __slots__ = ("subject_id", "epoch", "forget_time")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FORGET_TIME_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    epoch: int
    forget_time: _timestamp_pb2.Timestamp
    def __init__(self, subject_id: _Optional[str] = ..., epoch: _Optional[int] = ..., forget_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MembershipChanged(_message.Message):
    __slots__ = ("subject_id", "organization_id", "roles", "ended", "bindings")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    organization_id: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    ended: bool
    bindings: _containers.RepeatedCompositeFieldContainer[_membership_pb2.RoleBinding]
    def __init__(self, subject_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., ended: _Optional[bool] = ..., bindings: _Optional[_Iterable[_Union[_membership_pb2.RoleBinding, _Mapping]]] = ...) -> None: ...

class OrganizationEpoch(_message.Message):
    __slots__ = ("organization_id", "epoch", "suspended")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    epoch: int
    suspended: bool
    def __init__(self, organization_id: _Optional[str] = ..., epoch: _Optional[int] = ..., suspended: _Optional[bool] = ...) -> None: ...

class MembershipEpoch(_message.Message):
    __slots__ = ("subject_id", "organization_id", "epoch", "forget_time")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FORGET_TIME_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    organization_id: str
    epoch: int
    forget_time: _timestamp_pb2.Timestamp
    def __init__(self, subject_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., epoch: _Optional[int] = ..., forget_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GlobalEpoch(_message.Message):
    __slots__ = ("epoch",)
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    def __init__(self, epoch: _Optional[int] = ...) -> None: ...

class KeyChanged(_message.Message):
    __slots__ = ("kid", "algorithm", "public_key", "state", "not_after")
    KID_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    kid: str
    algorithm: str
    public_key: bytes
    state: KeyState
    not_after: _timestamp_pb2.Timestamp
    def __init__(self, kid: _Optional[str] = ..., algorithm: _Optional[str] = ..., public_key: _Optional[bytes] = ..., state: _Optional[_Union[KeyState, str]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RoleChanged(_message.Message):
    __slots__ = ("organization_id", "role", "permissions")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    role: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, organization_id: _Optional[str] = ..., role: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ...) -> None: ...

class AccessGrantChanged(_message.Message):
    __slots__ = ("grant_id", "subject_id", "organization_id", "patient_id", "break_glass", "start_time", "end_time", "revoked")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    subject_id: str
    organization_id: str
    patient_id: str
    break_glass: bool
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    revoked: bool
    def __init__(self, grant_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., break_glass: _Optional[bool] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoked: _Optional[bool] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("revision", "events", "last", "history")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    revision: int
    events: _containers.RepeatedCompositeFieldContainer[StateEvent]
    last: bool
    history: str
    def __init__(self, revision: _Optional[int] = ..., events: _Optional[_Iterable[_Union[StateEvent, _Mapping]]] = ..., last: _Optional[bool] = ..., history: _Optional[str] = ...) -> None: ...

class Delta(_message.Message):
    __slots__ = ("previous_revision", "revision", "events")
    PREVIOUS_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    previous_revision: int
    revision: int
    events: _containers.RepeatedCompositeFieldContainer[StateEvent]
    def __init__(self, previous_revision: _Optional[int] = ..., revision: _Optional[int] = ..., events: _Optional[_Iterable[_Union[StateEvent, _Mapping]]] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("revision", "probe", "as_of", "history")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    revision: int
    probe: int
    as_of: _timestamp_pb2.Timestamp
    history: str
    def __init__(self, revision: _Optional[int] = ..., probe: _Optional[int] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., history: _Optional[str] = ...) -> None: ...
