"""Rows of the matrix: what a call that may be made does, and what it leaves behind."""

import asyncio
import copy
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message

from core.database.context import PLATFORM
from core.errors import Unavailable
from core.ids import id_from
from core.truth import Resolved, Truth
from medhub.auth.v1.organization_pb2 import Organization
from tests.support.matrix import Faults, Policy, expect, right, row
from tests.support.matrix_callers import traced
from tests.support.matrix_requests import Ask
from tests.support.matrix_trail import Left, left_by
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import World, caught_up

# How old the proof of identity may be, in seconds, by the words of the file.
_BOUNDS = {"read": 10.0, "write": 2.0, "fresh": 0.0}
_JUST_BEYOND = 0.5
_UNSURE = frozenset({"AUTH_UNAVAILABLE", "UNAUTHENTICATED"})


@row(lambda _: True)
async def the_right_one(world: World, policy: Policy) -> Faults:
    """Who may is answered, and the trail has what the policy says, of whom, and nothing else."""
    ask = await right(world, policy)
    trace, meta = traced()
    outcome = await world.invoke(policy.method, ask.request, (*_bearer(ask), *meta))
    faults = expect(outcome, grpc.StatusCode.OK)
    if faults:
        return faults
    rows = left_by(world.platform.databases[policy.service], trace)
    return trail_faults(world, policy, ask, outcome, rows)


def trail_faults(
    world: World, policy: Policy, ask: Ask, outcome: Outcome, rows: list[Left]
) -> Faults:
    """What is wrong with what a call has left behind."""
    kinds = {"access": 0, "act": 0, "change": 0, "refusal": 0}
    for left in rows:
        kinds[left.kind] += 1
    faults = _context_faults(world, policy, ask, outcome, rows)
    if policy.audit != "none" and not kinds[policy.audit]:
        faults.append(f"no {policy.audit} was recorded: {kinds}")
    # What a change answers is shown to the caller, so that is recorded beside the change.
    shows = policy.audit == "change" and any(_subjects(policy, ask.request, outcome.response))
    if kinds["refusal"] or bool(kinds["access"]) != (policy.audit == "access" or shows):
        faults.append(f"recorded: {kinds}")
    if policy.idempotency == "no_side_effects" and kinds["change"] + kinds["act"]:
        faults.append(f"a read has changed something: {kinds}")
    return [*faults, *_subject_faults(policy, ask, outcome, rows)]


def _context_faults(
    world: World, policy: Policy, ask: Ask, outcome: Outcome, rows: list[Left]
) -> Faults:
    faults = []
    actor = str(world.claims(ask.token).subject) if ask.token else None
    # Some requests are made in an organization of their own: what they do ends others' calls.
    within = world.claims(ask.token).organization if ask.token else None
    own = {within or world.alpha.tenant.organization, PLATFORM}
    if policy.tenancy == "none":
        # Its own organization has no part in it: whoever accepts an invitation is elsewhere yet.
        own.add(world.alpha.tenant.organization)
    if isinstance(outcome.response, Organization):
        # What is founded has a trail of its own, from its first row on.
        own.add(id_from(outcome.response.name, "organizations"))
    purpose = "care" if policy.link == "care" else "administration"
    for left in rows:
        said = (left.context["method"], left.context["purpose"])
        if said != (policy.name, purpose):
            faults.append(f"the trail says {said}")
        if actor is not None and left.context["actor"] != actor:
            faults.append(f"the trail names {left.context['actor']}")
        if policy.permission and left.context["action"] != policy.permission:
            faults.append(f"the trail says that {left.context['action']} was done")
        if policy.tenancy != "cross_tenant" and left.organization_id not in own:
            faults.append(f"the trail puts it into {left.organization_id}")
        if left.kind == "access" and left.organization_id == PLATFORM:
            faults.append("the trail puts the access into no organization")
    return faults


def _subject_faults(policy: Policy, ask: Ask, outcome: Outcome, rows: list[Left]) -> Faults:
    expected = set(_subjects(policy, ask.request, outcome.response))
    shown = {left.subject for left in rows if left.kind == "access"}
    recorded = {left.subject for left in rows if left.kind == policy.audit}
    none: set[UUID | None] = {None} if policy.audit == "access" else set()
    if policy.audit in ("access", "change") and shown != (expected or none):
        return [f"of {expected or none} was read, of {shown} recorded"]
    if not expected <= recorded:
        return [f"{expected} changed, {recorded} recorded"]
    return []


