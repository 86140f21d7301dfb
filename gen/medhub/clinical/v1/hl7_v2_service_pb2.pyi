from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from medhub.clinical.v1 import hl7_pb2 as _hl7_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IngestMessageRequest(_message.Message):
    __slots__ = ("endpoint", "message")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    message: bytes
    def __init__(self, endpoint: _Optional[str] = ..., message: _Optional[bytes] = ...) -> None: ...

class IngestMessageResponse(_message.Message):
    __slots__ = ("ack", "message", "ack_code", "state", "repeated_message", "application_ack")
    ACK_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACK_CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REPEATED_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_ACK_FIELD_NUMBER: _ClassVar[int]
    ack: bytes
    message: str
    ack_code: str
    state: _hl7_pb2.Hl7MessageState
    repeated_message: bool
    application_ack: bytes
    def __init__(self, ack: _Optional[bytes] = ..., message: _Optional[str] = ..., ack_code: _Optional[str] = ..., state: _Optional[_Union[_hl7_pb2.Hl7MessageState, str]] = ..., repeated_message: _Optional[bool] = ..., application_ack: _Optional[bytes] = ...) -> None: ...

class IngestMessagesRequest(_message.Message):
    __slots__ = ("endpoint", "message", "sequence")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    message: bytes
    sequence: int
    def __init__(self, endpoint: _Optional[str] = ..., message: _Optional[bytes] = ..., sequence: _Optional[int] = ...) -> None: ...

class IngestMessagesResponse(_message.Message):
    __slots__ = ("sequence", "ack", "message", "ack_code", "state", "application_ack")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACK_CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_ACK_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    ack: bytes
    message: str
    ack_code: str
    state: _hl7_pb2.Hl7MessageState
    application_ack: bytes
    def __init__(self, sequence: _Optional[int] = ..., ack: _Optional[bytes] = ..., message: _Optional[str] = ..., ack_code: _Optional[str] = ..., state: _Optional[_Union[_hl7_pb2.Hl7MessageState, str]] = ..., application_ack: _Optional[bytes] = ...) -> None: ...

class GetMessageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ReadUnattributedMessageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListMessagesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "endpoint", "state", "control_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CONTROL_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    endpoint: str
    state: _hl7_pb2.Hl7MessageState
    control_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., endpoint: _Optional[str] = ..., state: _Optional[_Union[_hl7_pb2.Hl7MessageState, str]] = ..., control_id: _Optional[str] = ...) -> None: ...

class ListMessagesResponse(_message.Message):
    __slots__ = ("hl7_messages", "next_page_token")
    HL7_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    hl7_messages: _containers.RepeatedCompositeFieldContainer[_hl7_pb2.Hl7Message]
    next_page_token: str
    def __init__(self, hl7_messages: _Optional[_Iterable[_Union[_hl7_pb2.Hl7Message, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateEndpointRequest(_message.Message):
    __slots__ = ("hl7_endpoint", "request_id")
    HL7_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    hl7_endpoint: _hl7_pb2.Hl7Endpoint
    request_id: str
    def __init__(self, hl7_endpoint: _Optional[_Union[_hl7_pb2.Hl7Endpoint, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ("hl7_endpoints", "next_page_token")
    HL7_ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    hl7_endpoints: _containers.RepeatedCompositeFieldContainer[_hl7_pb2.Hl7Endpoint]
    next_page_token: str
    def __init__(self, hl7_endpoints: _Optional[_Iterable[_Union[_hl7_pb2.Hl7Endpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateEndpointRequest(_message.Message):
    __slots__ = ("hl7_endpoint", "update_mask")
    HL7_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    hl7_endpoint: _hl7_pb2.Hl7Endpoint
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, hl7_endpoint: _Optional[_Union[_hl7_pb2.Hl7Endpoint, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
