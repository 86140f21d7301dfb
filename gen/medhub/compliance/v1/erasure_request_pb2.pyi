import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.compliance.v1 import access_request_pb2 as _access_request_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.subject.v1 import erasure_pb2 as _erasure_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErasureRequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_REQUEST_STATE_UNSPECIFIED: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_PENDING: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_PLANNING: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_PLANNED: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_ERASING: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_INCOMPLETE: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_COMPLETE: _ClassVar[ErasureRequestState]
    ERASURE_REQUEST_STATE_UNKNOWN_PERSON: _ClassVar[ErasureRequestState]

class ServiceErasureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_ERASURE_STATE_UNSPECIFIED: _ClassVar[ServiceErasureState]
    SERVICE_ERASURE_STATE_WAITING: _ClassVar[ServiceErasureState]
    SERVICE_ERASURE_STATE_PLANNED: _ClassVar[ServiceErasureState]
    SERVICE_ERASURE_STATE_ERASED: _ClassVar[ServiceErasureState]
    SERVICE_ERASURE_STATE_MISSING: _ClassVar[ServiceErasureState]
ERASURE_REQUEST_STATE_UNSPECIFIED: ErasureRequestState
ERASURE_REQUEST_STATE_PENDING: ErasureRequestState
ERASURE_REQUEST_STATE_PLANNING: ErasureRequestState
ERASURE_REQUEST_STATE_PLANNED: ErasureRequestState
ERASURE_REQUEST_STATE_ERASING: ErasureRequestState
ERASURE_REQUEST_STATE_INCOMPLETE: ErasureRequestState
ERASURE_REQUEST_STATE_COMPLETE: ErasureRequestState
ERASURE_REQUEST_STATE_UNKNOWN_PERSON: ErasureRequestState
SERVICE_ERASURE_STATE_UNSPECIFIED: ServiceErasureState
SERVICE_ERASURE_STATE_WAITING: ServiceErasureState
SERVICE_ERASURE_STATE_PLANNED: ServiceErasureState
SERVICE_ERASURE_STATE_ERASED: ServiceErasureState
SERVICE_ERASURE_STATE_MISSING: ServiceErasureState

class ErasureRequest(_message.Message):
    __slots__ = ("name", "patient", "receive_time", "requester", "state", "create_time", "due_time", "deadlines", "services", "retry_time", "etag", "confirmer", "confirm_time", "complete_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CONFIRMER_FIELD_NUMBER: _ClassVar[int]
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    receive_time: _timestamp_pb2.Timestamp
    requester: str
    state: ErasureRequestState
    create_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    deadlines: _containers.RepeatedCompositeFieldContainer[_access_request_pb2.Deadline]
    services: _containers.RepeatedCompositeFieldContainer[ServiceErasure]
    retry_time: _timestamp_pb2.Timestamp
    etag: str
    confirmer: str
    confirm_time: _timestamp_pb2.Timestamp
    complete_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., requester: _Optional[str] = ..., state: _Optional[_Union[ErasureRequestState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadlines: _Optional[_Iterable[_Union[_access_request_pb2.Deadline, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[ServiceErasure, _Mapping]]] = ..., retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., confirmer: _Optional[str] = ..., confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ServiceErasure(_message.Message):
    __slots__ = ("service", "state", "failures", "last_failure", "tables", "plan_digest", "receipt")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    PLAN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    service: str
    state: ServiceErasureState
    failures: int
    last_failure: str
    tables: _containers.RepeatedCompositeFieldContainer[_erasure_pb2.ErasedTable]
    plan_digest: bytes
    receipt: _erasure_pb2.ErasureReceipt
    def __init__(self, service: _Optional[str] = ..., state: _Optional[_Union[ServiceErasureState, str]] = ..., failures: _Optional[int] = ..., last_failure: _Optional[str] = ..., tables: _Optional[_Iterable[_Union[_erasure_pb2.ErasedTable, _Mapping]]] = ..., plan_digest: _Optional[bytes] = ..., receipt: _Optional[_Union[_erasure_pb2.ErasureReceipt, _Mapping]] = ...) -> None: ...
