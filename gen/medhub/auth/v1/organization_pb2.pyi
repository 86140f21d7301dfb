import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrganizationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORGANIZATION_STATE_UNSPECIFIED: _ClassVar[OrganizationState]
    ORGANIZATION_STATE_ACTIVE: _ClassVar[OrganizationState]
    ORGANIZATION_STATE_SUSPENDED: _ClassVar[OrganizationState]
ORGANIZATION_STATE_UNSPECIFIED: OrganizationState
ORGANIZATION_STATE_ACTIVE: OrganizationState
ORGANIZATION_STATE_SUSPENDED: OrganizationState

class Organization(_message.Message):
    __slots__ = ("name", "display_name", "state", "test", "create_time", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    state: OrganizationState
    test: bool
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., state: _Optional[_Union[OrganizationState, str]] = ..., test: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class OrganizationSettings(_message.Message):
    __slots__ = ("name", "mfa_required", "allowed_factors", "session_life", "session_idle", "self_registration", "registration_domains", "registration_roles", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MFA_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FACTORS_FIELD_NUMBER: _ClassVar[int]
    SESSION_LIFE_FIELD_NUMBER: _ClassVar[int]
    SESSION_IDLE_FIELD_NUMBER: _ClassVar[int]
    SELF_REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_DOMAINS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_ROLES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    mfa_required: bool
    allowed_factors: _containers.RepeatedScalarFieldContainer[str]
    session_life: _duration_pb2.Duration
    session_idle: _duration_pb2.Duration
    self_registration: bool
    registration_domains: _containers.RepeatedScalarFieldContainer[str]
    registration_roles: _containers.RepeatedScalarFieldContainer[str]
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., mfa_required: _Optional[bool] = ..., allowed_factors: _Optional[_Iterable[str]] = ..., session_life: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., session_idle: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., self_registration: _Optional[bool] = ..., registration_domains: _Optional[_Iterable[str]] = ..., registration_roles: _Optional[_Iterable[str]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class OrganizationDashboard(_message.Message):
    __slots__ = ("name", "active_members", "suspended_members", "open_invitations", "expired_invitations", "roles", "live_sessions", "last_login_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OPEN_INVITATIONS_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_INVITATIONS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    LIVE_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    LAST_LOGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    active_members: int
    suspended_members: int
    open_invitations: int
    expired_invitations: int
    roles: _containers.RepeatedCompositeFieldContainer[RoleHolders]
    live_sessions: int
    last_login_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., active_members: _Optional[int] = ..., suspended_members: _Optional[int] = ..., open_invitations: _Optional[int] = ..., expired_invitations: _Optional[int] = ..., roles: _Optional[_Iterable[_Union[RoleHolders, _Mapping]]] = ..., live_sessions: _Optional[int] = ..., last_login_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RoleHolders(_message.Message):
    __slots__ = ("role", "members")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    role: str
    members: int
    def __init__(self, role: _Optional[str] = ..., members: _Optional[int] = ...) -> None: ...
