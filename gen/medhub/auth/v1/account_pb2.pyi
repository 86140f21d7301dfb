import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.auth.v1 import auth_pb2 as _auth_pb2
from medhub.auth.v1 import factor_pb2 as _factor_pb2
from medhub.auth.v1 import session_pb2 as _session_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Account(_message.Message):
    __slots__ = ("name", "email", "email_verify_time", "display_name", "language", "time_zone", "preferences", "create_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    EMAIL_VERIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PREFERENCES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    email: str
    email_verify_time: _timestamp_pb2.Timestamp
    display_name: str
    language: str
    time_zone: str
    preferences: _containers.RepeatedCompositeFieldContainer[Preference]
    create_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., email: _Optional[str] = ..., email_verify_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., display_name: _Optional[str] = ..., language: _Optional[str] = ..., time_zone: _Optional[str] = ..., preferences: _Optional[_Iterable[_Union[Preference, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class Preference(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class AccountActivity(_message.Message):
    __slots__ = ("user", "act", "time", "outcome", "peer", "by_others")
    USER_FIELD_NUMBER: _ClassVar[int]
    ACT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    BY_OTHERS_FIELD_NUMBER: _ClassVar[int]
    user: str
    act: str
    time: _timestamp_pb2.Timestamp
    outcome: str
    peer: str
    by_others: bool
    def __init__(self, user: _Optional[str] = ..., act: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[str] = ..., peer: _Optional[str] = ..., by_others: _Optional[bool] = ...) -> None: ...

class AccountDashboard(_message.Message):
    __slots__ = ("account", "sessions", "organizations", "activities", "factors")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONS_FIELD_NUMBER: _ClassVar[int]
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    account: Account
    sessions: _containers.RepeatedCompositeFieldContainer[_session_pb2.Session]
    organizations: _containers.RepeatedCompositeFieldContainer[_auth_pb2.OrganizationChoice]
    activities: _containers.RepeatedCompositeFieldContainer[AccountActivity]
    factors: _containers.RepeatedCompositeFieldContainer[_factor_pb2.Factor]
    def __init__(self, account: _Optional[_Union[Account, _Mapping]] = ..., sessions: _Optional[_Iterable[_Union[_session_pb2.Session, _Mapping]]] = ..., organizations: _Optional[_Iterable[_Union[_auth_pb2.OrganizationChoice, _Mapping]]] = ..., activities: _Optional[_Iterable[_Union[AccountActivity, _Mapping]]] = ..., factors: _Optional[_Iterable[_Union[_factor_pb2.Factor, _Mapping]]] = ...) -> None: ...
