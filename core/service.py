"""Builds and runs every server: the one place where its parts are put together.

A service hands over its servicers. Everything that makes them safe to call stands here, in the
order in which it starts; it stops in the reverse order.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from core import tasks
from core.audit.receivers import Analytics, Compliance
from core.audit.refusals import Refusals
from core.audit.relay import FACTS_LINGER, Relay
from core.contract import Contract, everything, load
from core.crypto.keyring import Keyring
from core.database import Database, DatabaseSettings
from core.database.access import AccessRecorder
from core.database.facts import Facts
from core.database.migrations import is_current
from core.database.outbox import Outbox
from core.database.pages import PageTokens
from core.housekeeping import Housekeeping
from core.rpc.access_log import AccessLog
from core.rpc.admission import Admission
from core.rpc.around import Steps
from core.rpc.channel import Channels, ServiceKey
from core.rpc.health import Health
from core.rpc.live import LiveStreams
from core.rpc.server import Server
from core.settings import CoreSettings
from core.starting import in_words, told
from core.telemetry import logs, traces
from core.telemetry.metrics import Metrics
from core.truth import State, Truth
from core.truth.follower import Follower, resolving

# How old the truth may be for the server to count as ready: the bound of reads.
READY_LAG_SECONDS = 10.0
# The contract that every service answers for the persons in its own tables.
SUBJECT = "medhub.subject.v1"
# Objects made and still alive before the collector looks at the youngest; then generations.
GC_THRESHOLDS = (10_000, 20, 50)
_log = logging.getLogger("medhub.service")


@dataclass(frozen=True)
class Core:
    """What a service builds its servicers from."""

    service: str
    settings: CoreSettings
    contract: Contract
    database: Database
    pages: PageTokens
    keyring: Keyring
    channels: Channels
    metrics: Metrics
    state: State
    # Runs a part for the life of the server: what it enters is left, in reverse order, at the end.
    parts: AsyncExitStack


Build = Callable[[Core], Awaitable[Mapping[str, object]]]
MakeTruth = Callable[[Core], Awaitable[Truth]]


async def streamed_truth(core: Core) -> Truth:
    """The truth of every server but auth's own: followed by the stream, asked for by a hop."""
    channel = core.channels.to("auth")
    truth = Truth(core.state, resolving(channel), core.service)
    follower = Follower(core.state, channel)
    follower.start()
    core.parts.push_async_callback(follower.stop)
    return truth


def run(service: str, build: Build, truth: MakeTruth = streamed_truth) -> None:
    """Run the server of a service until it is told to stop."""
    # Forking after grpc has been imported deadlocks; nothing here forks.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    with in_words():
        settings = CoreSettings.read(service)
        logs.set_up(service, debug=settings.debug)
        uvloop.run(_run(service, settings, build, truth))


async def _run(service: str, settings: CoreSettings, build: Build, truth: MakeTruth) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stop.set)
    async with AsyncExitStack() as parts:
        starting = asyncio.create_task(_serve(service, settings, build, truth, parts))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await tasks.end(starting)
        else:
            starting.result()
        await stopping
        _log.info("draining")


async def _serve(
    service: str, settings: CoreSettings, build: Build, truth: MakeTruth, parts: AsyncExitStack
) -> None:
    server = await start(service, settings, build, truth, parts)
    _collect_rarely()
    _log.info("listening on port %d", server.port)


async def start(
    service: str,
    settings: CoreSettings,
    build: Build,
    make_truth: MakeTruth,
    parts: AsyncExitStack,
) -> Server:
    """Put a server together and start it; leaving `parts` drains and stops all of it."""
    core = await _core(service, settings, parts)
    truth = await make_truth(core)
    admission = Admission(workers=settings.workers)
    recorder = AccessRecorder(core.database, admission.in_progress)
    await recorder.open()
    parts.push_async_callback(recorder.close)
    refusals = Refusals(recorder)
    refusals.start()
    parts.push_async_callback(refusals.stop)
    _start_relays(core)
    housekeeping = Housekeeping(service, core.database)
    housekeeping.start()
    parts.push_async_callback(housekeeping.stop)
    log = AccessLog(service)
    parts.callback(log.flush)
    servicers = await build(core)
    steps = Steps(
        contract=core.contract,
        truth=truth,
        admission=admission,
        recorder=recorder,
        strangers=refusals,
        live=LiveStreams(truth),
        log=log,
        metrics=core.metrics,
        traces=_traces(service, settings, parts),
        proxies=frozenset(filter(None, settings.trusted_proxies.split(","))),
        edges=None if settings.tls is None else frozenset(settings.tls_edges.split(",")),
    )
    _measure(core.metrics, truth, steps)
    health = Health(servicers, _conditions(service, core, truth))
    server = Server(settings, servicers, steps, health)
    parts.push_async_callback(server.stop)
    await server.start()
    return server


