import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.auth.v1 import auth_pb2 as _auth_pb2
from medhub.auth.v1 import factor_pb2 as _factor_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListFactorsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFactorsResponse(_message.Message):
    __slots__ = ("factors",)
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    factors: _containers.RepeatedCompositeFieldContainer[_factor_pb2.Factor]
    def __init__(self, factors: _Optional[_Iterable[_Union[_factor_pb2.Factor, _Mapping]]] = ...) -> None: ...

class BeginTotpEnrolmentRequest(_message.Message):
    __slots__ = ("display_name",)
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    def __init__(self, display_name: _Optional[str] = ...) -> None: ...

class BeginTotpEnrolmentResponse(_message.Message):
    __slots__ = ("enrolment", "expire_time", "secret", "provisioning_uri", "qr_svg")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    PROVISIONING_URI_FIELD_NUMBER: _ClassVar[int]
    QR_SVG_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    expire_time: _timestamp_pb2.Timestamp
    secret: str
    provisioning_uri: str
    qr_svg: str
    def __init__(self, enrolment: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., secret: _Optional[str] = ..., provisioning_uri: _Optional[str] = ..., qr_svg: _Optional[str] = ...) -> None: ...

class ConfirmTotpEnrolmentRequest(_message.Message):
    __slots__ = ("enrolment", "code", "end_other_sessions")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    END_OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    code: str
    end_other_sessions: bool
    def __init__(self, enrolment: _Optional[str] = ..., code: _Optional[str] = ..., end_other_sessions: _Optional[bool] = ...) -> None: ...

class ConfirmTotpEnrolmentResponse(_message.Message):
    __slots__ = ("factor", "other_sessions")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    factor: _factor_pb2.Factor
    other_sessions: int
    def __init__(self, factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ..., other_sessions: _Optional[int] = ...) -> None: ...

class BeginPasskeyRegistrationRequest(_message.Message):
    __slots__ = ("display_name",)
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    def __init__(self, display_name: _Optional[str] = ...) -> None: ...

class BeginPasskeyRegistrationResponse(_message.Message):
    __slots__ = ("enrolment", "expire_time", "options_json")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    expire_time: _timestamp_pb2.Timestamp
    options_json: str
    def __init__(self, enrolment: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., options_json: _Optional[str] = ...) -> None: ...

class FinishPasskeyRegistrationRequest(_message.Message):
    __slots__ = ("enrolment", "credential_json", "end_other_sessions")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_JSON_FIELD_NUMBER: _ClassVar[int]
    END_OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    credential_json: str
    end_other_sessions: bool
    def __init__(self, enrolment: _Optional[str] = ..., credential_json: _Optional[str] = ..., end_other_sessions: _Optional[bool] = ...) -> None: ...

class FinishPasskeyRegistrationResponse(_message.Message):
    __slots__ = ("factor", "other_sessions")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    factor: _factor_pb2.Factor
    other_sessions: int
    def __init__(self, factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ..., other_sessions: _Optional[int] = ...) -> None: ...

class BeginSmsEnrolmentRequest(_message.Message):
    __slots__ = ("display_name", "phone_number")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PHONE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    phone_number: str
    def __init__(self, display_name: _Optional[str] = ..., phone_number: _Optional[str] = ...) -> None: ...

class BeginSmsEnrolmentResponse(_message.Message):
    __slots__ = ("enrolment", "expire_time")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, enrolment: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ConfirmSmsEnrolmentRequest(_message.Message):
    __slots__ = ("enrolment", "code", "end_other_sessions")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    END_OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    code: str
    end_other_sessions: bool
    def __init__(self, enrolment: _Optional[str] = ..., code: _Optional[str] = ..., end_other_sessions: _Optional[bool] = ...) -> None: ...

class ConfirmSmsEnrolmentResponse(_message.Message):
    __slots__ = ("factor", "other_sessions")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    factor: _factor_pb2.Factor
    other_sessions: int
    def __init__(self, factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ..., other_sessions: _Optional[int] = ...) -> None: ...

class BeginEmailCodeEnrolmentRequest(_message.Message):
    __slots__ = ("display_name",)
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    def __init__(self, display_name: _Optional[str] = ...) -> None: ...

class BeginEmailCodeEnrolmentResponse(_message.Message):
    __slots__ = ("enrolment", "expire_time")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, enrolment: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ConfirmEmailCodeEnrolmentRequest(_message.Message):
    __slots__ = ("enrolment", "code", "end_other_sessions")
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    END_OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    enrolment: str
    code: str
    end_other_sessions: bool
    def __init__(self, enrolment: _Optional[str] = ..., code: _Optional[str] = ..., end_other_sessions: _Optional[bool] = ...) -> None: ...

