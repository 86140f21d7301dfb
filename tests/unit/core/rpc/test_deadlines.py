"""Deadlines of calls, kept by one timer."""

import asyncio

import pytest

from core.rpc.deadlines import LOOK_EVERY, Deadlines


async def test_a_block_ends_at_its_deadline() -> None:
    """By a timeout, soon after the moment, and the task goes on uncancelled."""
    loop, deadlines = asyncio.get_running_loop(), Deadlines()
    began = loop.time()

    with pytest.raises(TimeoutError), deadlines.until(began + 0.05):
        await asyncio.sleep(5)

    assert 0.04 < loop.time() - began < 0.05 + 10 * LOOK_EVERY
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_a_block_that_ends_in_time_is_left_alone() -> None:
    """Others that are looked over with it end at their own moments."""
    loop, deadlines = asyncio.get_running_loop(), Deadlines()

    async def run(seconds: float) -> str:
        try:
            with deadlines.until(loop.time() + seconds):
                await asyncio.sleep(0.1)
        except TimeoutError:
            return "late"
        return "done"

    assert list(await asyncio.gather(run(0.03), run(5), run(0.03), run(5))) == [
        "late", "done", "late", "done",
    ]  # fmt: skip


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    """A caller who goes away is no caller whose time ran out."""
    deadlines = Deadlines()

    async def run() -> None:
        with deadlines.until(asyncio.get_running_loop().time() + 5):
            await asyncio.sleep(5)

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