def _collect_rarely() -> None:
    """Tell the garbage collector what a server is like.

    What has been made by now lives as long as the process, so it need not be looked through again
    and again; and calls leave few cycles behind, so a look after many objects is soon enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _core(service: str, settings: CoreSettings, parts: AsyncExitStack) -> Core:
    database = Database(_database_settings(service, settings))
    await database.open()
    parts.push_async_callback(database.close)
    targets = {
        **settings.subject_targets,
        "auth": settings.auth_target,
        "compliance": settings.compliance_target,
        "analytics": settings.analytics_target,
    }
    key = ServiceKey.read(settings.service_key_path)
    channels = Channels(targets, key, everything(), settings.tls)
    parts.push_async_callback(channels.close)
    metrics = Metrics()
    if settings.metrics_listen:
        metrics_server, _ = metrics.serve(settings.metrics_listen)
        parts.callback(metrics_server.shutdown)
    return Core(
        service=service,
        settings=settings,
        contract=load(f"medhub.{service}.v1", SUBJECT),
        database=database,
        pages=PageTokens(settings.database_page_key.get_secret_value()),
        keyring=Keyring.open(settings.keyring_path, settings.keyring_secret),
        channels=channels,
        metrics=metrics,
        state=State(),
        parts=parts,
    )


def _database_settings(service: str, settings: CoreSettings) -> DatabaseSettings:
    """What core.settings may not look into, for it knows no PostgreSQL. Raises CannotStart."""
    return told(
        lambda: DatabaseSettings(
            app_url=settings.database_app_url,
            relay_url=settings.database_relay_url,
            page_key=settings.database_page_key,
            pool_size=settings.pool_size,
            read_connections=settings.read_connections,
        ),
        f"MEDHUB_{service.upper()}_DATABASE_",
    )


def _start_relays(core: Core) -> None:
    url = core.settings.database_relay_url.get_secret_value()
    facts = Facts(url)
    trail = Relay(Outbox(url), Compliance(core.service, core.channels.to("compliance")))
    analytics = Analytics(core.service, core.channels.to("analytics"))
    figures = Relay(facts, analytics, linger=FACTS_LINGER)
    for relay in (trail, figures):
        relay.start()
        core.parts.push_async_callback(relay.stop)
    core.metrics.gauge(
        "medhub_relay_lag_seconds", "Age of the oldest event not yet in the trail.",
        lambda: trail.lag,
    )  # fmt: skip
    core.metrics.gauge(
        "medhub_facts_lag_seconds", "Age of the oldest fact not yet with analytics.",
        lambda: figures.lag,
    )  # fmt: skip
    core.metrics.gauge(
        "medhub_facts_waiting", "Facts that wait for analytics; they are bounded.",
        lambda: facts.waiting,
    )  # fmt: skip


def _conditions(service: str, core: Core, truth: Truth) -> dict[str, Callable[[], Awaitable[bool]]]:
    loop = asyncio.get_running_loop()
    migrated = False

    async def is_migrated() -> bool:
        nonlocal migrated
        if not migrated:
            url = core.settings.database_app_url.get_secret_value()
            try:
                migrated = await asyncio.to_thread(is_current, service, url)
            except Exception as away:  # noqa: BLE001 - PostgreSQL is away: not ready, no reason to die
                _log.info("cannot read the revision of the database: %s", type(away).__name__)
        return migrated

    async def truth_is_live() -> bool:
        return loop.time() - truth.state.proven_at < READY_LAG_SECONDS

    async def truth_is_understood() -> bool:
        return truth.state.understood

    return {
        "database migrated": is_migrated,
        "database reachable": core.database.healthy,
        # Reads too: each leaves a record before it is answered.
        "database takes writes": core.database.room.is_there,
        "auth stream live": truth_is_live,
        "auth stream understood": truth_is_understood,
    }


def _measure(metrics: Metrics, truth: Truth, steps: Steps) -> None:
    loop = asyncio.get_running_loop()
    state = truth.state
    metrics.gauge(
        "medhub_auth_lag_seconds", "Age of the newest proven checkpoint.",
        lambda: loop.time() - state.proven_at,
    )  # fmt: skip
    metrics.gauge("medhub_auth_revision", "The applied revision.", lambda: state.revision)
    metrics.gauge(
        "medhub_auth_understood", "1, or 0 while auth tells what this version cannot read.",
        lambda: state.understood,
    )  # fmt: skip
    metrics.gauge("medhub_auth_hops", "Questions asked of auth so far.", lambda: truth.hops)
    metrics.gauge("medhub_streams", "Streams in progress.", lambda: len(steps.live))


def _traces(service: str, settings: CoreSettings, parts: AsyncExitStack) -> traces.Traces | None:
    made = traces.to_collector(service, settings.otlp_endpoint)
    if made is not None:
        parts.callback(made.close)
    return made
