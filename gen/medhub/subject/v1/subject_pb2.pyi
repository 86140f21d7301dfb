from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Standing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STANDING_UNSPECIFIED: _ClassVar[Standing]
    STANDING_KNOWN: _ClassVar[Standing]
    STANDING_UNKNOWN: _ClassVar[Standing]
    STANDING_NOT_REGISTERED_HERE: _ClassVar[Standing]
STANDING_UNSPECIFIED: Standing
STANDING_KNOWN: Standing
STANDING_UNKNOWN: Standing
STANDING_NOT_REGISTERED_HERE: Standing

class Occasion(_message.Message):
    __slots__ = ("request", "requester")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    request: str
    requester: str
    def __init__(self, request: _Optional[str] = ..., requester: _Optional[str] = ...) -> None: ...

class HeldTable(_message.Message):
    __slots__ = ("table", "collection", "count", "fields")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    table: str
    collection: str
    count: int
    fields: _containers.RepeatedCompositeFieldContainer[HeldField]
    def __init__(self, table: _Optional[str] = ..., collection: _Optional[str] = ..., count: _Optional[int] = ..., fields: _Optional[_Iterable[_Union[HeldField, _Mapping]]] = ...) -> None: ...

class HeldField(_message.Message):
    __slots__ = ("column", "field", "meaning", "category", "retention", "portable", "withheld")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MEANING_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    PORTABLE_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    column: str
    field: str
    meaning: str
    category: _data_pb2.Category
    retention: str
    portable: bool
    withheld: str
    def __init__(self, column: _Optional[str] = ..., field: _Optional[str] = ..., meaning: _Optional[str] = ..., category: _Optional[_Union[_data_pb2.Category, str]] = ..., retention: _Optional[str] = ..., portable: _Optional[bool] = ..., withheld: _Optional[str] = ..., **kwargs) -> None: ...

class HeldRecord(_message.Message):
    __slots__ = ("table", "values", "continues")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    CONTINUES_FIELD_NUMBER: _ClassVar[int]
    table: str
    values: str
    continues: bool
    def __init__(self, table: _Optional[str] = ..., values: _Optional[str] = ..., continues: _Optional[bool] = ...) -> None: ...
