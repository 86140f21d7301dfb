import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.auth.v1 import factor_pb2 as _factor_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_DECISION_UNSPECIFIED: _ClassVar[LinkDecision]
    LINK_DECISION_NOT_NEEDED: _ClassVar[LinkDecision]
    LINK_DECISION_GRANTED: _ClassVar[LinkDecision]
    LINK_DECISION_BY_CLINICAL: _ClassVar[LinkDecision]
LINK_DECISION_UNSPECIFIED: LinkDecision
LINK_DECISION_NOT_NEEDED: LinkDecision
LINK_DECISION_GRANTED: LinkDecision
LINK_DECISION_BY_CLINICAL: LinkDecision

class Credentials(_message.Message):
    __slots__ = ("access_token", "token_type", "expire_time", "refresh_token", "refresh_expire_time", "session")
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFRESH_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    token_type: str
    expire_time: _timestamp_pb2.Timestamp
    refresh_token: str
    refresh_expire_time: _timestamp_pb2.Timestamp
    session: str
    def __init__(self, access_token: _Optional[str] = ..., token_type: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refresh_token: _Optional[str] = ..., refresh_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session: _Optional[str] = ...) -> None: ...

class OrganizationChoice(_message.Message):
    __slots__ = ("organization", "display_name")
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    organization: str
    display_name: str
    def __init__(self, organization: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class OpenedSession(_message.Message):
    __slots__ = ("credentials", "user", "organization", "organizations", "next_step")
    CREDENTIALS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_STEP_FIELD_NUMBER: _ClassVar[int]
    credentials: Credentials
    user: str
    organization: str
    organizations: _containers.RepeatedCompositeFieldContainer[OrganizationChoice]
    next_step: _factor_pb2.NextStep
    def __init__(self, credentials: _Optional[_Union[Credentials, _Mapping]] = ..., user: _Optional[str] = ..., organization: _Optional[str] = ..., organizations: _Optional[_Iterable[_Union[OrganizationChoice, _Mapping]]] = ..., next_step: _Optional[_Union[_factor_pb2.NextStep, str]] = ...) -> None: ...

class AccessQuestion(_message.Message):
    __slots__ = ("resource", "action", "patient")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    resource: str
    action: str
    patient: str
    def __init__(self, resource: _Optional[str] = ..., action: _Optional[str] = ..., patient: _Optional[str] = ...) -> None: ...

class AccessAnswer(_message.Message):
    __slots__ = ("authorized", "permission", "role", "auth_revision", "link", "explanation")
    AUTHORIZED_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    AUTH_REVISION_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    authorized: bool
    permission: str
    role: str
    auth_revision: int
    link: LinkDecision
    explanation: AccessExplanation
    def __init__(self, authorized: _Optional[bool] = ..., permission: _Optional[str] = ..., role: _Optional[str] = ..., auth_revision: _Optional[int] = ..., link: _Optional[_Union[LinkDecision, str]] = ..., explanation: _Optional[_Union[AccessExplanation, _Mapping]] = ...) -> None: ...

class AccessExplanation(_message.Message):
    __slots__ = ("rules", "roles", "grant", "break_glass")
    RULES_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[AccessRule]
    roles: _containers.RepeatedCompositeFieldContainer[HeldRole]
    grant: str
    break_glass: bool
    def __init__(self, rules: _Optional[_Iterable[_Union[AccessRule, _Mapping]]] = ..., roles: _Optional[_Iterable[_Union[HeldRole, _Mapping]]] = ..., grant: _Optional[str] = ..., break_glass: _Optional[bool] = ...) -> None: ...

class AccessRule(_message.Message):
    __slots__ = ("method", "link", "opened_by_grant", "opened_by_break_glass")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_GRANT_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    method: str
    link: bool
    opened_by_grant: bool
    opened_by_break_glass: bool
    def __init__(self, method: _Optional[str] = ..., link: _Optional[bool] = ..., opened_by_grant: _Optional[bool] = ..., opened_by_break_glass: _Optional[bool] = ...) -> None: ...

class HeldRole(_message.Message):
    __slots__ = ("role", "binding", "permissions", "end_time")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BINDING_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    role: str
    binding: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, role: _Optional[str] = ..., binding: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
