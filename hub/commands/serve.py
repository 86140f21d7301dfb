"""`medhub serve`: one service in the foreground, as a container runs it."""

import asyncio
import os
import sys
from typing import Annotated

import typer

from hub.child import ChildSpec
from hub.services import Service
from hub.supervisor import Supervisor

# A worker may finish the calls it has: longer than any deadline, shorter than what an
# orchestrator waits before it kills (30 s).
_DRAIN_SECONDS = 28.0


def serve(
    service: Annotated[Service, typer.Argument(help="Which service.")],
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
) -> None:
    """Run one service here; its settings come from MEDHUB_<SERVICE>_… variables."""
    command = [sys.executable, "-m", service.value]
    if workers == 1:
        os.execv(command[0], command)
    asyncio.run(_share(service, tuple(command), workers))


async def _share(service: Service, command: tuple[str, ...], workers: int) -> None:
    """Workers are spawned, never forked, and share the port deliberately."""
    specs = [
        ChildSpec(
            name=f"{service}-{number}",
            argv=command,
            env=_worker_environment(service, number, workers),
            stop_within=_DRAIN_SECONDS,
        )
        for number in range(workers)
    ]
    async with Supervisor(None, lambda line: print(line, file=sys.stderr)) as supervisor:
        await supervisor.until_asked_to_stop(supervisor.start_together(*specs))


def _worker_environment(service: Service, number: int, workers: int) -> dict[str, str]:
    """The port is shared; metrics are not, so each worker counts up from the port that is set."""
    prefix = f"MEDHUB_{service.upper()}_"
    env = {f"{prefix}SO_REUSEPORT": "true", f"{prefix}WORKERS": str(workers)}
    host, _, port = os.environ.get(f"{prefix}METRICS_LISTEN", "").rpartition(":")
    if port.isdigit():
        env[f"{prefix}METRICS_LISTEN"] = f"{host}:{int(port) + number}"
    return env
