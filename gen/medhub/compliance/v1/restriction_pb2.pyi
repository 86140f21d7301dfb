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

class RestrictionGround(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTRICTION_GROUND_UNSPECIFIED: _ClassVar[RestrictionGround]
    RESTRICTION_GROUND_ACCURACY: _ClassVar[RestrictionGround]
    RESTRICTION_GROUND_UNLAWFUL: _ClassVar[RestrictionGround]
    RESTRICTION_GROUND_CLAIMS: _ClassVar[RestrictionGround]
    RESTRICTION_GROUND_OBJECTION: _ClassVar[RestrictionGround]

class RestrictionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESTRICTION_STATE_UNSPECIFIED: _ClassVar[RestrictionState]
    RESTRICTION_STATE_PENDING: _ClassVar[RestrictionState]
    RESTRICTION_STATE_INCOMPLETE: _ClassVar[RestrictionState]
    RESTRICTION_STATE_ACTIVE: _ClassVar[RestrictionState]
    RESTRICTION_STATE_LIFTING: _ClassVar[RestrictionState]
    RESTRICTION_STATE_LIFTED: _ClassVar[RestrictionState]
    RESTRICTION_STATE_UNKNOWN_PERSON: _ClassVar[RestrictionState]

class ServiceRestrictionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_RESTRICTION_STATE_UNSPECIFIED: _ClassVar[ServiceRestrictionState]
    SERVICE_RESTRICTION_STATE_WAITING: _ClassVar[ServiceRestrictionState]
    SERVICE_RESTRICTION_STATE_RESTRICTED: _ClassVar[ServiceRestrictionState]
    SERVICE_RESTRICTION_STATE_LIFTED: _ClassVar[ServiceRestrictionState]
RESTRICTION_GROUND_UNSPECIFIED: RestrictionGround
RESTRICTION_GROUND_ACCURACY: RestrictionGround
RESTRICTION_GROUND_UNLAWFUL: RestrictionGround
RESTRICTION_GROUND_CLAIMS: RestrictionGround
RESTRICTION_GROUND_OBJECTION: RestrictionGround
RESTRICTION_STATE_UNSPECIFIED: RestrictionState
RESTRICTION_STATE_PENDING: RestrictionState
RESTRICTION_STATE_INCOMPLETE: RestrictionState
RESTRICTION_STATE_ACTIVE: RestrictionState
RESTRICTION_STATE_LIFTING: RestrictionState
RESTRICTION_STATE_LIFTED: RestrictionState
RESTRICTION_STATE_UNKNOWN_PERSON: RestrictionState
SERVICE_RESTRICTION_STATE_UNSPECIFIED: ServiceRestrictionState
SERVICE_RESTRICTION_STATE_WAITING: ServiceRestrictionState
SERVICE_RESTRICTION_STATE_RESTRICTED: ServiceRestrictionState
SERVICE_RESTRICTION_STATE_LIFTED: ServiceRestrictionState

class Restriction(_message.Message):
    __slots__ = ("name", "patient", "ground", "requester", "state", "create_time", "services", "retry_time", "lifter", "lift_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    RETRY_TIME_FIELD_NUMBER: _ClassVar[int]
    LIFTER_FIELD_NUMBER: _ClassVar[int]
    LIFT_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    ground: RestrictionGround
    requester: str
    state: RestrictionState
    create_time: _timestamp_pb2.Timestamp
    services: _containers.RepeatedCompositeFieldContainer[ServiceRestriction]
    retry_time: _timestamp_pb2.Timestamp
    lifter: str
    lift_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., ground: _Optional[_Union[RestrictionGround, str]] = ..., requester: _Optional[str] = ..., state: _Optional[_Union[RestrictionState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., services: _Optional[_Iterable[_Union[ServiceRestriction, _Mapping]]] = ..., retry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lifter: _Optional[str] = ..., lift_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ServiceRestriction(_message.Message):
    __slots__ = ("service", "state", "failures", "last_failure")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    service: str
    state: ServiceRestrictionState
    failures: int
    last_failure: str
    def __init__(self, service: _Optional[str] = ..., state: _Optional[_Union[ServiceRestrictionState, str]] = ..., failures: _Optional[int] = ..., last_failure: _Optional[str] = ...) -> None: ...