def _subjects(policy: Policy, request: Message, response: Message) -> Iterator[UUID]:
    for path in policy.subjects:
        side, _, rest = path.partition(".")
        for name in _values({"request": request, "response": response}[side], rest.split(".")):
            if name:
                yield id_from(name, name.partition("/")[0])


def _values(message: Any, steps: list[str]) -> Iterator[str]:
    if not steps:
        yield message
        return
    value = getattr(message, steps[0])
    for one in (value,) if isinstance(value, str | Message) else value:
        yield from _values(one, steps[1:])


@row(lambda policy: policy.idempotency == "by_request_id")
async def repeated(world: World, policy: Policy) -> Faults:
    """A repeated request_id gets the same answer; with other content it is refused."""
    ask, other = await right(world, policy), await right(world, policy)
    first = await world.invoke(policy.method, ask.request, _bearer(ask))
    again = await world.invoke(policy.method, ask.request, _bearer(ask))
    faults = expect(first, grpc.StatusCode.OK) + expect(again, grpc.StatusCode.OK)
    if first.response != again.response:
        faults.append("the repetition was answered otherwise")
    changed: Any = other.request
    changed.request_id = ask.request.request_id  # type: ignore[attr-defined]
    reused = await world.invoke(policy.method, changed, _bearer(other))
    return faults + expect(reused, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@row(lambda policy: not policy.public)
async def stale(world: World, policy: Policy) -> Faults:
    """While auth cannot be asked, a proof counts for as long as the method tolerates."""
    bound = _BOUNDS[policy.freshness]
    if not bound:
        outcome, _ = await _call_at_age(world, policy, 0.01)
        return expect(outcome, grpc.StatusCode.UNAVAILABLE, "AUTH_UNAVAILABLE")
    outcome, _ = await _call_at_age(world, policy, bound * 0.5)
    within = [f"a proof of {bound * 0.5} s got {outcome}"] if outcome.reason in _UNSURE else []
    outcome, left = await _call_at_age(world, policy, bound + _JUST_BEYOND)
    return [*within, *_beyond(policy, outcome, left)]


def _beyond(policy: Policy, outcome: Outcome, rows: list[Left]) -> Faults:
    if not policy.continues_reads:
        return expect(outcome, grpc.StatusCode.UNAVAILABLE, "AUTH_UNAVAILABLE")
    degraded = [(left.after or {}).get("auth_degraded") for left in rows]
    if outcome.ok and degraded and all(degraded):
        return []
    return [f"an old proof got {outcome}, and the trail {rows}"]


async def _call_at_age(world: World, policy: Policy, seconds: float) -> tuple[Outcome, list[Left]]:
    """A right call of somebody known, when the newest proof is so old and auth is away."""
    ask = await right(world, policy)
    # Whoever was made for this call is known from the stream alone.
    await caught_up(world, world.claims(ask.token).revision)
    truth = Aged(world.seam.truth(policy.method))
    truth.age(0.01)
    await truth.caller_of(ask.token, bound=_BOUNDS["read"])
    truth.age(seconds)
    trace, meta = traced()
    with world.seam.serving(policy.method, truth=truth):
        outcome = await world.invoke(policy.method, ask.request, (*_bearer(ask), *meta))
    return outcome, left_by(world.platform.databases[policy.service], trace)


class Aged(Truth):
    """What a server knew some seconds ago, and nobody whom it could ask since."""

    def __init__(self, real: Truth) -> None:
        state = copy.copy(real.state)
        state.changed = []
        super().__init__(state, _away)

    def age(self, seconds: float) -> None:
        """The newest proof is so old."""
        self.state.proven_at = asyncio.get_running_loop().time() - seconds


async def _away(_token: str) -> Resolved:
    raise Unavailable


def _bearer(ask: Ask) -> tuple[tuple[str, str], ...]:
    return bearer(ask.token) if ask.token else ()
