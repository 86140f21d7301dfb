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
