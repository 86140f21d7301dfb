import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sex(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEX_UNSPECIFIED: _ClassVar[Sex]
    SEX_FEMALE: _ClassVar[Sex]
    SEX_MALE: _ClassVar[Sex]
    SEX_OTHER: _ClassVar[Sex]
    SEX_UNKNOWN: _ClassVar[Sex]

class IdentifierCheck(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIER_CHECK_UNSPECIFIED: _ClassVar[IdentifierCheck]
    IDENTIFIER_CHECK_KEY_CORRECT: _ClassVar[IdentifierCheck]
    IDENTIFIER_CHECK_KEY_MISSING: _ClassVar[IdentifierCheck]
    IDENTIFIER_CHECK_KEY_WRONG: _ClassVar[IdentifierCheck]

class IdentifierType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIER_TYPE_UNSPECIFIED: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_PI: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_AN: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_VN: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_INS: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_SS: _ClassVar[IdentifierType]
    IDENTIFIER_TYPE_OTHER: _ClassVar[IdentifierType]

class IdentifierUse(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIER_USE_UNSPECIFIED: _ClassVar[IdentifierUse]
    IDENTIFIER_USE_OFFICIAL: _ClassVar[IdentifierUse]
    IDENTIFIER_USE_TEMPORARY: _ClassVar[IdentifierUse]
    IDENTIFIER_USE_OLD: _ClassVar[IdentifierUse]

class IdentityStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTITY_STATUS_UNSPECIFIED: _ClassVar[IdentityStatus]
    IDENTITY_STATUS_PROVISIONAL: _ClassVar[IdentityStatus]
    IDENTITY_STATUS_RECOVERED: _ClassVar[IdentityStatus]
    IDENTITY_STATUS_VALIDATED: _ClassVar[IdentityStatus]
    IDENTITY_STATUS_QUALIFIED: _ClassVar[IdentityStatus]
SEX_UNSPECIFIED: Sex
SEX_FEMALE: Sex
SEX_MALE: Sex
SEX_OTHER: Sex
SEX_UNKNOWN: Sex
IDENTIFIER_CHECK_UNSPECIFIED: IdentifierCheck
IDENTIFIER_CHECK_KEY_CORRECT: IdentifierCheck
IDENTIFIER_CHECK_KEY_MISSING: IdentifierCheck
IDENTIFIER_CHECK_KEY_WRONG: IdentifierCheck
IDENTIFIER_TYPE_UNSPECIFIED: IdentifierType
IDENTIFIER_TYPE_PI: IdentifierType
IDENTIFIER_TYPE_AN: IdentifierType
IDENTIFIER_TYPE_VN: IdentifierType
IDENTIFIER_TYPE_INS: IdentifierType
IDENTIFIER_TYPE_SS: IdentifierType
IDENTIFIER_TYPE_OTHER: IdentifierType
IDENTIFIER_USE_UNSPECIFIED: IdentifierUse
IDENTIFIER_USE_OFFICIAL: IdentifierUse
IDENTIFIER_USE_TEMPORARY: IdentifierUse
IDENTIFIER_USE_OLD: IdentifierUse
IDENTITY_STATUS_UNSPECIFIED: IdentityStatus
IDENTITY_STATUS_PROVISIONAL: IdentityStatus
IDENTITY_STATUS_RECOVERED: IdentityStatus
IDENTITY_STATUS_VALIDATED: IdentityStatus
IDENTITY_STATUS_QUALIFIED: IdentityStatus

class Patient(_message.Message):
    __slots__ = ("name", "birth_name", "used_name", "birth_given_names", "first_birth_given_name", "birth_date", "sex", "birth_place_code", "death_date", "identifiers", "identity_status", "survivor", "create_time", "update_time", "delete_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_NAME_FIELD_NUMBER: _ClassVar[int]
    USED_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_GIVEN_NAMES_FIELD_NUMBER: _ClassVar[int]
    FIRST_BIRTH_GIVEN_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    BIRTH_PLACE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEATH_DATE_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_STATUS_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    birth_name: str
    used_name: str
    birth_given_names: str
    first_birth_given_name: str
    birth_date: _date_pb2.Date
    sex: Sex
    birth_place_code: str
    death_date: _date_pb2.Date
    identifiers: _containers.RepeatedCompositeFieldContainer[PatientIdentifier]
    identity_status: IdentityStatus
    survivor: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., birth_name: _Optional[str] = ..., used_name: _Optional[str] = ..., birth_given_names: _Optional[str] = ..., first_birth_given_name: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., sex: _Optional[_Union[Sex, str]] = ..., birth_place_code: _Optional[str] = ..., death_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., identifiers: _Optional[_Iterable[_Union[PatientIdentifier, _Mapping]]] = ..., identity_status: _Optional[_Union[IdentityStatus, str]] = ..., survivor: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class PatientIdentifier(_message.Message):
    __slots__ = ("system", "type", "value", "use", "check")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    system: str
    type: IdentifierType
    value: str
    use: IdentifierUse
    check: IdentifierCheck
    def __init__(self, system: _Optional[str] = ..., type: _Optional[_Union[IdentifierType, str]] = ..., value: _Optional[str] = ..., use: _Optional[_Union[IdentifierUse, str]] = ..., check: _Optional[_Union[IdentifierCheck, str]] = ...) -> None: ...

class PatientIdentity(_message.Message):
    __slots__ = ("name", "birth_name", "used_name", "birth_given_names", "birth_date", "sex", "birth_place_code", "score", "matched")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_NAME_FIELD_NUMBER: _ClassVar[int]
    USED_NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_GIVEN_NAMES_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    BIRTH_PLACE_CODE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    name: str
    birth_name: str
    used_name: str
    birth_given_names: str
    birth_date: _date_pb2.Date
    sex: Sex
    birth_place_code: str
    score: float
    matched: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., birth_name: _Optional[str] = ..., used_name: _Optional[str] = ..., birth_given_names: _Optional[str] = ..., birth_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., sex: _Optional[_Union[Sex, str]] = ..., birth_place_code: _Optional[str] = ..., score: _Optional[float] = ..., matched: _Optional[_Iterable[str]] = ...) -> None: ...

class PatientLink(_message.Message):
    __slots__ = ("name", "survivor", "duplicate", "reason", "create_time", "source")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    survivor: str
    duplicate: str
    reason: str
    create_time: _timestamp_pb2.Timestamp
    source: str
    def __init__(self, name: _Optional[str] = ..., survivor: _Optional[str] = ..., duplicate: _Optional[str] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...
