"""The revocation protocol under seeded disorder: the real code of both sides, on simulated time.

Several servers follow several auth servers while messages are delayed, lost and held back, links
are cut, processes restarted, commits late and clocks apart. People log in and out, roles change,
organizations are suspended, keys rotated and revoked. What is asked of it is in `sim_oracle`.

A failing seed is shown. `MEDHUB_SEED=… pytest tests/campaigns/test_revocation.py` repeats it.
"""

import logging
from collections import Counter

import pytest

from tests.support.campaign import SEED, rounds, told
from tests.support.sim_mutants import MUTANTS, Mutant
from tests.support.sim_run import simulate
from tests.support.sim_world import FOUL

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(0)]
# A campaign looks for this long, in seconds: thousands of seeds.
WHOLE_SECONDS = 3600.0
SECONDS = 20.0
# Within so many seeds the oracle finds any of the faults that are put in.
SEEDS_OF_A_MUTANT = 60


@pytest.fixture(autouse=True)
def quiet_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Outages are the point here, and each would be logged."""
    caplog.set_level(logging.CRITICAL, "medhub")


def test_no_call_rests_on_what_is_too_old() -> None:
    """Nobody is let in later than the bound after a revocation, nobody valid is logged out, no
    lost event goes unnoticed, and after the storm everybody knows the same.
    """
    judged: Counter[str] = Counter()

    for number in rounds(SECONDS, WHOLE_SECONDS):
        seed = SEED + number
        oracle = simulate(seed)
        judged.update(oracle.judged)

        assert oracle.faults == [], f"MEDHUB_SEED={seed} repeats this"

    assert judged["let in"] > 0, f"seed {SEED}: nobody called"
    told(f"{number + 1} seeds, {dict(judged)}")


def test_a_seed_is_repeated_exactly() -> None:
    """The same decisions at the same moments, or a failing seed would be worth nothing."""
    first, second = simulate(SEED), simulate(SEED)

    assert [at for at, _ in first.database.history] == [at for at, _ in second.database.history]
    assert first.judged == second.judged


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_oracle_finds_a_fault(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A protocol with this fault fails within a few seeds."""
    mutant(monkeypatch)

    assert any(simulate(seed, FOUL).faults for seed in range(SEEDS_OF_A_MUTANT)), "not found"
