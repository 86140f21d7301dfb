"""The matrix: for each method, what its line of the reviewed `policy.lock` says must happen.

Each row of the matrix is a kind of caller or a kind of object. A row answers with the faults it
found, in words; none means that the server does as the file says. Expectations come from the file
alone, never from the descriptors that the server reads.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from tests.support.matrix_requests import Ask, ask_of
from tests.support.matrix_wire import Outcome, served_names, server_of
from tests.support.matrix_world import Side, World

LOCK = Path(__file__).parents[2] / "policy.lock"
Faults = list[str]


@dataclass(frozen=True)
class Policy:
    """A line of the file, as far as a caller can tell whether it holds."""

    method: str
    access: str
    permission: str
    resource: str
    tenancy: str
    freshness: str
    continues_reads: bool
    link: str
    break_glass: bool
    audit: str
    subjects: tuple[str, ...]
    idempotency: str
    streaming: bool
    # What the caller must have proven, and how many seconds ago at most; 0 asks for nothing.
    level: int
    max_age: int

    def __str__(self) -> str:
        return self.method.removeprefix("medhub.")

    @property
    def public(self) -> bool:
        """No token is asked for."""
        return self.access == "public"

    @property
    def name(self) -> str:
        """The method's name in the contract, whichever server serves it."""
        return self.method.partition("@")[0]

    @property
    def service(self) -> str:
        """Which server serves it."""
        return server_of(self.method)


@cache
def policies() -> dict[str, Policy]:
    """Every line of the file, by the name under which a server serves the method."""
    return {
        served: _policy(line, served)
        for line in json.loads(LOCK.read_text())
        for served in served_names(line["method"])
    }


def _policy(line: dict[str, Any], served: str) -> Policy:
    return Policy(
        method=served,
        access=line["access"],
        permission=line.get("permission", ""),
        resource=line.get("resource", ""),
        tenancy=line["tenancy"],
        freshness=line["freshness"],
        continues_reads=line["on_auth_outage"] == "continue_reads",
        link=line["link"],
        break_glass=line["break_glass"] == "allowed",
        audit=line["audit"]["kind"],
        subjects=tuple(line["audit"].get("subjects", ())),
        idempotency=line["idempotency"],
        streaming="streaming" in line,
        level=line["assurance"].get("level", 0),
        max_age=line["assurance"].get("max_age_seconds", 0),
    )


def permissions() -> frozenset[str]:
    """Every permission that a member of an organization may hold."""
    return frozenset(
        p.permission for p in policies().values() if p.permission and p.tenancy == "from_token"
    )


async def right(world: World, policy: Policy, side: Side | None = None) -> Ask:
    """A request that must be answered, with the token of somebody who may send it."""
    asked = side or world.alpha
    asked.server = policy.service
    made = await ask_of(policy.name, asked)
    if policy.public or made.token:
        return made
    whole = world.server if policy.tenancy == "cross_tenant" else (side or world.alpha).whole
    return Ask(made.request, whole)


async def unspent(world: World, policy: Policy) -> Ask:
    """Such a request for calls that must be refused: they use nothing up, so one serves all."""
    if policy.method not in world.unspent:
        made = await right(world, policy)
        world.unspent[policy.method] = (made.request, made.token)
    return Ask(*world.unspent[policy.method])


def expect(
    outcome: Outcome,
    code: grpc.StatusCode,
    reason: str = "",
    metadata: dict[str, str] | None = None,
) -> Faults:
    """The fault of an outcome that is not as expected."""
    found = dict(outcome.info.metadata)
    if (outcome.code, outcome.reason) == (code, reason) and found == (metadata or {}):
        return []
    return [f"expected {code.name} {reason} {metadata or {}}, got {outcome}"]


Row = Callable[[World, Policy], Awaitable[Faults]]


@dataclass(frozen=True)
class Kind:
    """A row, and for which methods it is there."""

    row: Row
    applies: Callable[[Policy], bool]


_ROWS: dict[str, Kind] = {}
_MODULES = ("matrix_callers", "matrix_objects", "matrix_effects", "matrix_grants")


def rows() -> dict[str, Kind]:
    """Every row, by name."""
    for module in _MODULES:
        import_module(f"tests.support.{module}")
    return _ROWS


def row(applies: Callable[[Policy], bool]) -> Callable[[Row], Row]:
    """Declare a row of the matrix."""

    def declare(made: Row) -> Row:
        _ROWS[made.__name__] = Kind(made, applies)
        return made

    return declare


async def check(world: World, policy: Policy, names: tuple[str, ...] = ()) -> Faults:
    """The faults of a method in these rows (all, when none is named), up to the first bad row."""
    for name in names or tuple(rows()):
        kind = rows()[name]
        if kind.applies(policy):
            faults = await kind.row(world, policy)
            if faults:
                return [f"{name}: {fault}" for fault in faults]
    return []


def copy_of(request: Message) -> Any:
    """A copy that can be changed."""
    made = type(request)()
    made.CopyFrom(request)
    return made
