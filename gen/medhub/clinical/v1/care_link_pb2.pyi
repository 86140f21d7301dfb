import datetime

from buf.validate import validate_pb2 as _validate_pb2
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

class CareLinkKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CARE_LINK_KIND_UNSPECIFIED: _ClassVar[CareLinkKind]
    CARE_LINK_KIND_CARE_TEAM: _ClassVar[CareLinkKind]
    CARE_LINK_KIND_ENCOUNTER: _ClassVar[CareLinkKind]
    CARE_LINK_KIND_REFERRAL: _ClassVar[CareLinkKind]
    CARE_LINK_KIND_REGISTRATION: _ClassVar[CareLinkKind]
CARE_LINK_KIND_UNSPECIFIED: CareLinkKind
CARE_LINK_KIND_CARE_TEAM: CareLinkKind
CARE_LINK_KIND_ENCOUNTER: CareLinkKind
CARE_LINK_KIND_REFERRAL: CareLinkKind
CARE_LINK_KIND_REGISTRATION: CareLinkKind

class CareLink(_message.Message):
    __slots__ = ("name", "patient", "practitioner", "unit", "kind", "start_time", "end_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    PRACTITIONER_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient: str
    practitioner: str
    unit: str
    kind: CareLinkKind
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., patient: _Optional[str] = ..., practitioner: _Optional[str] = ..., unit: _Optional[str] = ..., kind: _Optional[_Union[CareLinkKind, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
