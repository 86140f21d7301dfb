"""A contract that must not be served is refused when it is read, and says why."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool

from core.contract import Access, Malformed, Method, everything, load
from core.contract.methods import DEADLINE_CEILING_SECONDS, method_of
from medhub.options.v1 import policy_pb2 as options

Change = Callable[[options.MethodPolicy], object]


def _policy() -> options.MethodPolicy:
    policy = options.MethodPolicy(
        require=options.Require(permission="probe.things.read", resource="name"),
        freshness=options.FRESHNESS_READ,
        audit=options.Audit(kind=options.AUDIT_KIND_ACCESS, subjects=["request.name"]),
        idempotency=options.IDEMPOTENCY_BY_REQUEST_ID,
        exposure=options.EXPOSURE_INTERNAL,
    )
    setattr(policy.load, "class", options.LOAD_CLASS_READ)
    return policy


def _read(
    policy: options.MethodPolicy | None, *, http: bool = False, streaming: bool = False
) -> Method:
    """Declare a method with this policy, and read it."""
    package = f"medhub.declared{uuid4().hex}.v1"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    message = file.message_type.add(name="Named")
    for number, name in enumerate(("name", "request_id"), 1):
        message.field.add(name=name, number=number, type=9, label=1)
    method = file.service.add(name="ProbeService").method.add(
        name="Do", input_type=f".{package}.Named", output_type=f".{package}.Named"
    )
    method.server_streaming = streaming
    extensions: Any = method.options.Extensions
    if policy is not None:
        extensions[options.policy].CopyFrom(policy)
    if http:
        extensions[annotations_pb2.http].get = "/probe/v1/things"
    pool: Any = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return method_of(pool.FindServiceByName(f"{package}.ProbeService").methods[0])


def _set(path: str, value: object) -> Change:
    def change(policy: options.MethodPolicy) -> None:
        *holders, name = path.split(".")
        holder: Any = policy
        for step in holders:
            holder = getattr(holder, step)
        setattr(holder, name, value)

    return change


def test_a_whole_policy_is_read() -> None:
    """In the form that a server works with; what is unsaid takes the strict default."""
    method = _read(_policy())

    assert (method.access, method.permission) == (Access.REQUIRE, "probe.things.read")
    assert (method.needs_organization, method.freshness) == (True, 10.0)
    assert (method.continues_reads, method.by_request_id) == (False, True)
    assert method.deadline == DEADLINE_CEILING_SECONDS
    assert (method.level, method.max_age, method.streaming) == (0, None, False)


def test_a_method_without_a_policy_is_not_served() -> None:
    """Forgetting it never opens anything."""
    with pytest.raises(Malformed, match="no policy"):
        _read(None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda p: p.ClearField("require"), "who may call"),
        (lambda p: p.public.SetInParent(), "public without a reason"),
        (lambda p: p.self.SetInParent(), "self without a reason"),
        (_set("require.permission", "read"), "permission"),
        (_set("require.permission", ""), "permission"),
        (_set("require.permission", "a.b.c.d"), "permission"),
        (_set("require.resource", "nothing"), "no field nothing"),
        (_set("require.resource", "name.deeper"), "no field"),
        (_set("tenancy", options.TENANCY_CROSS_TENANT), "crossing"),
        (_set("tenancy_reason", "why"), "crossing"),
        (lambda p: p.ClearField("freshness"), "freshness"),
        (_set("on_auth_outage", options.OUTAGE_MODE_CONTINUE_READS), "only reads"),
        (lambda p: p.audit.ClearField("kind"), "audit"),
        (_set("audit.kind", options.AUDIT_KIND_NONE), "no audit"),
        (_set("audit.reason", "why"), "no audit"),
        (lambda p: p.audit.ClearField("subjects"), "without subjects"),
        (lambda p: p.audit.subjects.append("request.nobody"), "no such subject"),
        (lambda p: p.audit.subjects.append("name"), "no such subject"),
        (lambda p: p.ClearField("idempotency"), "repetition"),
        (lambda p: p.ClearField("load"), "load"),
        (lambda p: p.ClearField("exposure"), "exposure"),
        (_set("exposure", options.EXPOSURE_PUBLIC_API), "HTTP binding"),
        (_set("break_glass", options.BREAK_GLASS_ALLOWED), "an emergency opens"),
    ],
)
def test_a_policy_with_a_fault_is_not_served(change: Change, fault: str) -> None:
    """Each contradiction and each silence has its own words."""
    policy = _policy()
    change(policy)

    with pytest.raises(Malformed, match=fault):
        _read(policy)


def test_a_binding_without_the_public_api_is_not_served() -> None:
    """The edge would open what is meant for services."""
    with pytest.raises(Malformed, match="HTTP binding"):
        _read(_policy(), http=True)


def test_a_stream_has_no_place_in_the_http_api() -> None:
    """It would answer 200 even when it fails."""
    policy = _policy()
    policy.exposure = options.EXPOSURE_PUBLIC_API

    with pytest.raises(Malformed, match="stream"):
        _read(policy, http=True, streaming=True)


def test_the_whole_platform_can_be_read() -> None:
    """Every method by its path, every reason in three languages."""
    whole = everything()

    assert {path.rpartition("/")[0].lstrip("/") for path in whole.methods} == set(whole.services)
    assert load("medhub.clinical.v1").permissions < whole.permissions
    assert all(reason.texts.keys() == {"en", "fr", "de"} for reason in whole.reasons.values())
    assert all(100 <= reason.http_status < 600 for reason in whole.reasons.values())
    told = {name for method in whole.methods.values() for name in method.policy.reasons}
    assert told <= set(whole.reasons)
