import datetime

from buf.validate import validate_pb2 as _validate_pb2
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

class AccessRequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_REQUEST_STATE_UNSPECIFIED: _ClassVar[AccessRequestState]
    ACCESS_REQUEST_STATE_PENDING: _ClassVar[AccessRequestState]
    ACCESS_REQUEST_STATE_GATHERING: _ClassVar[AccessRequestState]
    ACCESS_REQUEST_STATE_INCOMPLETE: _ClassVar[AccessRequestState]
    ACCESS_REQUEST_STATE_COMPLETE: _ClassVar[AccessRequestState]
    ACCESS_REQUEST_STATE_UNKNOWN_PERSON: _ClassVar[AccessRequestState]

class ServiceAnswerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_ANSWER_STATE_UNSPECIFIED: _ClassVar[ServiceAnswerState]
    SERVICE_ANSWER_STATE_WAITING: _ClassVar[ServiceAnswerState]
    SERVICE_ANSWER_STATE_GATHERED: _ClassVar[ServiceAnswerState]
    SERVICE_ANSWER_STATE_MISSING: _ClassVar[ServiceAnswerState]
ACCESS_REQUEST_STATE_UNSPECIFIED: AccessRequestState
ACCESS_REQUEST_STATE_PENDING: AccessRequestState
ACCESS_REQUEST_STATE_GATHERING: AccessRequestState
ACCESS_REQUEST_STATE_INCOMPLETE: AccessRequestState
ACCESS_REQUEST_STATE_COMPLETE: AccessRequestState
ACCESS_REQUEST_STATE_UNKNOWN_PERSON: AccessRequestState
SERVICE_ANSWER_STATE_UNSPECIFIED: ServiceAnswerState
SERVICE_ANSWER_STATE_WAITING: ServiceAnswerState
SERVICE_ANSWER_STATE_GATHERED: ServiceAnswerState
SERVICE_ANSWER_STATE_MISSING: ServiceAnswerState

class AccessRequest(_message.Message):
    __slots__ = ("name", "patient", "receive_time", "requester", "state", "create_time", "complete_time", "earliest_time", "due_time", "deadlines", "services", "retry_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    receive_time: _timestamp_pb2.Timestamp
    requester: str
    state: AccessRequestState
    create_time: _timestamp_pb2.Timestamp
    complete_time: _timestamp_pb2.Timestamp
    earliest_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    deadlines: _containers.RepeatedCompositeFieldContainer[Deadline]
    services: _containers.RepeatedCompositeFieldContainer[ServiceAnswer]
    retry_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., requester: _Optional[str] = ..., state: _Optional[_Union[AccessRequestState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadlines: _Optional[_Iterable[_Union[Deadline, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[ServiceAnswer, _Mapping]]] = ..., retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Deadline(_message.Message):
    __slots__ = ("regime", "earliest_time", "due_time", "source")
    REGIME_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    regime: str
    earliest_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    source: str
    def __init__(self, regime: _Optional[str] = ..., earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class ServiceAnswer(_message.Message):
    __slots__ = ("service", "state", "failures", "last_failure", "record_count", "sha256", "gather_time")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    GATHER_TIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    state: ServiceAnswerState
    failures: int
    last_failure: str
    record_count: int
    sha256: bytes
    gather_time: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., state: _Optional[_Union[ServiceAnswerState, str]] = ..., failures: _Optional[int] = ..., last_failure: _Optional[str] = ..., record_count: _Optional[int] = ..., sha256: _Optional[bytes] = ..., gather_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
