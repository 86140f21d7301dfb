"""Bindings on the wire."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from auth.domain.bindings import Binding
from auth.servicers.times import timestamp
from core.errors import InvalidField
from medhub.auth.v1.membership_pb2 import RoleBinding


def binding_to_proto(binding: Binding) -> RoleBinding:
    """A role and its period."""
    return RoleBinding(
        role=binding.role,
        start_time=timestamp(binding.starts_at),
        end_time=timestamp(binding.ends_at),
    )


def binding_from_proto(message: RoleBinding, *, field: str) -> Binding:
    """Raises InvalidField for a time that is none."""
    return Binding(
        message.role,
        _time(message.start_time, field) if message.HasField("start_time") else None,
        _time(message.end_time, field) if message.HasField("end_time") else None,
    )


def _time(moment: Timestamp, field: str) -> datetime:
    try:
        return moment.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field=field, rule="period") from None
