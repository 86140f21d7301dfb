import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tenancy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TENANCY_UNSPECIFIED: _ClassVar[Tenancy]
    TENANCY_FROM_TOKEN: _ClassVar[Tenancy]
    TENANCY_CROSS_TENANT: _ClassVar[Tenancy]
    TENANCY_NONE: _ClassVar[Tenancy]

class Freshness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRESHNESS_UNSPECIFIED: _ClassVar[Freshness]
    FRESHNESS_READ: _ClassVar[Freshness]
    FRESHNESS_WRITE: _ClassVar[Freshness]
    FRESHNESS_FRESH: _ClassVar[Freshness]

class OutageMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTAGE_MODE_UNSPECIFIED: _ClassVar[OutageMode]
    OUTAGE_MODE_DENY: _ClassVar[OutageMode]
    OUTAGE_MODE_CONTINUE_READS: _ClassVar[OutageMode]

class AuditKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIT_KIND_UNSPECIFIED: _ClassVar[AuditKind]
    AUDIT_KIND_ACCESS: _ClassVar[AuditKind]
    AUDIT_KIND_CHANGE: _ClassVar[AuditKind]
    AUDIT_KIND_ACT: _ClassVar[AuditKind]
    AUDIT_KIND_NONE: _ClassVar[AuditKind]

class BreakGlass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_GLASS_UNSPECIFIED: _ClassVar[BreakGlass]
    BREAK_GLASS_REFUSED: _ClassVar[BreakGlass]
    BREAK_GLASS_ALLOWED: _ClassVar[BreakGlass]

class Idempotency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_UNSPECIFIED: _ClassVar[Idempotency]
    IDEMPOTENCY_NO_SIDE_EFFECTS: _ClassVar[Idempotency]
    IDEMPOTENCY_BY_REQUEST_ID: _ClassVar[Idempotency]
    IDEMPOTENCY_NATURAL: _ClassVar[Idempotency]

class LoadClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOAD_CLASS_UNSPECIFIED: _ClassVar[LoadClass]
    LOAD_CLASS_READ: _ClassVar[LoadClass]
    LOAD_CLASS_SEARCH: _ClassVar[LoadClass]
    LOAD_CLASS_WRITE: _ClassVar[LoadClass]
    LOAD_CLASS_CREDENTIAL: _ClassVar[LoadClass]
    LOAD_CLASS_STREAM: _ClassVar[LoadClass]

class Link(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_UNSPECIFIED: _ClassVar[Link]
    LINK_NONE: _ClassVar[Link]
    LINK_CARE: _ClassVar[Link]

class Exposure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPOSURE_UNSPECIFIED: _ClassVar[Exposure]
    EXPOSURE_PUBLIC_API: _ClassVar[Exposure]
    EXPOSURE_INTERNAL: _ClassVar[Exposure]
    EXPOSURE_GRPC_ONLY: _ClassVar[Exposure]
TENANCY_UNSPECIFIED: Tenancy
TENANCY_FROM_TOKEN: Tenancy
TENANCY_CROSS_TENANT: Tenancy
TENANCY_NONE: Tenancy
FRESHNESS_UNSPECIFIED: Freshness
FRESHNESS_READ: Freshness
FRESHNESS_WRITE: Freshness
FRESHNESS_FRESH: Freshness
OUTAGE_MODE_UNSPECIFIED: OutageMode
OUTAGE_MODE_DENY: OutageMode
OUTAGE_MODE_CONTINUE_READS: OutageMode
AUDIT_KIND_UNSPECIFIED: AuditKind
AUDIT_KIND_ACCESS: AuditKind
AUDIT_KIND_CHANGE: AuditKind
AUDIT_KIND_ACT: AuditKind
AUDIT_KIND_NONE: AuditKind
BREAK_GLASS_UNSPECIFIED: BreakGlass
BREAK_GLASS_REFUSED: BreakGlass
BREAK_GLASS_ALLOWED: BreakGlass
IDEMPOTENCY_UNSPECIFIED: Idempotency
IDEMPOTENCY_NO_SIDE_EFFECTS: Idempotency
IDEMPOTENCY_BY_REQUEST_ID: Idempotency
IDEMPOTENCY_NATURAL: Idempotency
LOAD_CLASS_UNSPECIFIED: LoadClass
LOAD_CLASS_READ: LoadClass
LOAD_CLASS_SEARCH: LoadClass
LOAD_CLASS_WRITE: LoadClass
LOAD_CLASS_CREDENTIAL: LoadClass
LOAD_CLASS_STREAM: LoadClass
LINK_UNSPECIFIED: Link
LINK_NONE: Link
LINK_CARE: Link
EXPOSURE_UNSPECIFIED: Exposure
EXPOSURE_PUBLIC_API: Exposure
EXPOSURE_INTERNAL: Exposure
EXPOSURE_GRPC_ONLY: Exposure
POLICY_FIELD_NUMBER: _ClassVar[int]
policy: _descriptor.FieldDescriptor

class MethodPolicy(_message.Message):
    __slots__ = ("public", "self", "require", "tenancy", "tenancy_reason", "freshness", "on_auth_outage", "assurance", "audit", "break_glass", "idempotency", "load", "link", "exposure", "reasons")
    PUBLIC_FIELD_NUMBER: _ClassVar[int]
    SELF_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_FIELD_NUMBER: _ClassVar[int]
    TENANCY_FIELD_NUMBER: _ClassVar[int]
    TENANCY_REASON_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    ON_AUTH_OUTAGE_FIELD_NUMBER: _ClassVar[int]
    ASSURANCE_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    public: Public
    self: Self
    require: Require
    tenancy: Tenancy
    tenancy_reason: str
    freshness: Freshness
    on_auth_outage: OutageMode
    assurance: Assurance
    audit: Audit
    break_glass: BreakGlass
    idempotency: Idempotency
    load: Load
    link: Link
    exposure: Exposure
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self_, public: _Optional[_Union[Public, _Mapping]] = ..., self: _Optional[_Union[Self, _Mapping]] = ..., require: _Optional[_Union[Require, _Mapping]] = ..., tenancy: _Optional[_Union[Tenancy, str]] = ..., tenancy_reason: _Optional[str] = ..., freshness: _Optional[_Union[Freshness, str]] = ..., on_auth_outage: _Optional[_Union[OutageMode, str]] = ..., assurance: _Optional[_Union[Assurance, _Mapping]] = ..., audit: _Optional[_Union[Audit, _Mapping]] = ..., break_glass: _Optional[_Union[BreakGlass, str]] = ..., idempotency: _Optional[_Union[Idempotency, str]] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., link: _Optional[_Union[Link, str]] = ..., exposure: _Optional[_Union[Exposure, str]] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class Public(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Self(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Require(_message.Message):
    __slots__ = ("permission", "resource")
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    permission: str
    resource: str
    def __init__(self, permission: _Optional[str] = ..., resource: _Optional[str] = ...) -> None: ...

class Assurance(_message.Message):
    __slots__ = ("level", "max_age")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    level: int
    max_age: _duration_pb2.Duration
    def __init__(self, level: _Optional[int] = ..., max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Audit(_message.Message):
    __slots__ = ("kind", "reason", "subjects")
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    kind: AuditKind
    reason: str
    subjects: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, kind: _Optional[_Union[AuditKind, str]] = ..., reason: _Optional[str] = ..., subjects: _Optional[_Iterable[str]] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("deadline",)
    CLASS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    deadline: _duration_pb2.Duration
    def __init__(self, deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., **kwargs) -> None: ...
