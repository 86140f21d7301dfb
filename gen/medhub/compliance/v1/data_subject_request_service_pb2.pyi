from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.compliance.v1 import access_request_pb2 as _access_request_pb2
from medhub.compliance.v1 import erasure_request_pb2 as _erasure_request_pb2
from medhub.compliance.v1 import restriction_pb2 as _restriction_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateAccessRequestRequest(_message.Message):
    __slots__ = ("access_request", "request_id")
    ACCESS_REQUEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    access_request: _access_request_pb2.AccessRequest
    request_id: str
    def __init__(self, access_request: _Optional[_Union[_access_request_pb2.AccessRequest, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetAccessRequestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListAccessRequestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccessRequestsResponse(_message.Message):
    __slots__ = ("access_requests", "next_page_token")
    ACCESS_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_requests: _containers.RepeatedCompositeFieldContainer[_access_request_pb2.AccessRequest]
    next_page_token: str
    def __init__(self, access_requests: _Optional[_Iterable[_Union[_access_request_pb2.AccessRequest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetAccessPackageRequest(_message.Message):
    __slots__ = ("name", "page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_token: str
    def __init__(self, name: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetAccessPackageResponse(_message.Message):
    __slots__ = ("patient", "content", "next_page_token")
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient: str
    content: bytes
    next_page_token: str
    def __init__(self, patient: _Optional[str] = ..., content: _Optional[bytes] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateErasureRequestRequest(_message.Message):
    __slots__ = ("erasure_request", "request_id")
    ERASURE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    erasure_request: _erasure_request_pb2.ErasureRequest
    request_id: str
    def __init__(self, erasure_request: _Optional[_Union[_erasure_request_pb2.ErasureRequest, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetErasureRequestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListErasureRequestsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListErasureRequestsResponse(_message.Message):
    __slots__ = ("erasure_requests", "next_page_token")
    ERASURE_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    erasure_requests: _containers.RepeatedCompositeFieldContainer[_erasure_request_pb2.ErasureRequest]
    next_page_token: str
    def __init__(self, erasure_requests: _Optional[_Iterable[_Union[_erasure_request_pb2.ErasureRequest, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ConfirmErasureRequestRequest(_message.Message):
    __slots__ = ("name", "etag", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateRestrictionRequest(_message.Message):
    __slots__ = ("restriction", "request_id")
    RESTRICTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    restriction: _restriction_pb2.Restriction
    request_id: str
    def __init__(self, restriction: _Optional[_Union[_restriction_pb2.Restriction, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetRestrictionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListRestrictionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRestrictionsResponse(_message.Message):
    __slots__ = ("restrictions", "next_page_token")
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    restrictions: _containers.RepeatedCompositeFieldContainer[_restriction_pb2.Restriction]
    next_page_token: str
    def __init__(self, restrictions: _Optional[_Iterable[_Union[_restriction_pb2.Restriction, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class LiftRestrictionRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
