"""Each reason of the contract, produced over a real server with every step in place."""

from importlib import import_module
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from core.contract import everything
from core.contract.reasons import LANGUAGES
from tests.support import matrix_reasons
from tests.support.matrix_platform import world
from tests.support.matrix_reasons import CASES, ELSEWHERE
from tests.support.matrix_world import World

for _file in Path(matrix_reasons.__file__).parent.glob("matrix_reasons_*.py"):
    import_module(f"tests.support.{_file.stem}")
__all__ = ["world"]
# Requests of persons are worked off in the background, among all that others have made.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
DOMAIN = "medhub"


async def test_every_reason_has_a_case() -> None:
    """A new reason cannot be forgotten; those that only others can see name where they are."""
    assert set(everything().reasons) == set(CASES) | set(ELSEWHERE)
    assert not set(CASES) & set(ELSEWHERE)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(CASES))
async def test_a_reason_is_told_as_it_is_declared(world: World, reason: str, language: str) -> None:
    """Code, text in the caller's language, domain and metadata keys are those of the contract."""
    declared = everything().reasons[reason]
    await world.renew()

    told = await CASES[reason](world, (("accept-language", f"{language}-CH, en;q=0.1"),))

    status = status_pb2.Status.FromString(told.details)
    assert told.reason == reason
    assert (told.code.value[0], status.code) == (declared.code, declared.code)
    assert (told.message, status.message) == (declared.texts["en"], declared.texts["en"])
    assert told.info.domain == DOMAIN
    assert set(told.info.metadata) == declared.metadata
    assert told.detail(error_details_pb2.LocalizedMessage()) == error_details_pb2.LocalizedMessage(
        locale=language, message=declared.texts[language]
    )


async def test_a_fault_shows_nothing_of_itself(world: World) -> None:
    """Who meets a fault gets a number for the log, and not a word of what went wrong."""
    told = await CASES["INTERNAL"](world, ())

    assert told.code is grpc.StatusCode.INTERNAL
    assert b"nobody may read" not in told.details
    assert "nobody may read" not in told.message
