"""The matrix: every method of the contract, called by everybody.

What is expected stands in the reviewed policy.lock, so a weaker policy shows twice: in the
difference of that file, and here.
"""

import pytest

from core.contract import everything
from tests.support.matrix import check, policies, rows
from tests.support.matrix_platform import world
from tests.support.matrix_requests import builders
from tests.support.matrix_world import World

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

_CASES = [
    pytest.param(method, name, id=f"{policy}-{name}")
    for method, policy in policies().items()
    for name, kind in rows().items()
    if kind.applies(policy)
]


async def test_every_method_is_in_the_matrix() -> None:
    """Nothing is served that the file does not know, and nothing goes without a request."""
    assert set(policies()) == {method.name for method in everything().methods.values()}
    assert set(builders()) == set(policies())


@pytest.mark.parametrize(("method", "name"), _CASES)
async def test_the_method_does_as_its_policy_says(world: World, method: str, name: str) -> None:
    """Each kind of caller and of object is answered as the line of the file demands."""
    assert await check(world, policies()[method], (name,)) == []
