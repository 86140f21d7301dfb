from buf.validate import validate_pb2 as _validate_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from medhub.auth.v1 import auth_state_pb2 as _auth_state_pb2
from medhub.auth.v1 import membership_pb2 as _membership_pb2
from medhub.options.v1 import data_pb2 as _data_pb2
from medhub.options.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchRequest(_message.Message):
    __slots__ = ("from_revision", "history", "probe")
    FROM_REVISION_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    from_revision: int
    history: str
    probe: int
    def __init__(self, from_revision: _Optional[int] = ..., history: _Optional[str] = ..., probe: _Optional[int] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("snapshot", "delta", "checkpoint")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    snapshot: _auth_state_pb2.Snapshot
    delta: _auth_state_pb2.Delta
    checkpoint: _auth_state_pb2.Checkpoint
    def __init__(self, snapshot: _Optional[_Union[_auth_state_pb2.Snapshot, _Mapping]] = ..., delta: _Optional[_Union[_auth_state_pb2.Delta, _Mapping]] = ..., checkpoint: _Optional[_Union[_auth_state_pb2.Checkpoint, _Mapping]] = ...) -> None: ...

class ResolvePrincipalRequest(_message.Message):
    __slots__ = ("access_token",)
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_token: str
    def __init__(self, access_token: _Optional[str] = ...) -> None: ...

class ResolvePrincipalResponse(_message.Message):
    __slots__ = ("subject_id", "organization_id", "roles", "auth_revision", "permissions", "actor_roles", "grants", "bindings")
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    AUTH_REVISION_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_ROLES_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    organization_id: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    auth_revision: int
    permissions: _containers.RepeatedScalarFieldContainer[str]
    actor_roles: _containers.RepeatedScalarFieldContainer[str]
    grants: _containers.RepeatedCompositeFieldContainer[_auth_state_pb2.AccessGrantChanged]
    bindings: _containers.RepeatedCompositeFieldContainer[_membership_pb2.RoleBinding]
    def __init__(self, subject_id: _Optional[str] = ..., organization_id: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., auth_revision: _Optional[int] = ..., permissions: _Optional[_Iterable[str]] = ..., actor_roles: _Optional[_Iterable[str]] = ..., grants: _Optional[_Iterable[_Union[_auth_state_pb2.AccessGrantChanged, _Mapping]]] = ..., bindings: _Optional[_Iterable[_Union[_membership_pb2.RoleBinding, _Mapping]]] = ...) -> None: ...
