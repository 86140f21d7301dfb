from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.clinical.v1 import care_link_pb2 as _care_link_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateCareLinkRequest(_message.Message):
    __slots__ = ("care_link", "request_id")
    CARE_LINK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    care_link: _care_link_pb2.CareLink
    request_id: str
    def __init__(self, care_link: _Optional[_Union[_care_link_pb2.CareLink, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListCareLinksRequest(_message.Message):
    __slots__ = ("patient", "page_size", "page_token")
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient: str
    page_size: int
    page_token: str
    def __init__(self, patient: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCareLinksResponse(_message.Message):
    __slots__ = ("care_links", "next_page_token")
    CARE_LINKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    care_links: _containers.RepeatedCompositeFieldContainer[_care_link_pb2.CareLink]
    next_page_token: str
    def __init__(self, care_links: _Optional[_Iterable[_Union[_care_link_pb2.CareLink, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class EndCareLinkRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
