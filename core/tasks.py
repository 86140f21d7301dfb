"""Work that runs for the life of a server, and its end."""

import asyncio
from typing import Any

# A task that has not ended by then, in seconds, is cancelled once more.
AGAIN_SECONDS = 0.5


async def end(task: "asyncio.Task[Any] | None") -> None:
    """Cancel a task and wait until it has ended; how it ended is nobody's concern any more.

    grpc.aio turns some cancellations into an error of the call, which a loop that must go on
    takes for a broken stream. So the task is cancelled until it ends.
    """
    if task is None:
        return
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()


def told_to_end() -> bool:
    """Whether the running task is cancelled, and not only a call that it waits for.

    grpc.aio says CancelledError of a call too whose channel was closed. A loop that is to go on for
    the life of a server must not end by that, unseen.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
