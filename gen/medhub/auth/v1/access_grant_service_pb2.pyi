from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.auth.v1 import access_grant_pb2 as _access_grant_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateAccessGrantRequest(_message.Message):
    __slots__ = ("access_grant", "request_id")
    ACCESS_GRANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    access_grant: _access_grant_pb2.AccessGrant
    request_id: str
    def __init__(self, access_grant: _Optional[_Union[_access_grant_pb2.AccessGrant, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class BreakGlassRequest(_message.Message):
    __slots__ = ("patient", "reason", "request_id")
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    patient: str
    reason: str
    request_id: str
    def __init__(self, patient: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetAccessGrantRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListAccessGrantsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "kind", "grantee", "patient", "open_only", "unreviewed_only")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GRANTEE_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    UNREVIEWED_ONLY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    kind: _access_grant_pb2.AccessGrantKind
    grantee: str
    patient: str
    open_only: bool
    unreviewed_only: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., kind: _Optional[_Union[_access_grant_pb2.AccessGrantKind, str]] = ..., grantee: _Optional[str] = ..., patient: _Optional[str] = ..., open_only: _Optional[bool] = ..., unreviewed_only: _Optional[bool] = ...) -> None: ...

class ListAccessGrantsResponse(_message.Message):
    __slots__ = ("access_grants", "next_page_token")
    ACCESS_GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_grants: _containers.RepeatedCompositeFieldContainer[_access_grant_pb2.AccessGrant]
    next_page_token: str
    def __init__(self, access_grants: _Optional[_Iterable[_Union[_access_grant_pb2.AccessGrant, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMyAccessGrantsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "open_only")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPEN_ONLY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    open_only: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., open_only: _Optional[bool] = ...) -> None: ...

class ListMyAccessGrantsResponse(_message.Message):
    __slots__ = ("access_grants", "next_page_token")
    ACCESS_GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_grants: _containers.RepeatedCompositeFieldContainer[_access_grant_pb2.AccessGrant]
    next_page_token: str
    def __init__(self, access_grants: _Optional[_Iterable[_Union[_access_grant_pb2.AccessGrant, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeAccessGrantRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class CloseMyBreakGlassRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ReviewBreakGlassRequest(_message.Message):
    __slots__ = ("name", "etag", "finding", "note")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    finding: _access_grant_pb2.BreakGlassFinding
    note: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., finding: _Optional[_Union[_access_grant_pb2.BreakGlassFinding, str]] = ..., note: _Optional[str] = ...) -> None: ...
