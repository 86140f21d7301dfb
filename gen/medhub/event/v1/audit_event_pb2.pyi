import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_CHANGE: _ClassVar[EventKind]
    EVENT_KIND_ACCESS: _ClassVar[EventKind]
    EVENT_KIND_REFUSAL: _ClassVar[EventKind]
    EVENT_KIND_ACT: _ClassVar[EventKind]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_SUCCESS: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_CHANGE: EventKind
EVENT_KIND_ACCESS: EventKind
EVENT_KIND_REFUSAL: EventKind
EVENT_KIND_ACT: EventKind
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_SUCCESS: Outcome
OUTCOME_REFUSED: Outcome

class SealedEvent(_message.Message):
    __slots__ = ("clear", "sealed")
    CLEAR_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    clear: bytes
    sealed: bytes
    def __init__(self, clear: _Optional[bytes] = ..., sealed: _Optional[bytes] = ...) -> None: ...

class ClearPart(_message.Message):
    __slots__ = ("event_id", "organization_id", "source", "source_seq", "occurred_time", "kind", "method", "action", "outcome", "purpose", "entity", "operation", "fields", "subject_ref", "actor_ref", "break_glass", "auth_degraded", "count")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SEQ_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    ACTOR_REF_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    AUTH_DEGRADED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    organization_id: str
    source: str
    source_seq: int
    occurred_time: _timestamp_pb2.Timestamp
    kind: EventKind
    method: str
    action: str
    outcome: Outcome
    purpose: str
    entity: str
    operation: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    subject_ref: str
    actor_ref: str
    break_glass: bool
    auth_degraded: bool
    count: int
    def __init__(self, event_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., source: _Optional[str] = ..., source_seq: _Optional[int] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[EventKind, str]] = ..., method: _Optional[str] = ..., action: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., purpose: _Optional[str] = ..., entity: _Optional[str] = ..., operation: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., subject_ref: _Optional[str] = ..., actor_ref: _Optional[str] = ..., break_glass: _Optional[bool] = ..., auth_degraded: _Optional[bool] = ..., count: _Optional[int] = ...) -> None: ...

class SealedParts(_message.Message):
    __slots__ = ("subject_key", "subject_part", "actor_key", "actor_part")
    SUBJECT_KEY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_PART_FIELD_NUMBER: _ClassVar[int]
    ACTOR_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_PART_FIELD_NUMBER: _ClassVar[int]
    subject_key: str
    subject_part: bytes
    actor_key: str
    actor_part: bytes
    def __init__(self, subject_key: _Optional[str] = ..., subject_part: _Optional[bytes] = ..., actor_key: _Optional[str] = ..., actor_part: _Optional[bytes] = ...) -> None: ...

class SubjectPart(_message.Message):
    __slots__ = ("subject", "resource", "before", "after", "detail")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    subject: str
    resource: str
    before: str
    after: str
    detail: str
    def __init__(self, subject: _Optional[str] = ..., resource: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class ActorPart(_message.Message):
    __slots__ = ("actor", "on_behalf", "session", "peer", "trace")
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    actor: str
    on_behalf: str
    session: str
    peer: str
    trace: str
    def __init__(self, actor: _Optional[str] = ..., on_behalf: _Optional[str] = ..., session: _Optional[str] = ..., peer: _Optional[str] = ..., trace: _Optional[str] = ...) -> None: ...
