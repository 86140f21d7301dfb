"""Rows of the matrix: whose object is asked for."""

import re
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.message import Message

from core.ids import name_of, new_id
from tests.support.matrix import Faults, Policy, copy_of, expect, right, row
from tests.support.matrix_requests import fresh
from tests.support.matrix_wire import Outcome, bearer
from tests.support.matrix_world import World

_NAME = re.compile(r"([a-zA-Z0-9]+)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HIDDEN = frozenset({grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED})
Place = tuple[str | int, ...]


def names_in(message: Message, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every resource name in a message, and where it stands."""
    for field, value in message.ListFields():
        several = field.is_repeated
        for index, one in enumerate(value if several else (value,)):
            here: Place = (*at, field.name, index) if several else (*at, field.name)
            if isinstance(one, Message):
                yield from names_in(one, here)
            elif isinstance(one, str) and _NAME.fullmatch(one):
                yield here, one


def with_name(request: Message, place: Place, name: str) -> Any:
    """The request with another name there, as a request of its own."""
    made = copy_of(request)
    here: Any = made
    for step in place[:-1]:
        here = here[step] if isinstance(step, int) else getattr(here, step)
    last = place[-1]
    if isinstance(last, int):
        here[last] = name
    else:
        setattr(here, last, name)
    if "request_id" in made.DESCRIPTOR.fields_by_name:
        made.request_id = fresh()
    return made


def nobodys(name: str) -> str:
    """A name of the same collection that nothing has."""
    return name_of(name.partition("/")[0], new_id())


def told_apart(foreign: Outcome, missing: Outcome) -> Faults:
    """How a caller could tell another's object from one that is not there."""
    if foreign == missing:
        return []
    same = foreign.ok and missing.ok
    return [] if same else [f"another's: {foreign}; none: {missing}"]


# Who begins a sign-in belongs nowhere yet, and is shown what the provider publishes.
_BEFORE_A_TENANT = {"medhub.auth.v1.FederatedLoginService/BeginFederatedLogin"}


@row(lambda policy: policy.tenancy != "cross_tenant" and policy.method not in _BEFORE_A_TENANT)
async def other_tenant(world: World, policy: Policy) -> Faults:
    """Whatever a request names, another organization's and nobody's are answered alike."""
    theirs = dict(names_in((await right(world, policy, world.beta)).request))
    faults = []
    for place, name in theirs.items():
        foreign = await _naming(world, policy, place, name)
        missing = await _naming(world, policy, place, nobodys(name))
        found = told_apart(foreign, missing)
        if ".".join(map(str, place)) == policy.resource and foreign.code not in _HIDDEN:
            found.append(f"another organization's was answered with {foreign}")
        faults += [f"{place}: {fault}" for fault in found]
    return faults


async def _naming(world: World, policy: Policy, place: Place, name: str) -> Outcome:
    """What alpha is told about a request of its own that names something else in one place."""
    ask = await right(world, policy)
    meta = bearer(ask.token) if ask.token else ()
    return await world.invoke(policy.method, with_name(ask.request, place, name), meta)


@row(lambda policy: policy.link == "care" and bool(policy.resource))
async def missing_link(world: World, policy: Policy) -> Faults:
    """Who holds the permission and is linked to nobody is told that there is nobody."""
    ask = await right(world, policy)
    stranger = bearer(world.alpha.tokens["unlinked"])
    place: Place = tuple(policy.resource.split("."))
    name = dict(names_in(ask.request))[place]
    unlinked, missing = [
        await world.invoke(policy.method, with_name(ask.request, place, named), stranger)
        for named in (name, nobodys(name))
    ]
    return [
        *told_apart(unlinked, missing),
        *expect(unlinked, grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
    ]


@row(lambda policy: policy.link == "care" and not policy.resource)
async def unlinked_lists(world: World, policy: Policy) -> Faults:
    """A list holds the patient for who is linked, and is empty for who is not."""
    ask = await right(world, policy)
    shown = {}
    for word in ("doctor", "unlinked"):
        outcome = await world.invoke(policy.method, ask.request, bearer(world.alpha.tokens[word]))
        if not outcome.ok:
            return [f"{word} got {outcome}"]
        shown[word] = [patient.name for patient in outcome.response.patients]
    fine = world.alpha.patient in shown["doctor"] and not shown["unlinked"]
    return [] if fine else [f"shown: {shown}"]
