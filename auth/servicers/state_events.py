"""Events of the auth state: from rows to messages."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

from auth.servicers.times import timestamp
from auth.signing import ALGORITHM
from auth.storage.state import Told
from medhub.auth.v1 import auth_state_pb2 as wire
from medhub.auth.v1.auth_state_service_pb2 import WatchResponse
from medhub.auth.v1.membership_pb2 import RoleBinding

CHUNK_BYTES = 256 * 1024
"""A part of a snapshot is at most this large, so that other messages are not held up."""

Row: TypeAlias = tuple[int, Mapping[str, Any]]

_KEY_STATES = {
    "active": wire.KEY_STATE_ACTIVE,
    "retired": wire.KEY_STATE_RETIRED,
    "revoked": wire.KEY_STATE_REVOKED,
}


def event_to_proto(revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    """An event as its row keeps it; epochs are the revision at which they were said."""
    return _MAKERS[event["kind"]](revision, event)


def deltas(rows: Iterable[Row]) -> Iterator[WatchResponse]:
    """One message per commit, for rows in the order of their revisions."""
    for revision, group in groupby(rows, key=lambda row: row[0]):
        events = [event_to_proto(*row) for row in group]
        yield WatchResponse(
            delta=wire.Delta(previous_revision=revision - 1, revision=revision, events=events)
        )


def snapshot(told: Told) -> Iterator[WatchResponse]:
    """The whole state in parts of at most CHUNK_BYTES; the last one says so."""
    part = wire.Snapshot(revision=told.revision)
    size = 0
    for row in told.events:
        event = event_to_proto(*row)
        if size + event.ByteSize() > CHUNK_BYTES:
            yield WatchResponse(snapshot=part)
            part, size = wire.Snapshot(revision=told.revision), 0
        part.events.append(event)
        size += event.ByteSize()
    part.last, part.history = True, str(told.history)
    yield WatchResponse(snapshot=part)


def checkpoint(told: Told, probe: int, as_of: datetime) -> WatchResponse:
    """The revision that the database had when it was asked."""
    return WatchResponse(
        checkpoint=wire.Checkpoint(
            revision=told.revision,
            probe=probe,
            as_of=timestamp(as_of),
            history=str(told.history),
        )
    )


def _time(event: Mapping[str, Any], name: str) -> Any:
    text = event.get(name)
    return timestamp(datetime.fromisoformat(text)) if text else None


def _session_revoked(_revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        session_revoked=wire.SessionRevoked(
            session_id=event["session"], forget_time=_time(event, "forget_at")
        )
    )


def _subject_epoch(revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        subject_epoch=wire.SubjectEpoch(
            subject_id=event["subject"], epoch=revision, forget_time=_time(event, "forget_at")
        )
    )


def _membership_changed(_revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        membership_changed=wire.MembershipChanged(
            subject_id=event["subject"],
            organization_id=event["organization"],
            roles=event["roles"],
            ended=event["ended"],
            # Not there in what was said before there were periods.
            bindings=[
                RoleBinding(
                    role=each["role"],
                    start_time=_time(each, "starts_at"),
                    end_time=_time(each, "ends_at"),
                )
                for each in event.get("timed", ())
            ],
        )
    )


def _membership_epoch(revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        membership_epoch=wire.MembershipEpoch(
            subject_id=event["subject"],
            organization_id=event["organization"],
            epoch=revision,
            forget_time=_time(event, "forget_at"),
        )
    )


def _global_epoch(revision: int, _event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(global_epoch=wire.GlobalEpoch(epoch=revision))


def _organization_epoch(revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        organization_epoch=wire.OrganizationEpoch(
            organization_id=event["organization"], epoch=revision, suspended=event["suspended"]
        )
    )


def _key_changed(_revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        key_changed=wire.KeyChanged(
            kid=event["kid"],
            algorithm=ALGORITHM,
            public_key=bytes.fromhex(event["public_key"]),
            state=_KEY_STATES[event["state"]],
            not_after=_time(event, "not_after"),
        )
    )


def _role_changed(_revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        role_changed=wire.RoleChanged(
            organization_id=event["organization"],
            role=event["role"],
            permissions=event["permissions"],
        )
    )


def _access_grant_changed(_revision: int, event: Mapping[str, Any]) -> wire.StateEvent:
    return wire.StateEvent(
        access_grant_changed=wire.AccessGrantChanged(
            grant_id=event["grant"],
            subject_id=event["subject"],
            organization_id=event["organization"],
            patient_id=event["patient"],
            break_glass=event["break_glass"],
            start_time=_time(event, "starts_at"),
            end_time=_time(event, "ends_at"),
            revoked=event["revoked"],
        )
    )


_MAKERS: Mapping[str, Callable[[int, Mapping[str, Any]], wire.StateEvent]] = {
    "session_revoked": _session_revoked,
    "subject_epoch": _subject_epoch,
    "membership_changed": _membership_changed,
    "membership_epoch": _membership_epoch,
    "global_epoch": _global_epoch,
    "organization_epoch": _organization_epoch,
    "key_changed": _key_changed,
    "role_changed": _role_changed,
    "access_grant_changed": _access_grant_changed,
}
