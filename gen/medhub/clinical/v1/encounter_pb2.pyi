import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EncounterClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCOUNTER_CLASS_UNSPECIFIED: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_INPATIENT: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_OUTPATIENT: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_EMERGENCY: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_PREADMIT: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_RECURRING: _ClassVar[EncounterClass]
    ENCOUNTER_CLASS_OTHER: _ClassVar[EncounterClass]

class EncounterStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCOUNTER_STATUS_UNSPECIFIED: _ClassVar[EncounterStatus]
    ENCOUNTER_STATUS_PLANNED: _ClassVar[EncounterStatus]
    ENCOUNTER_STATUS_IN_PROGRESS: _ClassVar[EncounterStatus]
    ENCOUNTER_STATUS_FINISHED: _ClassVar[EncounterStatus]
    ENCOUNTER_STATUS_CANCELLED: _ClassVar[EncounterStatus]
ENCOUNTER_CLASS_UNSPECIFIED: EncounterClass
ENCOUNTER_CLASS_INPATIENT: EncounterClass
ENCOUNTER_CLASS_OUTPATIENT: EncounterClass
ENCOUNTER_CLASS_EMERGENCY: EncounterClass
ENCOUNTER_CLASS_PREADMIT: EncounterClass
ENCOUNTER_CLASS_RECURRING: EncounterClass
ENCOUNTER_CLASS_OTHER: EncounterClass
ENCOUNTER_STATUS_UNSPECIFIED: EncounterStatus
ENCOUNTER_STATUS_PLANNED: EncounterStatus
ENCOUNTER_STATUS_IN_PROGRESS: EncounterStatus
ENCOUNTER_STATUS_FINISHED: EncounterStatus
ENCOUNTER_STATUS_CANCELLED: EncounterStatus

class Encounter(_message.Message):
    __slots__ = ("name", "patient", "visit_number", "status", "unit", "location", "attending", "start_time", "end_time", "create_time", "update_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    VISIT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    ATTENDING_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    visit_number: str
    status: EncounterStatus
    unit: str
    location: str
    attending: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., visit_number: _Optional[str] = ..., status: _Optional[_Union[EncounterStatus, str]] = ..., unit: _Optional[str] = ..., location: _Optional[str] = ..., attending: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., **kwargs) -> None: ...
