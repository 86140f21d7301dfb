from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeyWanted(_message.Message):
    __slots__ = ("organization_id", "subject", "retention_class", "month")
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RETENTION_CLASS_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    organization_id: str
    subject: str
    retention_class: str
    month: str
    def __init__(self, organization_id: _Optional[str] = ..., subject: _Optional[str] = ..., retention_class: _Optional[str] = ..., month: _Optional[str] = ...) -> None: ...

class SealingKey(_message.Message):
    __slots__ = ("key", "subject_ref", "data_key")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    DATA_KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    subject_ref: str
    data_key: bytes
    def __init__(self, key: _Optional[str] = ..., subject_ref: _Optional[str] = ..., data_key: _Optional[bytes] = ...) -> None: ...

class ProvisionKeysRequest(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[KeyWanted]
    def __init__(self, keys: _Optional[_Iterable[_Union[KeyWanted, _Mapping]]] = ...) -> None: ...

class ProvisionKeysResponse(_message.Message):
    __slots__ = ("keys",)
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[SealingKey]
    def __init__(self, keys: _Optional[_Iterable[_Union[SealingKey, _Mapping]]] = ...) -> None: ...
