"""Services as a deployer runs them: each as one of two instances that take over from one another.

An instance is `medhub serve`, with workers. Both addresses of a service are endpoints of Envoy's
cluster and stand in the targets of everybody who calls it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge import Address, Edge, write
from hub.child import Child, ChildSpec
from hub.data_dir import DataDir
from hub.layout import Layout
from hub.log_file import LogFile
from hub.ports import HOST, Port
from hub.readiness import GrpcServing
from hub.services import Service
from hub.supervisor import Supervisor, together
from tests.support.whole import MEDHUB, Whole, port_base

READY_SECONDS = 90.0
# What an orchestrator waits before it kills.
STOP_SECONDS = 30.0
_LOOK_EVERY = 0.1


@dataclass
class Fleet:
    """A platform whose services can be replaced."""

    layout: Layout
    whole: Whole
    # Which of its two addresses a service runs at, and as what.
    places: dict[Service, int] = field(default_factory=dict)
    running: dict[Service, Child] = field(default_factory=dict)
    started: int = 0

    def addresses(self, service: Service) -> tuple[str, str]:
        """Where the instances of a service may run."""
        second = self.layout.ports[Port.EDGE] + len(Port) + list(Service).index(service)
        return self.layout.address(Port(service)), f"{HOST}:{second}"

    def target(self, service: Service) -> str:
        """What a channel to a service is opened to."""
        return f"ipv4:{','.join(self.addresses(service))}"

    async def start(self, service: Service, workers: int = 1) -> Child:
        """Start an instance at the address that is free; return when it serves."""
        place = 1 - self.places.get(service, 1)
        address = self.addresses(service)[place]
        self.started += 1
        spec = self._spec(service, address, f"{service}-{self.started}", workers)
        child = Child(spec, LogFile(self.layout.data.logs / f"{spec.name}.log"))
        await child.start()
        self.places[service], self.running[service] = place, child
        async with asyncio.timeout(READY_SECONDS):
            while not await spec.ready.is_ready():
                assert child.is_alive, child.log and child.log.tail(20)
                await asyncio.sleep(_LOOK_EVERY)
        return child

    async def replace(self, service: Service, workers: int) -> None:
        """Put a new instance in the place of the one that runs, as docs/operating.md says."""
        old = self.running[service]
        await self.start(service, workers)
        await _end(old)
        assert await old.wait() == 0, f"{old.spec.name} did not end by itself"

    async def stop(self) -> None:
        """Stop every instance."""
        await asyncio.gather(*map(_end, self.running.values()))

    def _spec(self, service: Service, address: str, name: str, workers: int) -> ChildSpec:
        targets = {str(each): self.target(each) for each in Service}
        told = {
            "LISTEN": address,
            "METRICS_LISTEN": "",
            "SUBJECT_TARGETS": json.dumps(targets),
            **{f"{each.upper()}_TARGET": target for each, target in targets.items()},
        }
        usual = self.layout.environment(service)
        prefix = f"MEDHUB_{service.upper()}_"
        # As in a container, the time to drain is the one that a server has unless told otherwise.
        usual.pop(f"{prefix}DRAIN_SECONDS")
        return ChildSpec(
            name=name,
            argv=(str(MEDHUB), "serve", service, "--workers", str(workers)),
            env={**usual, **{f"{prefix}{key}": text for key, text in told.items()}},
            ready=GrpcServing(address),
            stop_within=STOP_SECONDS,
        )


@asynccontextmanager
async def fleet(home: Path) -> AsyncIterator[Fleet]:
    """Everything, with the demonstration, ended with the block."""
    data = DataDir.at(home)
    data.create()
    base = port_base()
    layout = Layout.on(data, {part: base + step for step, part in enumerate(Port)})
    async with Supervisor(data.logs, lambda _: None) as supervisor:
        await _database(layout, supervisor)
        made = Fleet(layout, Whole(data.root, layout.running(0)))
        try:
            await together(*(_one(made, service) for service in Service))
            await supervisor.run_once(layout.seed())
            people = json.loads(data.demo.read_text())
            made.whole.running.organizations.extend(people)
            await asyncio.to_thread(write, _edge(made), data.edge)
            await supervisor.start(layout.envoy())
            yield made
        finally:
            await made.stop()


async def _end(child: Child) -> None:
    await child.stop()
    if child.log:
        child.log.close()


async def _one(made: Fleet, service: Service) -> None:
    await made.start(service)


async def _database(layout: Layout, supervisor: Supervisor) -> None:
    cluster = layout.cluster()
    assert cluster is not None
    await asyncio.to_thread(cluster.create)
    await supervisor.start(cluster.child())
    await asyncio.to_thread(layout.provision)
    await supervisor.run_once(layout.migration())
    await supervisor.run_once(layout.enrolment())


def _edge(made: Fleet) -> Edge:
    return Edge(
        listen=Address.of(made.layout.address(Port.EDGE)),
        services={
            str(service): tuple(map(Address.of, made.addresses(service))) for service in Service
        },
    )
