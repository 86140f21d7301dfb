"""Runs the gateway: listeners, their uplinks, and a stop in good order."""

import asyncio
import logging
import re
import signal
import ssl
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import grpc

from clinical.gateway.connection import Connection, Counts
from clinical.gateway.settings import ENDPOINT, EndpointSettings, GatewaySettings, TlsSettings
from clinical.gateway.uplink import Uplink
from core.contract import everything
from core.rpc.channel import Channels, ServiceKey
from core.starting import CannotStart
from core.telemetry import logs
from core.telemetry.metrics import Metrics

_log = logging.getLogger("medhub.gateway")


class Gateway:
    """The listeners of one process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._parts = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._uplinks: list[Uplink] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._hosts: Counter[str] = Counter()
        self._said_at = float("-inf")
        self.counts = Counts()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, in the order of the settings."""
        return [server.sockets[0].getsockname()[:2] for server in self._servers]

    async def start(self) -> None:
        """Open every listener. Raises CannotStart when an address is taken."""
        contract = everything()
        for listener in self._settings.listeners:
            targets = {
                "auth": self._settings.auth_target,
                "clinical": self._settings.clinical_target,
            }
            key = await asyncio.to_thread(ServiceKey.read, listener.service_key_path)
            channels = Channels(targets, key, contract, self._settings.tls)
            self._parts.push_async_callback(channels.close)
            await self.serve(listener, channels.to("clinical"))
        self._measure()

    async def serve(self, listener: EndpointSettings, channel: grpc.aio.Channel) -> None:
        """Open one listener, whose messages go up a channel."""
        uplink = Uplink(channel, EndpointName(listener.endpoint, listener.endpoint_path))
        uplink.start()
        self._parts.push_async_callback(uplink.stop)
        self._uplinks.append(uplink)
        self._servers.append(await self._listen(listener, uplink))

    async def stop(self) -> None:
        """Take no more connections, wait for what is under way, and close."""
        for server in self._servers:
            server.close()
        self._stopping.set()
        if self._connections:
            await asyncio.wait(self._connections, timeout=self._settings.drain_seconds)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._parts.aclose()

    async def _listen(self, listener: EndpointSettings, uplink: Uplink) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task, host = asyncio.current_task(), str((writer.get_extra_info("peername") or "?")[0])
            if task is None or self._is_full(host):
                writer.close()
                return
            self._connections.add(task)
            self._hosts[host] += 1
            self.counts.connections += 1
            try:
                await Connection(
                    reader, writer, uplink, self._settings, self.counts, self._stopping
                ).serve()
            finally:
                self._connections.discard(task)
                self._hosts[host] -= 1
                if not self._hosts[host]:
                    del self._hosts[host]

        host, _, port = listener.listen.rpartition(":")
        tls = _tls(listener.tls) if listener.tls else None
        try:
            server = await asyncio.start_server(accept, host, int(port), ssl=tls)
        except (OSError, ValueError, OverflowError) as fault:
            raise CannotStart(f"cannot listen on {listener.listen}: {fault}") from fault
        _log.info("listening on port %d", server.sockets[0].getsockname()[1])
        return server

    def _is_full(self, host: str) -> bool:
        """Whether one more connection of this host is turned away; said at most once a second."""
        of_all = len(self._connections) >= self._settings.max_connections
        of_host = self._hosts[host] >= self._settings.max_connections_per_host
        if (of_all or of_host) and time.monotonic() > self._said_at + 1.0:
            self._said_at = time.monotonic()
            _log.warning("connections turned away: %s", "too many" if of_all else "of one host")
        return of_all or of_host

    def _measure(self) -> None:
        if not self._settings.metrics_listen:
            return
        metrics, counts = Metrics(), self.counts
        metrics.gauge("medhub_mllp_connections", "Open.", lambda: len(self._connections))
        metrics.gauge("medhub_mllp_messages", "Frames taken.", lambda: counts.messages)
        metrics.gauge("medhub_mllp_answers", "Answers sent.", lambda: counts.answers)
        metrics.gauge("medhub_mllp_faults", "Broken frames.", lambda: counts.faults)
        metrics.gauge(
            "medhub_mllp_waiting", "Messages without an answer.",
            lambda: sum(uplink.waiting for uplink in self._uplinks),
        )  # fmt: skip
        server, _ = metrics.serve(self._settings.metrics_listen)
        self._parts.callback(server.shutdown)


class EndpointName:
    """The endpoint's name, or what a file says by now."""

    def __init__(self, name: str, path: Path | None) -> None:
        self._name = name
        self._path = path

    def __call__(self) -> str:
        """The name; "" while nobody has opened the endpoint, or the file holds something else."""
        if self._path is None:
            return self._name
        try:
            name = self._path.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return ""
        return name if re.fullmatch(ENDPOINT, name) else ""


def _tls(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate_path, settings.key_path)
    if settings.client_authority_path is not None:
        context.load_verify_locations(settings.client_authority_path)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def run() -> None:
    """Run until told to stop. Raises CannotStart."""
    settings = GatewaySettings.read()
    logs.set_up("gateway", debug=settings.debug)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stop.set)
    gateway = Gateway(settings)
    await gateway.start()
    await stop.wait()
    _log.info("draining")
    await gateway.stop()
