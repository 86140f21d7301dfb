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

class ErasureAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_ACTION_UNSPECIFIED: _ClassVar[ErasureAction]
    ERASURE_ACTION_DELETE: _ClassVar[ErasureAction]
    ERASURE_ACTION_DESTROY_KEY: _ClassVar[ErasureAction]
    ERASURE_ACTION_KEEP: _ClassVar[ErasureAction]

class ErasureOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_OUTCOME_UNSPECIFIED: _ClassVar[ErasureOutcome]
    ERASURE_OUTCOME_ERASED: _ClassVar[ErasureOutcome]
    ERASURE_OUTCOME_PARTLY_KEPT: _ClassVar[ErasureOutcome]
    ERASURE_OUTCOME_KEPT_BY_LAW: _ClassVar[ErasureOutcome]
    ERASURE_OUTCOME_NOTHING_FOUND: _ClassVar[ErasureOutcome]
ERASURE_ACTION_UNSPECIFIED: ErasureAction
ERASURE_ACTION_DELETE: ErasureAction
ERASURE_ACTION_DESTROY_KEY: ErasureAction
ERASURE_ACTION_KEEP: ErasureAction
ERASURE_OUTCOME_UNSPECIFIED: ErasureOutcome
ERASURE_OUTCOME_ERASED: ErasureOutcome
ERASURE_OUTCOME_PARTLY_KEPT: ErasureOutcome
ERASURE_OUTCOME_KEPT_BY_LAW: ErasureOutcome
ERASURE_OUTCOME_NOTHING_FOUND: ErasureOutcome

class ErasedTable(_message.Message):
    __slots__ = ("table", "collection", "action", "count", "rows", "retention", "ground", "keep_until")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    GROUND_FIELD_NUMBER: _ClassVar[int]
    KEEP_UNTIL_FIELD_NUMBER: _ClassVar[int]
    table: str
    collection: str
    action: ErasureAction
    count: int
    rows: bytes
    retention: str
    ground: str
    keep_until: _timestamp_pb2.Timestamp
    def __init__(self, table: _Optional[str] = ..., collection: _Optional[str] = ..., action: _Optional[_Union[ErasureAction, str]] = ..., count: _Optional[int] = ..., rows: _Optional[bytes] = ..., retention: _Optional[str] = ..., ground: _Optional[str] = ..., keep_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ErasureReceipt(_message.Message):
    __slots__ = ("service", "request", "plan_digest", "execute_time", "outcome", "tables", "destroyed_keys", "note", "verifier_key")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    PLAN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXECUTE_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_KEYS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    VERIFIER_KEY_FIELD_NUMBER: _ClassVar[int]
    service: str
    request: str
    plan_digest: bytes
    execute_time: _timestamp_pb2.Timestamp
    outcome: ErasureOutcome
    tables: _containers.RepeatedCompositeFieldContainer[ErasedTable]
    destroyed_keys: _containers.RepeatedScalarFieldContainer[str]
    note: bytes
    verifier_key: str
    def __init__(self, service: _Optional[str] = ..., request: _Optional[str] = ..., plan_digest: _Optional[bytes] = ..., execute_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[ErasureOutcome, str]] = ..., tables: _Optional[_Iterable[_Union[ErasedTable, _Mapping]]] = ..., destroyed_keys: _Optional[_Iterable[str]] = ..., note: _Optional[bytes] = ..., verifier_key: _Optional[str] = ...) -> None: ...
