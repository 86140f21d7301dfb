import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FactorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACTOR_KIND_UNSPECIFIED: _ClassVar[FactorKind]
    FACTOR_KIND_TOTP: _ClassVar[FactorKind]
    FACTOR_KIND_PASSKEY: _ClassVar[FactorKind]
    FACTOR_KIND_SMS: _ClassVar[FactorKind]
    FACTOR_KIND_EMAIL_CODE: _ClassVar[FactorKind]
    FACTOR_KIND_BACKUP_CODE: _ClassVar[FactorKind]

class NextStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEXT_STEP_UNSPECIFIED: _ClassVar[NextStep]
    NEXT_STEP_VERIFY_CHALLENGE: _ClassVar[NextStep]
    NEXT_STEP_ENROL_FACTOR: _ClassVar[NextStep]
FACTOR_KIND_UNSPECIFIED: FactorKind
FACTOR_KIND_TOTP: FactorKind
FACTOR_KIND_PASSKEY: FactorKind
FACTOR_KIND_SMS: FactorKind
FACTOR_KIND_EMAIL_CODE: FactorKind
FACTOR_KIND_BACKUP_CODE: FactorKind
NEXT_STEP_UNSPECIFIED: NextStep
NEXT_STEP_VERIFY_CHALLENGE: NextStep
NEXT_STEP_ENROL_FACTOR: NextStep

class Factor(_message.Message):
    __slots__ = ("name", "kind", "display_name", "create_time", "last_use_time", "assurance_level", "restricted", "codes_left")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_USE_TIME_FIELD_NUMBER: _ClassVar[int]
    ASSURANCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    RESTRICTED_FIELD_NUMBER: _ClassVar[int]
    CODES_LEFT_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: FactorKind
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    last_use_time: _timestamp_pb2.Timestamp
    assurance_level: int
    restricted: bool
    codes_left: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[FactorKind, str]] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., assurance_level: _Optional[int] = ..., restricted: _Optional[bool] = ..., codes_left: _Optional[int] = ...) -> None: ...

class Challenge(_message.Message):
    __slots__ = ("token", "expire_time", "factors")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    token: str
    expire_time: _timestamp_pb2.Timestamp
    factors: _containers.RepeatedCompositeFieldContainer[FactorChoice]
    def __init__(self, token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., factors: _Optional[_Iterable[_Union[FactorChoice, _Mapping]]] = ...) -> None: ...

class FactorChoice(_message.Message):
    __slots__ = ("factor", "kind", "display_name")
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    factor: str
    kind: FactorKind
    display_name: str
    def __init__(self, factor: _Optional[str] = ..., kind: _Optional[_Union[FactorKind, str]] = ..., display_name: _Optional[str] = ...) -> None: ...
