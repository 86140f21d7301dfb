import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.auth.v1 import auth_service_pb2 as _auth_service_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BeginFederatedLoginRequest(_message.Message):
    __slots__ = ("identity_provider", "redirect_uri", "fresh")
    IDENTITY_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    identity_provider: str
    redirect_uri: str
    fresh: bool
    def __init__(self, identity_provider: _Optional[str] = ..., redirect_uri: _Optional[str] = ..., fresh: _Optional[bool] = ...) -> None: ...

class BeginFederatedLoginResponse(_message.Message):
    __slots__ = ("authorization_url", "login_token", "expire_time")
    AUTHORIZATION_URL_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    authorization_url: str
    login_token: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, authorization_url: _Optional[str] = ..., login_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FinishFederatedLoginRequest(_message.Message):
    __slots__ = ("code", "state", "issuer", "login_token")
    CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    code: str
    state: str
    issuer: str
    login_token: str
    def __init__(self, code: _Optional[str] = ..., state: _Optional[str] = ..., issuer: _Optional[str] = ..., login_token: _Optional[str] = ...) -> None: ...

class FinishFederatedLoginResponse(_message.Message):
    __slots__ = ("login",)
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    login: _auth_service_pb2.LoginResponse
    def __init__(self, login: _Optional[_Union[_auth_service_pb2.LoginResponse, _Mapping]] = ...) -> None: ...

class BeginIdentityLinkRequest(_message.Message):
    __slots__ = ("identity_provider", "redirect_uri")
    IDENTITY_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_FIELD_NUMBER: _ClassVar[int]
    identity_provider: str
    redirect_uri: str
    def __init__(self, identity_provider: _Optional[str] = ..., redirect_uri: _Optional[str] = ...) -> None: ...

class BeginIdentityLinkResponse(_message.Message):
    __slots__ = ("authorization_url", "login_token", "expire_time")
    AUTHORIZATION_URL_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    authorization_url: str
    login_token: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, authorization_url: _Optional[str] = ..., login_token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FinishIdentityLinkRequest(_message.Message):
    __slots__ = ("code", "state", "issuer", "login_token")
    CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    code: str
    state: str
    issuer: str
    login_token: str
    def __init__(self, code: _Optional[str] = ..., state: _Optional[str] = ..., issuer: _Optional[str] = ..., login_token: _Optional[str] = ...) -> None: ...

class FinishIdentityLinkResponse(_message.Message):
    __slots__ = ("identity_provider",)
    IDENTITY_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    identity_provider: str
    def __init__(self, identity_provider: _Optional[str] = ...) -> None: ...
