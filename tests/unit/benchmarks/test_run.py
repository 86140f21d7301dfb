"""The benchmarks run: nothing here asks how fast."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import EVERY
from benchmarks.load import carry_out, plan
from benchmarks.processes import Meter, age_of, cpu_below, memory_of, own_cpu
from benchmarks.run import ROOT, WorthlessRun, serving


def test_a_quick_run_writes_a_page(tmp_path: Path) -> None:
    """The yardstick is launched, loaded, accounted for and told."""
    out = tmp_path / "RESULTS.md"

    subprocess.run(
        [sys.executable, "-m", "benchmarks", "yardstick", "--quick", "--out", str(out)],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    text = out.read_text()
    assert "## The yardstick" in text
    assert "server CPU a call" in text
    assert "A quick run" in text


@pytest.mark.parametrize("name", EVERY)
def test_every_scenario_can_be_loaded(name: str) -> None:
    """What the parts of the platform no longer offer is found before a benchmark needs it."""
    assert callable(import_module(f"benchmarks.{name}").measure)


def test_a_run_with_errors_is_worthless() -> None:
    """An error is not a fast answer."""
    with serving("benchmarks.echo", "127.0.0.1:0") as (_, port):
        too_long = plan(f"127.0.0.1:{port}", "/x/Y", [bytes(5_000_000)], calls=2, in_flight=1)

        with pytest.raises(WorthlessRun, match="RESOURCE_EXHAUSTED"):
            carry_out(too_long)


def test_cpu_time_is_counted_by_process() -> None:
    """What this process spends is seen in its own account and in that of its family."""
    me = os.getpid()

    with Meter({"own": own_cpu(me), "family": lambda: cpu_below(me)}) as meter:
        while own_cpu(me)() < meter._before["own"] + 0.3:
            sum(range(10_000))

    # The family's account counts in steps of a hundredth of a second, user and system apart.
    assert 0.25 <= meter.used["own"] <= meter.used["family"] + 0.05


def test_memory_and_age_are_those_of_a_process() -> None:
    """What is shared with others is counted whole in one figure and in part in the other."""
    me = os.getpid()

    held, before, after = memory_of(me), age_of(me), age_of(me)

    assert 0 < held.share <= held.resident
    assert 0 < before <= after


def test_an_answer_that_is_not_the_one_told_is_a_failure() -> None:
    """Of the right size it may still be wrong."""
    with serving("benchmarks.echo", "127.0.0.1:0") as (_, port):
        target, sent = f"127.0.0.1:{port}", [b"one", b"two"]
        right = plan(target, "/x/Y", sent, calls=4, in_flight=2, answers=sent)
        wrong = plan(target, "/x/Y", sent, calls=4, in_flight=2, answers=[b"one", b"TWO"])

        assert carry_out(right).calls == 4
        with pytest.raises(WorthlessRun, match="OTHER_ANSWER"):
            carry_out(wrong)
