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

class Hl7MessageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HL7_MESSAGE_STATE_UNSPECIFIED: _ClassVar[Hl7MessageState]
    HL7_MESSAGE_STATE_RECEIVED: _ClassVar[Hl7MessageState]
    HL7_MESSAGE_STATE_PROCESSED: _ClassVar[Hl7MessageState]
    HL7_MESSAGE_STATE_FAILED: _ClassVar[Hl7MessageState]
    HL7_MESSAGE_STATE_REJECTED: _ClassVar[Hl7MessageState]

class AckPoint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACK_POINT_UNSPECIFIED: _ClassVar[AckPoint]
    ACK_POINT_PROCESSED: _ClassVar[AckPoint]
    ACK_POINT_STORED: _ClassVar[AckPoint]
HL7_MESSAGE_STATE_UNSPECIFIED: Hl7MessageState
HL7_MESSAGE_STATE_RECEIVED: Hl7MessageState
HL7_MESSAGE_STATE_PROCESSED: Hl7MessageState
HL7_MESSAGE_STATE_FAILED: Hl7MessageState
HL7_MESSAGE_STATE_REJECTED: Hl7MessageState
ACK_POINT_UNSPECIFIED: AckPoint
ACK_POINT_PROCESSED: AckPoint
ACK_POINT_STORED: AckPoint

class Hl7Message(_message.Message):
    __slots__ = ("name", "endpoint", "raw", "ack", "control_id", "sending_application", "sending_facility", "message_type", "version", "state", "ack_code", "charset", "findings", "patient", "receive_time", "process_time", "attempts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    CONTROL_ID_FIELD_NUMBER: _ClassVar[int]
    SENDING_APPLICATION_FIELD_NUMBER: _ClassVar[int]
    SENDING_FACILITY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACK_CODE_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROCESS_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    endpoint: str
    raw: bytes
    ack: bytes
    control_id: str
    sending_application: str
    sending_facility: str
    message_type: str
    version: str
    state: Hl7MessageState
    ack_code: str
    charset: str
    findings: _containers.RepeatedCompositeFieldContainer[Hl7Finding]
    patient: str
    receive_time: _timestamp_pb2.Timestamp
    process_time: _timestamp_pb2.Timestamp
    attempts: int
    def __init__(self, name: _Optional[str] = ..., endpoint: _Optional[str] = ..., raw: _Optional[bytes] = ..., ack: _Optional[bytes] = ..., control_id: _Optional[str] = ..., sending_application: _Optional[str] = ..., sending_facility: _Optional[str] = ..., message_type: _Optional[str] = ..., version: _Optional[str] = ..., state: _Optional[_Union[Hl7MessageState, str]] = ..., ack_code: _Optional[str] = ..., charset: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Hl7Finding, _Mapping]]] = ..., patient: _Optional[str] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., process_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ...) -> None: ...

class Hl7Finding(_message.Message):
    __slots__ = ("rule", "location", "severity", "code")
    RULE_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    rule: str
    location: str
    severity: str
    code: str
    def __init__(self, rule: _Optional[str] = ..., location: _Optional[str] = ..., severity: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class Hl7Endpoint(_message.Message):
    __slots__ = ("name", "label", "service_account", "ack_point", "charset_fallback", "time_zone", "create_time", "etag", "rejected_rules")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SERVICE_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACK_POINT_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FALLBACK_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REJECTED_RULES_FIELD_NUMBER: _ClassVar[int]
    name: str
    label: str
    service_account: str
    ack_point: AckPoint
    charset_fallback: str
    time_zone: str
    create_time: _timestamp_pb2.Timestamp
    etag: str
    rejected_rules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., label: _Optional[str] = ..., service_account: _Optional[str] = ..., ack_point: _Optional[_Union[AckPoint, str]] = ..., charset_fallback: _Optional[str] = ..., time_zone: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., rejected_rules: _Optional[_Iterable[str]] = ...) -> None: ...
