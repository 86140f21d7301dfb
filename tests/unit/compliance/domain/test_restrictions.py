"""When a restriction may be lifted, and when all services are bound."""

from datetime import UTC, datetime

import pytest

from compliance.domain.access_requests import Requester
from compliance.domain.restrictions import (
    Ground,
    PartState,
    Restriction,
    RestrictionNotActive,
    State,
    Told,
    all_are,
    lifted,
)
from core.ids import new_id

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOMEBODY = Requester("user", new_id())
_HOLDS = {State.PENDING, State.INCOMPLETE, State.ACTIVE}


def _restriction(state: State) -> Restriction:
    return Restriction(new_id(), new_id(), Ground.CLAIMS, SOMEBODY, NOON, state=state)


@pytest.mark.parametrize("state", sorted(_HOLDS))
def test_what_holds_anywhere_is_lifted(state: State) -> None:
    """Also while some service has not heard of it yet."""
    after = lifted(_restriction(state), SOMEBODY, NOON)

    assert after.state is State.LIFTING
    assert after.lifting is not None


@pytest.mark.parametrize("state", sorted(set(State) - _HOLDS))
def test_what_holds_nowhere_is_not(state: State) -> None:
    """It is told, for somebody may have meant another one."""
    with pytest.raises(RestrictionNotActive):
        lifted(_restriction(state), SOMEBODY, NOON)


def test_every_service_has_to_be_bound() -> None:
    """One that has not been told, or is new, is not."""
    parts = {"auth": Told("auth", PartState.RESTRICTED), "billing": Told("billing")}

    assert all_are(PartState.RESTRICTED, parts, ["auth"])
    assert not all_are(PartState.RESTRICTED, parts, ["auth", "billing"])
    assert not all_are(PartState.RESTRICTED, parts, ["auth", "new"])
    assert not all_are(PartState.RESTRICTED, {}, [])
