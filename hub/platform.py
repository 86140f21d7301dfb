"""From nothing to a running platform and back: what `medhub up` does, in order."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import psycopg

from hub import run_file
from hub.child import NotPrepared
from hub.layout import Layout
from hub.service_secrets import KeptElsewhere
from hub.supervisor import Report, Supervisor, together
from hub.welcome import welcome

Result = TypeVar("Result")


async def run(layout: Layout, report: Report, *, demo: bool, greet: Report) -> None:
    """Bring the platform up and keep it up until SIGINT or SIGTERM; then stop it in good order.

    `greet` is told what to try next, with the passwords of the demonstration. Raises StartFailed,
    NotPrepared or PortTaken, after stopping what had started.
    """
    try:
        async with Supervisor(layout.data.logs, report) as supervisor:
            await supervisor.until_asked_to_stop(
                _bring_up(layout, supervisor, report, demo=demo, greet=greet)
            )
            report("stopping")
            run_file.remove(layout.data.run_file)
    finally:
        run_file.remove(layout.data.run_file)


async def _bring_up(
    layout: Layout, supervisor: Supervisor, report: Report, *, demo: bool, greet: Report
) -> None:
    await _database(layout, supervisor, report)
    await together(supervisor.run_once(layout.edge()), supervisor.start_together(*layout.servers()))
    running = layout.running(os.getpid())
    if demo:
        # Before the gateway, which serves the endpoint that the demonstration opens.
        await supervisor.run_once(layout.seed())
        running = replace(running, organizations=json.loads(layout.data.demo.read_text()))
    if not layout.data.gateway_key.exists():
        report("gateway: not started, it has no account yet (docs/operating.md)")
    await supervisor.start_together(*layout.fronts())
    layout.data.ports.write_text(json.dumps(dict(layout.ports)))
    run_file.write(layout.data.run_file, running)
    greet(welcome(running))


async def _database(layout: Layout, supervisor: Supervisor, report: Report) -> None:
    if cluster := layout.cluster():
        opened = await _in_thread(cluster.create, "the place for data", report)
        for folder in opened:
            report(f"{folder}: PostgreSQL, which never runs as root, may now pass through (o+x)")
        await supervisor.start(cluster.child())
    try:
        await _in_thread(layout.provision, "databases and roles", report)
    except KeptElsewhere as refused:
        raise NotPrepared(str(refused)) from None
    except psycopg.Error as failed:
        raise NotPrepared(
            f"PostgreSQL cannot be set up ({type(failed).__name__}); see {layout.data.logs}"
        ) from None
    await supervisor.run_once(layout.migration())
    await supervisor.run_once(layout.enrolment())


async def _in_thread(work: Callable[[], Result], what: str, report: Report) -> Result:
    """Do what blocks without stopping the supervisor, and say how long it took."""
    began = time.monotonic()
    result = await asyncio.to_thread(work)
    report(f"{what}: ready ({time.monotonic() - began:.1f} s)")
    return result
