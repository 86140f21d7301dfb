"""Stored events as they are shown: opened as far as their keys live."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from compliance.domain.events import holds
from compliance.storage.events import Leaf
from compliance.storage.keys import Keys
from core.audit.parts import Part, associated
from core.crypto.seal import Unopenable, open_sealed
from core.ids import name_of
from medhub.compliance.v1.audit_pb2 import AuditEvent
from medhub.event.v1.audit_event_pb2 import ActorPart, ClearPart, SealedParts, SubjectPart

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A stored event taken apart; `sealed` is None when it is not what the log took in."""

    leaf: Leaf
    clear: ClearPart
    sealed: SealedParts | None


async def opened(leaves: Sequence[Leaf], keys: Keys) -> list[AuditEvent]:
    """The events to show. All keys of a page are read together."""
    taken = [_taken(leaf) for leaf in leaves]
    secrets = await keys.open(_names(taken))
    return [_event_to_proto(event, secrets) for event in taken]


def _taken(leaf: Leaf) -> _Taken:
    clear = ClearPart.FromString(leaf.clear)
    if not holds(leaf.stored, leaf.sealed):
        return _Taken(leaf, clear, None)
    try:
        return _Taken(leaf, clear, SealedParts.FromString(leaf.sealed))
    except DecodeError:
        return _Taken(leaf, clear, None)


def _names(taken: Iterable[_Taken]) -> set[str]:
    sealed = [event.sealed for event in taken if event.sealed is not None]
    return {name for parts in sealed for name in (parts.subject_key, parts.actor_key) if name}


def _event_to_proto(taken: _Taken, secrets: Mapping[str, bytes]) -> AuditEvent:
    event = _clear_to_proto(taken)
    sealed = taken.sealed
    if sealed is None:
        return _altered(event)
    try:
        subject = _part(taken, Part.SUBJECT, sealed.subject_key, sealed.subject_part, secrets)
        actor = _part(taken, Part.ACTOR, sealed.actor_key, sealed.actor_part, secrets)
        event.subject_forgotten = subject is None
        event.actor_forgotten = actor is None
        _show_subject(event, SubjectPart.FromString(subject or b""))
        _show_actor(event, ActorPart.FromString(actor or b""))
    except (Unopenable, DecodeError):
        return _altered(_clear_to_proto(taken))
    return event


def _part(
    taken: _Taken, part: Part, key: str, sealed: bytes, secrets: Mapping[str, bytes]
) -> bytes | None:
    """One part in clear; None when its key is gone; nothing where there is no part.

    Raises Unopenable.
    """
    if not sealed:
        return b""
    if key not in secrets:
        return None
    clear = taken.clear
    bound = associated(part, event_id=clear.event_id, organization=clear.organization_id, key=key)
    return open_sealed(secrets[key], sealed, bound)


def _altered(event: AuditEvent) -> AuditEvent:
    _LOG.critical(
        "the sealed part of an audit event was altered",
        extra={"event": event.name, "leaf_index": event.leaf_index},
    )
    event.sealed_altered = True
    return event


def _clear_to_proto(taken: _Taken) -> AuditEvent:
    clear = taken.clear
    event = AuditEvent(
        name=name_of("auditEvents", taken.leaf.event_id),
        leaf_index=taken.leaf.leaf_index,
        source=clear.source,
        source_seq=clear.source_seq,
        occurred_time=clear.occurred_time,
        kind=clear.kind,
        outcome=clear.outcome,
        method=clear.method,
        action=clear.action,
        purpose=clear.purpose,
        entity=clear.entity,
        operation=clear.operation,
        fields=clear.fields,
        break_glass=clear.break_glass,
        auth_degraded=clear.auth_degraded,
        count=clear.count,
    )
    event.record_time.FromDatetime(taken.leaf.recorded_at)
    return event


def _show_subject(event: AuditEvent, part: SubjectPart) -> None:
    event.subject = part.subject
    event.resource = part.resource
    event.before = part.before
    event.after = part.after
    event.detail = part.detail


def _show_actor(event: AuditEvent, part: ActorPart) -> None:
    event.actor = part.actor
    event.on_behalf = part.on_behalf
    event.session = part.session
    event.peer = part.peer
    event.trace = part.trace
