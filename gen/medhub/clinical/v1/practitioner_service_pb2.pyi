from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.clinical.v1 import practitioner_pb2 as _practitioner_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreatePractitionerRequest(_message.Message):
    __slots__ = ("practitioner", "request_id")
    PRACTITIONER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    practitioner: _practitioner_pb2.Practitioner
    request_id: str
    def __init__(self, practitioner: _Optional[_Union[_practitioner_pb2.Practitioner, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListPractitionersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPractitionersResponse(_message.Message):
    __slots__ = ("practitioners", "next_page_token")
    PRACTITIONERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    practitioners: _containers.RepeatedCompositeFieldContainer[_practitioner_pb2.Practitioner]
    next_page_token: str
    def __init__(self, practitioners: _Optional[_Iterable[_Union[_practitioner_pb2.Practitioner, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateUnitRequest(_message.Message):
    __slots__ = ("unit", "request_id")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    unit: _practitioner_pb2.Unit
    request_id: str
    def __init__(self, unit: _Optional[_Union[_practitioner_pb2.Unit, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListUnitsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUnitsResponse(_message.Message):
    __slots__ = ("units", "next_page_token")
    UNITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    units: _containers.RepeatedCompositeFieldContainer[_practitioner_pb2.Unit]
    next_page_token: str
    def __init__(self, units: _Optional[_Iterable[_Union[_practitioner_pb2.Unit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
