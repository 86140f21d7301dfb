import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.event.v1 import audit_event_pb2 as _audit_event_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditEvent(_message.Message):
    __slots__ = ("name", "leaf_index", "source", "source_seq", "occurred_time", "record_time", "kind", "outcome", "method", "action", "purpose", "entity", "operation", "fields", "break_glass", "auth_degraded", "count", "subject", "resource", "before", "after", "detail", "actor", "on_behalf", "session", "peer", "trace", "subject_forgotten", "actor_forgotten", "sealed_altered")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEAF_INDEX_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SEQ_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_TIME_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    AUTH_DEGRADED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ON_BEHALF_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FORGOTTEN_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FORGOTTEN_FIELD_NUMBER: _ClassVar[int]
    SEALED_ALTERED_FIELD_NUMBER: _ClassVar[int]
    name: str
    leaf_index: int
    source: str
    source_seq: int
    occurred_time: _timestamp_pb2.Timestamp
    record_time: _timestamp_pb2.Timestamp
    kind: _audit_event_pb2.EventKind
    outcome: _audit_event_pb2.Outcome
    method: str
    action: str
    purpose: str
    entity: str
    operation: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    break_glass: bool
    auth_degraded: bool
    count: int
    subject: str
    resource: str
    before: str
    after: str
    detail: str
    actor: str
    on_behalf: str
    session: str
    peer: str
    trace: str
    subject_forgotten: bool
    actor_forgotten: bool
    sealed_altered: bool
    def __init__(self, name: _Optional[str] = ..., leaf_index: _Optional[int] = ..., source: _Optional[str] = ..., source_seq: _Optional[int] = ..., occurred_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[_audit_event_pb2.EventKind, str]] = ..., outcome: _Optional[_Union[_audit_event_pb2.Outcome, str]] = ..., method: _Optional[str] = ..., action: _Optional[str] = ..., purpose: _Optional[str] = ..., entity: _Optional[str] = ..., operation: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., break_glass: _Optional[bool] = ..., auth_degraded: _Optional[bool] = ..., count: _Optional[int] = ..., subject: _Optional[str] = ..., resource: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., detail: _Optional[str] = ..., actor: _Optional[str] = ..., on_behalf: _Optional[str] = ..., session: _Optional[str] = ..., peer: _Optional[str] = ..., trace: _Optional[str] = ..., subject_forgotten: _Optional[bool] = ..., actor_forgotten: _Optional[bool] = ..., sealed_altered: _Optional[bool] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("name", "origin", "tree_size", "root_hash", "note", "verifier_key")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TREE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_HASH_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    VERIFIER_KEY_FIELD_NUMBER: _ClassVar[int]
    name: str
    origin: str
    tree_size: int
    root_hash: bytes
    note: str
    verifier_key: str
    def __init__(self, name: _Optional[str] = ..., origin: _Optional[str] = ..., tree_size: _Optional[int] = ..., root_hash: _Optional[bytes] = ..., note: _Optional[str] = ..., verifier_key: _Optional[str] = ...) -> None: ...

class SourceCompleteness(_message.Message):
    __slots__ = ("source", "first_seq", "last_seq", "count", "missing")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    source: str
    first_seq: int
    last_seq: int
    count: int
    missing: _containers.RepeatedCompositeFieldContainer[SequenceGap]
    def __init__(self, source: _Optional[str] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ..., count: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[SequenceGap, _Mapping]]] = ...) -> None: ...

class SequenceGap(_message.Message):
    __slots__ = ("first_seq", "last_seq")
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    first_seq: int
    last_seq: int
    def __init__(self, first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ...) -> None: ...
