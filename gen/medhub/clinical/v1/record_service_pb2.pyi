from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.clinical.v1 import encounter_pb2 as _encounter_pb2
from medhub.clinical.v1 import observation_pb2 as _observation_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetEncounterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListEncountersRequest(_message.Message):
    __slots__ = ("patient", "page_size", "page_token")
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient: str
    page_size: int
    page_token: str
    def __init__(self, patient: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEncountersResponse(_message.Message):
    __slots__ = ("encounters", "next_page_token")
    ENCOUNTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    encounters: _containers.RepeatedCompositeFieldContainer[_encounter_pb2.Encounter]
    next_page_token: str
    def __init__(self, encounters: _Optional[_Iterable[_Union[_encounter_pb2.Encounter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListObservationsRequest(_message.Message):
    __slots__ = ("patient", "page_size", "page_token", "code", "show_superseded")
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SHOW_SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    patient: str
    page_size: int
    page_token: str
    code: str
    show_superseded: bool
    def __init__(self, patient: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., code: _Optional[str] = ..., show_superseded: _Optional[bool] = ...) -> None: ...

class ListObservationsResponse(_message.Message):
    __slots__ = ("observations", "next_page_token")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    observations: _containers.RepeatedCompositeFieldContainer[_observation_pb2.Observation]
    next_page_token: str
    def __init__(self, observations: _Optional[_Iterable[_Union[_observation_pb2.Observation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
