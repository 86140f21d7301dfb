from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FigureKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIGURE_KIND_UNSPECIFIED: _ClassVar[FigureKind]
    FIGURE_KIND_DIMENSION: _ClassVar[FigureKind]
    FIGURE_KIND_AMOUNT: _ClassVar[FigureKind]

class DataClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_CLASS_UNSPECIFIED: _ClassVar[DataClass]
    DATA_CLASS_PUBLIC: _ClassVar[DataClass]
    DATA_CLASS_OPERATIONAL: _ClassVar[DataClass]
    DATA_CLASS_PERSONAL: _ClassVar[DataClass]
    DATA_CLASS_HEALTH: _ClassVar[DataClass]
    DATA_CLASS_SECRET: _ClassVar[DataClass]

class Identifier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDENTIFIER_UNSPECIFIED: _ClassVar[Identifier]
    IDENTIFIER_DIRECT: _ClassVar[Identifier]
    IDENTIFIER_PSEUDONYM: _ClassVar[Identifier]

class Category(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CATEGORY_UNSPECIFIED: _ClassVar[Category]
    CATEGORY_IDENTITY: _ClassVar[Category]
    CATEGORY_CONTACT: _ClassVar[Category]
    CATEGORY_NATIONAL_IDENTIFIER: _ClassVar[Category]
    CATEGORY_CARE_EPISODE: _ClassVar[Category]
    CATEGORY_OBSERVATION: _ClassVar[Category]
    CATEGORY_CREDENTIAL: _ClassVar[Category]
    CATEGORY_ACTIVITY: _ClassVar[Category]
    CATEGORY_AUTHORIZATION: _ClassVar[Category]
    CATEGORY_DOCUMENT: _ClassVar[Category]
    CATEGORY_BILLING: _ClassVar[Category]

class Erasure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_UNSPECIFIED: _ClassVar[Erasure]
    ERASURE_SHRED: _ClassVar[Erasure]
    ERASURE_NULLIFY: _ClassVar[Erasure]
    ERASURE_GENERALISE: _ClassVar[Erasure]
    ERASURE_KEEP_LEGAL: _ClassVar[Erasure]

class Search(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_UNSPECIFIED: _ClassVar[Search]
    SEARCH_EXACT: _ClassVar[Search]
    SEARCH_NORMALIZED: _ClassVar[Search]
FIGURE_KIND_UNSPECIFIED: FigureKind
FIGURE_KIND_DIMENSION: FigureKind
FIGURE_KIND_AMOUNT: FigureKind
DATA_CLASS_UNSPECIFIED: DataClass
DATA_CLASS_PUBLIC: DataClass
DATA_CLASS_OPERATIONAL: DataClass
DATA_CLASS_PERSONAL: DataClass
DATA_CLASS_HEALTH: DataClass
DATA_CLASS_SECRET: DataClass
IDENTIFIER_UNSPECIFIED: Identifier
IDENTIFIER_DIRECT: Identifier
IDENTIFIER_PSEUDONYM: Identifier
CATEGORY_UNSPECIFIED: Category
CATEGORY_IDENTITY: Category
CATEGORY_CONTACT: Category
CATEGORY_NATIONAL_IDENTIFIER: Category
CATEGORY_CARE_EPISODE: Category
CATEGORY_OBSERVATION: Category
CATEGORY_CREDENTIAL: Category
CATEGORY_ACTIVITY: Category
CATEGORY_AUTHORIZATION: Category
CATEGORY_DOCUMENT: Category
CATEGORY_BILLING: Category
ERASURE_UNSPECIFIED: Erasure
ERASURE_SHRED: Erasure
ERASURE_NULLIFY: Erasure
ERASURE_GENERALISE: Erasure
ERASURE_KEEP_LEGAL: Erasure
SEARCH_UNSPECIFIED: Search
SEARCH_EXACT: Search
SEARCH_NORMALIZED: Search
DATA_FIELD_NUMBER: _ClassVar[int]
data: _descriptor.FieldDescriptor
FIELDS_FIELD_NUMBER: _ClassVar[int]
fields: _descriptor.FieldDescriptor

class FieldData(_message.Message):
    __slots__ = ("subject", "sealed", "identifier", "category", "erasure", "portable", "search", "retention", "figure")
    CLASS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    PORTABLE_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    subject: str
    sealed: bool
    identifier: Identifier
    category: Category
    erasure: Erasure
    portable: bool
    search: Search
    retention: str
    figure: Figure
    def __init__(self, subject: _Optional[str] = ..., sealed: _Optional[bool] = ..., identifier: _Optional[_Union[Identifier, str]] = ..., category: _Optional[_Union[Category, str]] = ..., erasure: _Optional[_Union[Erasure, str]] = ..., portable: _Optional[bool] = ..., search: _Optional[_Union[Search, str]] = ..., retention: _Optional[str] = ..., figure: _Optional[_Union[Figure, _Mapping]] = ..., **kwargs) -> None: ...

class Figure(_message.Message):
    __slots__ = ("kind", "shape")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    kind: FigureKind
    shape: str
    def __init__(self, kind: _Optional[_Union[FigureKind, str]] = ..., shape: _Optional[str] = ...) -> None: ...