class ConfirmEmailCodeEnrolmentResponse(_message.Message):
    __slots__ = ("factor", "other_sessions")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    factor: _factor_pb2.Factor
    other_sessions: int
    def __init__(self, factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ..., other_sessions: _Optional[int] = ...) -> None: ...

class RegenerateBackupCodesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RegenerateBackupCodesResponse(_message.Message):
    __slots__ = ("codes", "factor")
    CODES_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedScalarFieldContainer[str]
    factor: _factor_pb2.Factor
    def __init__(self, codes: _Optional[_Iterable[str]] = ..., factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ...) -> None: ...

class RenameFactorRequest(_message.Message):
    __slots__ = ("name", "display_name")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class RenameFactorResponse(_message.Message):
    __slots__ = ("factor",)
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    factor: _factor_pb2.Factor
    def __init__(self, factor: _Optional[_Union[_factor_pb2.Factor, _Mapping]] = ...) -> None: ...

class RemoveFactorRequest(_message.Message):
    __slots__ = ("name", "end_other_sessions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    END_OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    end_other_sessions: bool
    def __init__(self, name: _Optional[str] = ..., end_other_sessions: _Optional[bool] = ...) -> None: ...

class RemoveFactorResponse(_message.Message):
    __slots__ = ("other_sessions",)
    OTHER_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    other_sessions: int
    def __init__(self, other_sessions: _Optional[int] = ...) -> None: ...

class ResetMemberFactorsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ResetMemberFactorsResponse(_message.Message):
    __slots__ = ("removed", "auth_revision")
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    AUTH_REVISION_FIELD_NUMBER: _ClassVar[int]
    removed: int
    auth_revision: int
    def __init__(self, removed: _Optional[int] = ..., auth_revision: _Optional[int] = ...) -> None: ...

class ReauthenticateRequest(_message.Message):
    __slots__ = ("password",)
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    password: str
    def __init__(self, password: _Optional[str] = ...) -> None: ...

class ReauthenticateResponse(_message.Message):
    __slots__ = ("session", "challenge")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    session: _auth_pb2.OpenedSession
    challenge: _factor_pb2.Challenge
    def __init__(self, session: _Optional[_Union[_auth_pb2.OpenedSession, _Mapping]] = ..., challenge: _Optional[_Union[_factor_pb2.Challenge, _Mapping]] = ...) -> None: ...

class BeginChallengeRequest(_message.Message):
    __slots__ = ("challenge", "factor")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    challenge: str
    factor: str
    def __init__(self, challenge: _Optional[str] = ..., factor: _Optional[str] = ...) -> None: ...

class BeginChallengeResponse(_message.Message):
    __slots__ = ("code_sent", "options_json")
    CODE_SENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    code_sent: bool
    options_json: str
    def __init__(self, code_sent: _Optional[bool] = ..., options_json: _Optional[str] = ...) -> None: ...

class VerifyChallengeRequest(_message.Message):
    __slots__ = ("challenge", "factor", "code", "credential_json")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_JSON_FIELD_NUMBER: _ClassVar[int]
    challenge: str
    factor: str
    code: str
    credential_json: str
    def __init__(self, challenge: _Optional[str] = ..., factor: _Optional[str] = ..., code: _Optional[str] = ..., credential_json: _Optional[str] = ...) -> None: ...

class VerifyChallengeResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: _auth_pb2.OpenedSession
    def __init__(self, session: _Optional[_Union[_auth_pb2.OpenedSession, _Mapping]] = ...) -> None: ...

class BeginPasskeyLoginRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BeginPasskeyLoginResponse(_message.Message):
    __slots__ = ("challenge", "expire_time", "options_json")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    challenge: str
    expire_time: _timestamp_pb2.Timestamp
    options_json: str
    def __init__(self, challenge: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., options_json: _Optional[str] = ...) -> None: ...

class FinishPasskeyLoginRequest(_message.Message):
    __slots__ = ("challenge", "credential_json", "organization")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_JSON_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    challenge: str
    credential_json: str
    organization: str
    def __init__(self, challenge: _Optional[str] = ..., credential_json: _Optional[str] = ..., organization: _Optional[str] = ...) -> None: ...

class FinishPasskeyLoginResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: _auth_pb2.OpenedSession
    def __init__(self, session: _Optional[_Union[_auth_pb2.OpenedSession, _Mapping]] = ...) -> None: ...
