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

class ObservationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBSERVATION_STATUS_UNSPECIFIED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_PRELIMINARY: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_FINAL: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_CORRECTED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_CANCELLED: _ClassVar[ObservationStatus]
    OBSERVATION_STATUS_ENTERED_IN_ERROR: _ClassVar[ObservationStatus]
OBSERVATION_STATUS_UNSPECIFIED: ObservationStatus
OBSERVATION_STATUS_PRELIMINARY: ObservationStatus
OBSERVATION_STATUS_FINAL: ObservationStatus
OBSERVATION_STATUS_CORRECTED: ObservationStatus
OBSERVATION_STATUS_CANCELLED: ObservationStatus
OBSERVATION_STATUS_ENTERED_IN_ERROR: ObservationStatus

class Observation(_message.Message):
    __slots__ = ("name", "patient", "encounter", "code", "quantity", "text", "coded", "moment", "reference_range", "flags", "status", "effective_time", "issued_time", "supersedes", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTER_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CODED_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_RANGE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    ISSUED_TIME_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    encounter: str
    code: Coding
    quantity: Quantity
    text: str
    coded: Coding
    moment: _timestamp_pb2.Timestamp
    reference_range: str
    flags: _containers.RepeatedScalarFieldContainer[str]
    status: ObservationStatus
    effective_time: _timestamp_pb2.Timestamp
    issued_time: _timestamp_pb2.Timestamp
    supersedes: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., encounter: _Optional[str] = ..., code: _Optional[_Union[Coding, _Mapping]] = ..., quantity: _Optional[_Union[Quantity, _Mapping]] = ..., text: _Optional[str] = ..., coded: _Optional[_Union[Coding, _Mapping]] = ..., moment: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reference_range: _Optional[str] = ..., flags: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[ObservationStatus, str]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., issued_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., supersedes: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Coding(_message.Message):
    __slots__ = ("system", "code", "display")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    system: str
    code: str
    display: str
    def __init__(self, system: _Optional[str] = ..., code: _Optional[str] = ..., display: _Optional[str] = ...) -> None: ...

class Quantity(_message.Message):
    __slots__ = ("value", "comparator", "unit")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    value: str
    comparator: str
    unit: str
    def __init__(self, value: _Optional[str] = ..., comparator: _Optional[str] = ..., unit: _Optional[str] = ...) -> None: ...
