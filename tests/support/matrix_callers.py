"""Rows of the matrix: who calls."""

import secrets
from typing import Any

import grpc
from google.protobuf.message import Message

from auth.domain.roles import ADMINISTRATOR, BUILT_IN, SERVICE_COMPLIANCE
from tests.support.matrix import Faults, Policy, expect, right, row, unspent
from tests.support.matrix_trail import left_by
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import World
from tests.support.tokens import SigningKey

_UNKNOWN = SigningKey()
GATE = frozenset({"UNAUTHENTICATED", "ORGANIZATION_REQUIRED", "PERMISSION_DENIED"})
_Metadata = tuple[tuple[str, str], ...]


def _closed(policy: Policy) -> bool:
    return not policy.public


def unauthenticated(outcome: Outcome) -> Faults:
    """The faults of an outcome that should say that nobody is known."""
    return expect(outcome, grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def _stranger(world: World, policy: Policy, request: Message, meta: _Metadata) -> Faults:
    return unauthenticated(await world.invoke(policy.method, request, meta))


def traced() -> tuple[str, _Metadata]:
    """A trace of one's own, and the metadata that says so."""
    trace = secrets.token_hex(16)
    return trace, (("traceparent", f"00-{trace}-{secrets.token_hex(8)}-00"),)


@row(lambda _: True)
async def no_token(world: World, policy: Policy) -> Faults:
    """A public method is served; any other knows nobody."""
    if policy.public:
        ask = await right(world, policy)
        return expect(await world.invoke(policy.method, ask.request), grpc.StatusCode.OK)
    ask = await unspent(world, policy)
    return await _stranger(world, policy, ask.request, ())


@row(_closed)
async def garbage(world: World, policy: Policy) -> Faults:
    """What is no token proves nothing, nor does a token without its scheme."""
    ask = await unspent(world, policy)
    bare = (("authorization", ask.token),)
    return [
        fault
        for meta in (bearer("not.a.token"), bearer(""), bare)
        for fault in await _stranger(world, policy, ask.request, meta)
    ]


@row(_closed)
async def two_values(world: World, policy: Policy) -> Faults:
    """Two authorizations are none, though both are good."""
    ask = await unspent(world, policy)
    return await _stranger(world, policy, ask.request, bearer(ask.token, ask.token))


@row(_closed)
async def expired(world: World, policy: Policy) -> Faults:
    """A token whose time is over proves nothing."""
    ask = await unspent(world, policy)
    return await _stranger(world, policy, ask.request, bearer(world.expired(ask.token)))


@row(_closed)
async def unknown_key(world: World, policy: Policy) -> Faults:
    """Neither does one of a key that auth never published, nor one under the name of its key."""
    ask = await unspent(world, policy)
    borrowed = SigningKey(kid=world.key.kid, private=_UNKNOWN.private)
    return [
        fault
        for key in (_UNKNOWN, borrowed)
        for fault in await _stranger(
            world, policy, ask.request, bearer(world.signed_by(key, ask.token))
        )
    ]


@row(_closed)
async def revoked(world: World, policy: Policy) -> Faults:
    """A token of a session that has ended proves nothing."""
    ask = await unspent(world, policy)
    return await _stranger(world, policy, ask.request, bearer(world.revoked))


@row(_closed)
async def without_organization(world: World, policy: Policy) -> Faults:
    """Who has not chosen an organization gets into none; what needs none is open to them."""
    ask = await unspent(world, policy)
    if policy.tenancy == "none" and policy.access == "self":
        # The account may be used up, so it is one of its own.
        return await _self_service(world, policy, ask.request)
    outcome = await world.invoke(policy.method, ask.request, bearer(world.homeless))
    if policy.tenancy == "from_token":
        return expect(outcome, grpc.StatusCode.PERMISSION_DENIED, "ORGANIZATION_REQUIRED")
    return expect(
        outcome,
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
        {"permission": policy.permission},
    )


async def _self_service(world: World, policy: Policy, request: Message) -> Faults:
    token = await world.log_in_homeless()
    outcome = await world.invoke(policy.method, request, bearer(token))
    return [f"got {outcome}"] if outcome.reason in GATE else []


@row(lambda policy: policy.access == "require")
async def missing_permission(world: World, policy: Policy) -> Faults:
    """Who lacks exactly the permission is told which, and the trail that they were refused."""
    ask = await unspent(world, policy)
    lacking = world.alpha.lacking.get(policy.permission, world.alpha.whole)
    trace, meta = traced()
    outcome = await world.invoke(policy.method, ask.request, (*bearer(lacking), *meta))
    faults = expect(
        outcome,
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
        {"permission": policy.permission},
    )
    rows = left_by(world.platform.databases[policy.service], trace)
    kept = [
        (r.kind, r.organization_id, r.context["method"], (r.after or {}).get("reason"))
        for r in rows
    ]
    said = ("refusal", world.alpha.tenant.organization, policy.name, "PERMISSION_DENIED")
    return faults if kept == [said] else [*faults, f"the trail has {kept}"]


@row(_closed)
async def on_behalf(world: World, policy: Policy) -> Faults:
    """A server does for a caller what both may do, at the server that its token is made for."""
    ask = await unspent(world, policy)
    elsewhere = world.on_behalf(world.alpha.whole, "elsewhere")
    faults = await _stranger(world, policy, ask.request, bearer(elsewhere))
    acting = world.on_behalf(world.alpha.whole, policy.service)
    outcome = await world.invoke(policy.method, ask.request, bearer(acting))
    if policy.permission in BUILT_IN[SERVICE_COMPLIANCE] & BUILT_IN[ADMINISTRATOR]:
        return [*faults, f"got {outcome}"] if outcome.reason in GATE else faults
    named = {"permission": policy.permission} if policy.permission else {}
    denied = grpc.StatusCode.PERMISSION_DENIED
    return faults + expect(outcome, denied, "PERMISSION_DENIED", named)


@row(lambda policy: policy.max_age > 0)
async def too_long_ago(world: World, policy: Policy) -> Faults:
    """Who has proven themselves too long ago is told what to prove, and how fresh it has to be."""
    ask = await unspent(world, policy)
    earlier = world.long_ago(ask.token, policy.max_age + 60)
    outcome = await world.invoke(policy.method, ask.request, bearer(earlier))
    asked = {"level": str(policy.level), "max_age_seconds": str(policy.max_age)}
    return expect(outcome, grpc.StatusCode.PERMISSION_DENIED, "STEP_UP_REQUIRED", asked)


class Garbled:
    """What no message type can be read from."""

    def SerializeToString(self) -> bytes:
        """Bytes that end within a tag."""
        return b"\xff\xff"


@row(lambda _: True)
async def judged_before_read(world: World, policy: Policy) -> Faults:
    """Who may not call is told so, whatever they send; who may is told that it is no message."""
    garbled: Any = Garbled()
    ask = await unspent(world, policy)
    right_one = bearer(ask.token) if ask.token else ()
    told = await world.invoke(policy.method, garbled, right_one)
    faults = expect(told, grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    if not policy.public:
        faults += await _stranger(world, policy, garbled, ())
    if policy.access == "require":
        lacking = world.alpha.lacking.get(policy.permission, world.alpha.whole)
        refused = await world.invoke(policy.method, garbled, bearer(lacking))
        if refused.reason != "PERMISSION_DENIED":
            faults.append(f"who lacks the permission got {refused}")
    return faults


@row(lambda policy: policy.access == "require" and policy.tenancy == "from_token")
async def built_in_roles(world: World, policy: Policy) -> Faults:
    """The roles that ship with medhub open what they say, and nothing else."""
    faults = []
    for word in ("doctor", "nurse", "biller", "auditor"):
        ask = await right(world, policy)
        token = world.alpha.tokens[word]
        outcome = await world.invoke(policy.method, ask.request, bearer(token))
        held = policy.permission in BUILT_IN[word]
        if (outcome.reason not in GATE) is not held:
            faults.append(f"{word} got {outcome}")
    return faults
