"""The matrix finds every weakening: each policy is weakened in a running server, one at a time.

A mutant lives when the matrix says that the server does as the file says. None may. What the
servers do not read of a policy cannot be weakened in them, and stands in `NOT_READ` with why.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from core.contract import Access, Method, everything
from core.contract.paths import Subjects
from medhub.options.v1 import policy_pb2 as options
from tests.support.matrix import check, policies
from tests.support.matrix_platform import world
from tests.support.matrix_wire import served_names
from tests.support.matrix_world import World

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

NOT_READ = {
    "exposure": "The edge reads it, and the tests of its configuration hold it; a server does not.",
    "audit": "Changes are written by triggers and acts by servicers, whatever the policy says; "
    "the row `the_right_one` holds them. Only the record of access is core's to leave out.",
    "link": "SQL decides it beside the rows, and the row `missing_link` holds it. A server reads "
    "of it only the purpose that the trail notes, and that is mutated here.",
    "load": "A limit of how many calls at once, and of how often a stranger may try: it opens "
    "nothing. The tests of admission hold it.",
    "deadline": "It ends a call and opens nothing.",
}


@dataclass(frozen=True)
class Mutation:
    """One way to weaken a policy: where it applies, what it makes, and which rows may see it."""

    name: str
    applies: Callable[[Method], bool]
    weaken: Callable[[Method], Method]
    rows: tuple[str, ...]


def _is(access: Access) -> Callable[[Method], bool]:
    return lambda method: method.access is access


def _other_permission(method: Method) -> Method:
    """One that everybody who is asked about holds, of the same service where there is one."""
    other = "auth.organizations.read"
    swapped = "auth.roles.read" if method.permission == other else other
    return replace(method, permission=swapped)


def _without_link(method: Method) -> Method:
    policy = options.MethodPolicy()
    policy.CopyFrom(method.policy)
    policy.link = options.LINK_NONE
    return replace(method, policy=policy, purpose="administration")


def _no_subject(method: Method) -> Method:
    return replace(method, subjects=Subjects((), ()))


_TOLERANT = 3600.0  # seconds: what no policy tolerates
# What it shows is about somebody whom nobody could find: its right answer names no patient.
_ABOUT_NOBODY_KNOWN = frozenset({"medhub.clinical.v1.Hl7V2Service/ReadUnattributedMessage"})
_MUTATIONS = (
    Mutation(
        "becomes public",
        lambda method: method.access is not Access.PUBLIC,
        lambda method: replace(method, access=Access.PUBLIC),
        ("no_token",),
    ),
    Mutation(
        "asks for no permission",
        _is(Access.REQUIRE),
        lambda method: replace(method, access=Access.SELF, permission=""),
        ("missing_permission",),
    ),
    Mutation(
        "asks for another permission",
        _is(Access.REQUIRE),
        _other_permission,
        ("missing_permission",),
    ),
    Mutation(
        "asks for no organization",
        lambda method: method.needs_organization and method.access is not Access.PUBLIC,
        lambda method: replace(method, needs_organization=False),
        ("without_organization",),
    ),
    Mutation(
        "tolerates an older proof",
        lambda method: method.access is not Access.PUBLIC,
        lambda method: replace(method, freshness=_TOLERANT),
        ("stale",),
    ),
    Mutation(
        "asks for no fresh authentication",
        lambda method: method.max_age is not None,
        lambda method: replace(method, level=0, max_age=None),
        ("too_long_ago",),
    ),
    Mutation(
        "opens to an emergency",
        lambda method: method.takes_grants and not method.break_glass,
        lambda method: replace(method, break_glass=True),
        ("opened_by_grants",),
    ),
    Mutation(
        "asks auth no more",
        lambda method: method.access is not Access.PUBLIC and method.freshness == 0.0,
        lambda method: replace(method, freshness=2.0),
        ("stale",),
    ),
    Mutation(
        "writes as late as it reads",
        lambda method: method.freshness == 2.0,
        lambda method: replace(method, freshness=10.0),
        ("stale",),
    ),
    Mutation(
        "goes on while auth is away",
        lambda method: (
            method.access is not Access.PUBLIC
            and not method.continues_reads
            and method.freshness > 0.0
        ),
        lambda method: replace(method, continues_reads=True),
        ("stale",),
    ),
    Mutation(
        "records no access",
        lambda method: method.audit == options.AUDIT_KIND_ACCESS,
        lambda method: replace(method, audit=options.AUDIT_KIND_NONE),
        ("the_right_one",),
    ),
    Mutation(
        "records no subject",
        lambda method: (
            method.audit == options.AUDIT_KIND_ACCESS and method.name not in _ABOUT_NOBODY_KNOWN
        ),
        _no_subject,
        ("the_right_one",),
    ),
    Mutation(
        "forgets that care is the purpose",
        lambda method: method.policy.link == options.LINK_CARE,
        _without_link,
        ("the_right_one",),
    ),
    Mutation(
        "does not know a repetition",
        lambda method: method.by_request_id,
        lambda method: replace(method, by_request_id=False),
        ("repeated",),
    ),
)


# Weakened, it ends the sessions of all whom the matrix calls with: so it comes last, and of the two
# mutations by which it does, one. After it the other would be found out by anything.
_ENDS_ALL = "medhub.auth.v1.SessionService/RevokeOrganizationSessions"
_TWICE = "asks for another permission"


def _mutants() -> Iterator[Any]:
    methods = sorted(
        everything().methods.values(), key=lambda method: (method.name == _ENDS_ALL, method.name)
    )
    for method in methods:
        mutations = [each for each in _MUTATIONS if each.applies(method)]
        if method.name == _ENDS_ALL:
            mutations = [each for each in mutations if each.name != _TWICE]
            mutations.sort(key=lambda each: each.name == "asks for no permission")
        for mutation in mutations:
            for served in served_names(method.name):
                label = f"{served.removeprefix('medhub.')} {mutation.name}".replace(" ", "-")
                yield pytest.param(served, mutation, id=label)


@pytest.mark.parametrize(("name", "mutation"), list(_mutants()))
async def test_no_weaker_policy_goes_unnoticed(world: World, name: str, mutation: Mutation) -> None:
    """The server behaves otherwise, and the matrix says so."""
    await world.renew()
    weaker = mutation.weaken(world.seam.methods[name])

    with world.seam.serving(name, weaker):
        faults = await check(world, policies()[name], mutation.rows)

    assert faults, f"{name} lives on though it {mutation.name}"


async def test_what_is_weakened_is_mended_again(world: World) -> None:
    """The servers serve what the contract says, so every mutant stood alone."""
    assert dict(world.seam.methods) == {
        served: method
        for method in everything().methods.values()
        for served in served_names(method.name)
    }


async def test_every_part_of_a_policy_is_mutated_or_excepted() -> None:
    """A new part of a policy cannot be forgotten here."""
    mutated = {"access", "permission", "tenancy", "freshness", "on_auth_outage", "idempotency"}
    mutated |= {"assurance", "break_glass"}
    words = {field.name for field in options.MethodPolicy.DESCRIPTOR.fields}
    told = mutated | set(NOT_READ) | {"public", "self", "require", "tenancy_reason", "reasons"}

    assert words <= told
