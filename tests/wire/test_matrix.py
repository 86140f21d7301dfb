"""The matrix: every method of the contract, called by everybody.

What is expected stands in the reviewed policy.lock, so a weaker policy shows twice: in the
difference of that file, and here.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from auth.domain.roles import BUILT_IN
from core.contract import Method, everything
from core.contract.fields import class_of, fields_of
from medhub.options.v1.data_pb2 import DATA_CLASS_HEALTH
from tests.support.matrix import check, policies, rows
from tests.support.matrix_platform import world
from tests.support.matrix_requests import builders
from tests.support.matrix_wire import served_names
from tests.support.matrix_world import World

__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

_CASES = [
    pytest.param(method, name, id=f"{policy}-{name}")
    for method, policy in policies().items()
    for name, kind in rows().items()
    if kind.applies(policy)
]


async def test_every_method_is_in_the_matrix() -> None:
    """Nothing is served that the file does not know, and nothing goes without a request."""
    methods = {method.name for method in everything().methods.values()}
    assert set(policies()) == {served for name in methods for served in served_names(name)}
    assert set(builders()) == methods


async def test_who_cares_for_people_reads_of_health_what_a_link_opens() -> None:
    """No role of the ward or the office holds a permission that shows health without a link."""
    shown = {
        method.permission
        for method in everything().methods.values()
        if policies()[served_names(method.name)[0]].link != "care"
        and any(class_of(f) == DATA_CLASS_HEALTH for f in fields_of(_response(method)))
    }
    # Whoever takes a patient in is shown what they have written themselves; a list of messages
    # shows no bytes, and without a link nobody whom they are about.
    # The same goes for whoever says why they break the glass.
    shown -= {"clinical.patients.create", "clinical.hl7.read", "auth.access_grants.break_glass"}

    held = {role: BUILT_IN[role] & shown for role in ("doctor", "nurse", "biller")}

    # An invoice names the acts that it charges for: whoever bills reads these, and nothing else.
    billed = {f"billing.invoices.{verb}" for verb in ("create", "finalize", "read", "update")}
    assert held == {"doctor": set(), "nurse": set(), "biller": billed}


def _response(method: Method) -> Iterator[Any]:
    kind: Any = method.response
    yield kind.DESCRIPTOR


@pytest.mark.parametrize(("method", "name"), _CASES)
async def test_the_method_does_as_its_policy_says(world: World, method: str, name: str) -> None:
    """Each kind of caller and of object is answered as the line of the file demands."""
    await world.renew()

    assert await check(world, policies()[method], (name,)) == []
