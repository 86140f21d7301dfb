from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.rpc import code_pb2 as _code_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
REASON_FIELD_NUMBER: _ClassVar[int]
reason: _descriptor.FieldDescriptor

class Reason(_message.Message):
    __slots__ = ("code", "en", "fr", "de", "metadata")
    CODE_FIELD_NUMBER: _ClassVar[int]
    EN_FIELD_NUMBER: _ClassVar[int]
    FR_FIELD_NUMBER: _ClassVar[int]
    DE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    code: _code_pb2.Code
    en: str
    fr: str
    de: str
    metadata: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[_Union[_code_pb2.Code, str]] = ..., en: _Optional[str] = ..., fr: _Optional[str] = ..., de: _Optional[str] = ..., metadata: _Optional[_Iterable[str]] = ...) -> None: ...
