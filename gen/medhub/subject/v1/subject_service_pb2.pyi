import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from medhub.subject.v1 import erasure_pb2 as _erasure_pb2
from medhub.subject.v1 import subject_pb2 as _subject_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindSubjectRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ...) -> None: ...

class FindSubjectResponse(_message.Message):
    __slots__ = ("standing", "identities", "tables")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    standing: _subject_pb2.Standing
    identities: _containers.RepeatedScalarFieldContainer[str]
    tables: _containers.RepeatedCompositeFieldContainer[_subject_pb2.HeldTable]
    def __init__(self, standing: _Optional[_Union[_subject_pb2.Standing, str]] = ..., identities: _Optional[_Iterable[str]] = ..., tables: _Optional[_Iterable[_Union[_subject_pb2.HeldTable, _Mapping]]] = ...) -> None: ...

class ExportSubjectRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ...) -> None: ...

class ExportSubjectResponse(_message.Message):
    __slots__ = ("records", "tables", "complete")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_subject_pb2.HeldRecord]
    tables: _containers.RepeatedCompositeFieldContainer[_subject_pb2.HeldTable]
    complete: bool
    def __init__(self, records: _Optional[_Iterable[_Union[_subject_pb2.HeldRecord, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[_subject_pb2.HeldTable, _Mapping]]] = ..., complete: _Optional[bool] = ...) -> None: ...

class KeptElsewhere(_message.Message):
    __slots__ = ("until",)
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    until: _timestamp_pb2.Timestamp
    def __init__(self, until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlanErasureRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion", "kept_elsewhere")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    KEPT_ELSEWHERE_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    kept_elsewhere: KeptElsewhere
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ..., kept_elsewhere: _Optional[_Union[KeptElsewhere, _Mapping]] = ...) -> None: ...

class PlanErasureResponse(_message.Message):
    __slots__ = ("standing", "identities", "tables", "digest")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    standing: _subject_pb2.Standing
    identities: _containers.RepeatedScalarFieldContainer[str]
    tables: _containers.RepeatedCompositeFieldContainer[_erasure_pb2.ErasedTable]
    digest: bytes
    def __init__(self, standing: _Optional[_Union[_subject_pb2.Standing, str]] = ..., identities: _Optional[_Iterable[str]] = ..., tables: _Optional[_Iterable[_Union[_erasure_pb2.ErasedTable, _Mapping]]] = ..., digest: _Optional[bytes] = ...) -> None: ...

class ExecuteErasureRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion", "kept_elsewhere", "plan_digest")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    KEPT_ELSEWHERE_FIELD_NUMBER: _ClassVar[int]
    PLAN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    kept_elsewhere: KeptElsewhere
    plan_digest: bytes
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ..., kept_elsewhere: _Optional[_Union[KeptElsewhere, _Mapping]] = ..., plan_digest: _Optional[bytes] = ...) -> None: ...

class RestrictSubjectRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ...) -> None: ...

class RestrictSubjectResponse(_message.Message):
    __slots__ = ("standing", "identities")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    standing: _subject_pb2.Standing
    identities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, standing: _Optional[_Union[_subject_pb2.Standing, str]] = ..., identities: _Optional[_Iterable[str]] = ...) -> None: ...

class LiftSubjectRestrictionRequest(_message.Message):
    __slots__ = ("organization_id", "subject", "also_known_as", "occasion")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ALSO_KNOWN_AS_FIELD_NUMBER: _ClassVar[int]
    OCCASION_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    also_known_as: _containers.RepeatedScalarFieldContainer[str]
    occasion: _subject_pb2.Occasion
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., also_known_as: _Optional[_Iterable[str]] = ..., occasion: _Optional[_Union[_subject_pb2.Occasion, _Mapping]] = ...) -> None: ...

class LiftSubjectRestrictionResponse(_message.Message):
    __slots__ = ("standing", "identities")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    standing: _subject_pb2.Standing
    identities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, standing: _Optional[_Union[_subject_pb2.Standing, str]] = ..., identities: _Optional[_Iterable[str]] = ...) -> None: ...
