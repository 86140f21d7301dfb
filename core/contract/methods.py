"""One method of a contract: its policy, checked, in the form that a server works with."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from core.contract.paths import Subjects, has_field
from medhub.options.v1 import policy_pb2 as options

# A policy that says nothing of the deadline allows this many seconds.
DEADLINE_CEILING_SECONDS = 60.0
# How old the proof of identity may be, in seconds (a method that asks each time: none).
FRESHNESS_SECONDS = {
    options.FRESHNESS_READ: 10.0,
    options.FRESHNESS_WRITE: 2.0,
    options.FRESHNESS_FRESH: 0.0,
}


class Malformed(Exception):
    """A contract that must not be served: which method, and what is wrong with it."""

    def __init__(self, method: str, fault: str) -> None:
        super().__init__(f"{method}: {fault}")


class Access(StrEnum):
    """Who may call."""

    PUBLIC = "public"
    SELF = "self"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class Method:
    """A method as its contract declares it. Durations are in seconds."""

    path: str
    name: str
    service: str
    policy: options.MethodPolicy
    access: Access
    permission: str
    needs_organization: bool
    freshness: float
    continues_reads: bool
    level: int
    max_age: float | None
    # Whether a grant of access stands in for a care link: where one is asked for, and only to read.
    takes_grants: bool
    # Whether an emergency's does, too.
    break_glass: bool
    audit: options.AuditKind
    subjects: Subjects
    by_request_id: bool
    load: options.LoadClass
    deadline: float
    # What a call is for, as the trail says it: care, or administration.
    purpose: str
    # Where the request names its object; empty for nowhere.
    resource: tuple[str, ...]
    # Generated message classes: their members are made when they are loaded.
    request: Any
    response: Any
    client_streaming: bool
    server_streaming: bool

    @property
    def streaming(self) -> bool:
        """At least one side sends more than one message."""
        return self.client_streaming or self.server_streaming


def method_of(descriptor: MethodDescriptor) -> Method:
    """Read one method. Raises Malformed when its policy is missing or contradicts itself."""
    service = descriptor.containing_service.full_name
    name = f"{service}/{descriptor.name}"
    said: Any = descriptor.GetOptions()
    if not said.HasExtension(options.policy):
        raise Malformed(name, "no policy")
    policy: options.MethodPolicy = said.Extensions[options.policy]
    _check(name, descriptor, policy)
    access = Access(policy.WhichOneof("access"))
    tenant = policy.tenancy in (options.TENANCY_UNSPECIFIED, options.TENANCY_FROM_TOKEN)
    return Method(
        path=f"/{name}",
        name=name,
        service=service,
        policy=policy,
        access=access,
        permission=policy.require.permission,
        needs_organization=tenant,
        freshness=FRESHNESS_SECONDS.get(policy.freshness, 0.0),
        continues_reads=policy.on_auth_outage == options.OUTAGE_MODE_CONTINUE_READS,
        level=policy.assurance.level,
        max_age=policy.assurance.max_age.ToTimedelta().total_seconds()
        if policy.assurance.HasField("max_age")
        else None,
        takes_grants=policy.link == options.LINK_CARE
        and policy.idempotency == options.IDEMPOTENCY_NO_SIDE_EFFECTS,
        break_glass=policy.break_glass == options.BREAK_GLASS_ALLOWED,
        audit=policy.audit.kind,
        subjects=Subjects.of(name, policy.audit.subjects),
        by_request_id=policy.idempotency == options.IDEMPOTENCY_BY_REQUEST_ID,
        load=getattr(policy.load, "class"),
        deadline=policy.load.deadline.ToTimedelta().total_seconds()
        if policy.load.HasField("deadline")
        else DEADLINE_CEILING_SECONDS,
        purpose="care" if policy.link == options.LINK_CARE else "administration",
        resource=tuple(filter(None, policy.require.resource.split("."))),
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        client_streaming=descriptor.client_streaming,
        server_streaming=descriptor.server_streaming,
    )


def _check(name: str, descriptor: MethodDescriptor, policy: options.MethodPolicy) -> None:
    for fault in (
        *_access_faults(descriptor.input_type, policy),
        *_audit_faults(descriptor, policy),
        *_shape_faults(descriptor, policy),
    ):
        raise Malformed(name, fault)


def _access_faults(request: Descriptor, policy: options.MethodPolicy) -> list[str]:
    access = policy.WhichOneof("access")
    faults = []
    if access is None:
        faults.append("says nothing of who may call")
    if access == "public" and not policy.public.reason:
        faults.append("public without a reason")
    if access == "self" and not policy.self.reason:
        faults.append("self without a reason")
    if access == "require" and policy.require.permission.count(".") != 2:
        faults.append("the permission is not <service>.<noun>.<verb>")
    if policy.require.resource and not has_field(request, policy.require.resource):
        faults.append(f"the request has no field {policy.require.resource}")
    crossing = policy.tenancy == options.TENANCY_CROSS_TENANT
    if crossing != bool(policy.tenancy_reason):
        faults.append("a reason belongs to crossing organizations, and to nothing else")
    if access != "public" and policy.freshness == options.FRESHNESS_UNSPECIFIED:
        faults.append("says nothing of freshness")
    changes = policy.idempotency != options.IDEMPOTENCY_NO_SIDE_EFFECTS
    if changes and policy.on_auth_outage == options.OUTAGE_MODE_CONTINUE_READS:
        faults.append("only reads may continue while auth is away")
    return faults


def _audit_faults(descriptor: MethodDescriptor, policy: options.MethodPolicy) -> list[str]:
    kind = policy.audit.kind
    faults = []
    if kind == options.AUDIT_KIND_UNSPECIFIED:
        faults.append("says nothing of audit")
    if (kind == options.AUDIT_KIND_NONE) != bool(policy.audit.reason):
        faults.append("a reason belongs to no audit, and to nothing else")
    if kind == options.AUDIT_KIND_ACCESS and not policy.audit.subjects:
        faults.append("an access without subjects")
    for subject in policy.audit.subjects:
        side, _, path = subject.partition(".")
        message = {"request": descriptor.input_type, "response": descriptor.output_type}.get(side)
        if message is None or not has_field(message, path):
            faults.append(f"no such subject: {subject}")
    return faults


def _shape_faults(descriptor: MethodDescriptor, policy: options.MethodPolicy) -> list[str]:
    faults = []
    if policy.idempotency == options.IDEMPOTENCY_UNSPECIFIED:
        faults.append("says nothing of repetition")
    if getattr(policy.load, "class") == options.LOAD_CLASS_UNSPECIFIED:
        faults.append("says nothing of load")
    by_id = policy.idempotency == options.IDEMPOTENCY_BY_REQUEST_ID
    if by_id and not has_field(descriptor.input_type, "request_id"):
        faults.append("the request has no request_id")
    public_api = policy.exposure == options.EXPOSURE_PUBLIC_API
    reads_a_record = (
        policy.link == options.LINK_CARE
        and policy.idempotency == options.IDEMPOTENCY_NO_SIDE_EFFECTS
    )
    if policy.break_glass == options.BREAK_GLASS_ALLOWED and not reads_a_record:
        faults.append("an emergency opens what is read by a care link, and nothing else")
    streaming = descriptor.client_streaming or descriptor.server_streaming
    if policy.exposure == options.EXPOSURE_UNSPECIFIED:
        faults.append("says nothing of exposure")
    if public_api and streaming:
        faults.append("a stream cannot stand in the HTTP API")
    bound = descriptor.GetOptions().HasExtension(annotations_pb2.http)
    if bound != public_api:
        faults.append("an HTTP binding belongs to the public API, and to nothing else")
    return faults
