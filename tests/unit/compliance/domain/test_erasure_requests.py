"""When an erasure may be confirmed, in which order it goes, and when it is done."""

from datetime import UTC, datetime

import pytest

from compliance.domain.access_requests import Requester
from compliance.domain.erasure_requests import (
    ErasureNotPlanned,
    ErasureRequest,
    Keeps,
    Part,
    PartState,
    State,
    all_erased,
    all_planned,
    confirmed,
    erasure_deadlines,
    in_order,
    kept_elsewhere,
)
from core.errors import EtagMismatch
from core.ids import new_id

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER = datetime(2046, 11, 25, tzinfo=UTC)
SOMEBODY = Requester("user", new_id())


def _request(state: State = State.PLANNED, revision: int = 2) -> ErasureRequest:
    return ErasureRequest(new_id(), new_id(), SOMEBODY, NOON, NOON, state=state, revision=revision)


def _planned(service: str, keeps: Keeps | None = None) -> Part:
    return Part(service).planned(b"plan", b"digest", keeps)


def test_the_month_of_the_regulation_runs() -> None:
    """The days of the French code are for access to health data."""
    [clock] = erasure_deadlines(NOON)

    assert (clock.regime, clock.due_at) == ("eu.gdpr", datetime(2026, 12, 25, 12, tzinfo=UTC))


def test_a_plan_is_confirmed_by_its_etag() -> None:
    """Who confirms is kept with it."""
    after = confirmed(_request(), "2", SOMEBODY, NOON)

    assert after.state is State.ERASING
    assert after.confirmation is not None
    assert after.confirmation.by == SOMEBODY


def test_another_plan_than_was_read_is_not_confirmed() -> None:
    """Its etag tells."""
    with pytest.raises(EtagMismatch):
        confirmed(_request(), "1", SOMEBODY, NOON)


@pytest.mark.parametrize("state", sorted(set(State) - {State.PLANNED}))
def test_what_is_not_planned_is_not_confirmed(state: State) -> None:
    """Neither before there is a plan, nor twice."""
    with pytest.raises(ErasureNotPlanned):
        confirmed(_request(state), "2", SOMEBODY, NOON)


def test_compliance_goes_last() -> None:
    """Its trail lives as long as what it speaks of."""
    order = in_order(["compliance", "auth", "clinical", "billing"])

    assert order == ["auth", "billing", "clinical", "compliance"]


def test_the_latest_date_of_the_others_rules() -> None:
    """And no date where one of them has none; what this service keeps itself does not count."""
    dated = {
        "billing": _planned("billing", Keeps(NOON)),
        "clinical": _planned("clinical", Keeps(LATER)),
    }
    endless = {**dated, "auth": _planned("auth", Keeps(None))}
    own = {"compliance": _planned("compliance", Keeps(None)), "auth": _planned("auth")}

    assert kept_elsewhere(dated) == Keeps(LATER)
    assert kept_elsewhere(endless) == Keeps(None)
    assert kept_elsewhere(own) is None


def test_every_service_has_to_plan_and_to_sign() -> None:
    """One that is new, or waits, or is missing keeps it open; no service at all is not all."""
    parts = {"auth": _planned("auth"), "clinical": _planned("clinical").erased(b"receipt")}

    assert all_planned(parts, ["auth", "clinical"])
    assert not all_planned(parts, ["auth", "clinical", "new"])
    assert not all_planned({}, [])
    assert not all_erased(parts, ["auth", "clinical"])
    assert all_erased(parts, ["clinical"])


def test_a_plan_that_could_not_be_carried_out_is_still_one() -> None:
    """It is tried again; without a plan the service is missing."""
    assert _planned("auth").failed("UNAVAILABLE").state is PartState.PLANNED
    assert Part("auth").failed("UNAVAILABLE").state is PartState.MISSING
    assert Part("auth").failed("UNAVAILABLE").failures == 1


def test_what_is_planned_anew_keeps_what_was_signed() -> None:
    """A receipt stays true whatever comes after it."""
    signed = _planned("auth").erased(b"receipt")

    anew = signed.to_be_planned("STILL_FOUND")

    assert (anew.state, anew.receipt, anew.plan) == (PartState.WAITING, b"receipt", b"")
    assert anew.planned(b"plan", b"digest", None).receipt == b"receipt"
