"""Work that runs for the life of a server ends when it is told to."""

import asyncio

import pytest

from core import tasks


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loop that takes a cancellation for a broken stream is cancelled until it ends."""
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    swallowed: list[int] = []

    async def stubborn() -> None:
        while len(swallowed) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await tasks.end(task)

    assert task.cancelled()
    assert len(swallowed) == 3


async def test_a_fault_at_the_end_is_nobodys_concern() -> None:
    """Ending a task never raises what it raised."""

    async def failing() -> None:
        raise ValueError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)

    await tasks.end(task)
    await tasks.end(None)

    assert task.done()
