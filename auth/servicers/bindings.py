"""Bindings on the wire."""

from auth.domain.bindings import Binding
from auth.servicers.times import moment_from, timestamp
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
    starts_at, ends_at = (
        moment_from(at, field=field, rule="period") if message.HasField(name) else None
        for name, at in (("start_time", message.start_time), ("end_time", message.end_time))
    )
    return Binding(message.role, starts_at, ends_at)
