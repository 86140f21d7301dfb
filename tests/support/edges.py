"""A real Envoy in front of a real gRPC server that answers what it is told."""

import asyncio
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from core.contract import everything
from core.rpc.limits import METADATA_BYTES
from edge import Address, Edge, binary, write

HOST = "127.0.0.1"
SERVICES = frozenset(method.name.split(".")[1] for method in everything().methods.values())
Answer: TypeAlias = Callable[[Message, Any], Any]


@dataclass(frozen=True)
class Seen:
    """A call as the server saw it."""

    method: str
    request: Message
    headers: dict[str, str]
    seconds: float | None


@dataclass
class Backend:
    """A server of every method of the contract. Unless told otherwise it answers emptily."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Seen] = field(default_factory=list)
    told_health: dict[str, health.aio.HealthServicer] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    servers: dict[str, grpc.aio.Server] = field(default_factory=dict)

    async def start(
        self, service: str, port: int = 0, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        """Serve a service; it says SERVING."""
        # As much metadata as a server of ours takes.
        bytes_taken = ("grpc.max_metadata_size", "grpc.absolute_max_metadata_size")
        options = [("grpc.so_reuseport", 0), *((name, METADATA_BYTES) for name in bytes_taken)]
        server = grpc.aio.server(options=options)
        for handler in self._handlers(service):
            server.add_generic_rpc_handlers((handler,))
        self.told_health[service] = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.told_health[service], server)
        listen = f"{HOST}:{port}"
        self.ports[service] = (
            server.add_secure_port(listen, credentials)
            if credentials
            else server.add_insecure_port(listen)
        )
        await server.start()
        self.servers[service] = server

    def forget(self) -> None:
        """Answer emptily again, and forget the calls seen."""
        self.answers.clear()
        self.calls.clear()

    async def say(self, service: str, *, serving: bool) -> None:
        """Change what the health of a server says."""
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if serving else statuses.NOT_SERVING
        await self.told_health[service].set("", status)

    def _handlers(self, service: str) -> list[grpc.GenericRpcHandler]:
        found: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for method in everything().methods.values():
            if method.service.split(".")[1] != service or method.streaming:
                continue
            handler = grpc.unary_unary_rpc_method_handler(
                self._answer(method.name, method.response),
                request_deserializer=method.request.FromString,
                response_serializer=method.response.SerializeToString,
            )
            found.setdefault(method.service, {})[method.name.split("/")[1]] = handler
        return [grpc.method_handlers_generic_handler(n, each) for n, each in found.items()]

    def _answer(self, name: str, kind: type) -> Any:
        async def answer(request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            headers = {key: str(value) for key, value in context.invocation_metadata() or ()}
            self.calls.append(Seen(name, request, headers, context.time_remaining()))
            told = self.answers.get(name)
            result = told(request, context) if told else kind()
            return await result if asyncio.iscoroutine(result) else result

        return answer


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Front:
    """A running Envoy."""

    port: int
    backend: Backend
    folder: Path
    log: Path
    process: asyncio.subprocess.Process
    # How to connect to it; None: in plain text.
    context: ssl.SSLContext | None = None

    async def call(
        self, verb: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: Any
    ) -> Reply:
        """One HTTP/1.1 exchange. `body` goes as JSON; header names get hyphens for underscores."""
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        sent = {"host": "edge", "connection": "close", "content-length": str(len(content))}
        if body is not None or raw is not None:
            sent["content-type"] = "application/json"
        sent |= {key.replace("_", "-"): value for key, value in headers.items()}
        lines = [f"{verb} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items() if v)]
        return await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def send(self, content: bytes) -> Reply:
        """Bytes out, and the answer read to its end."""
        reader, writer = await asyncio.open_connection(HOST, self.port, ssl=self.context)
        try:
            writer.write(content)
            # A server that has refused may hang up before it has read everything.
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            return _parsed(await asyncio.wait_for(_read_all(reader), 20))
        finally:
            writer.close()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """Up to the announced length: Envoy lingers a second before it hangs up."""
    content = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            content += piece
            head, _, body = content.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if length and len(body) >= int(length[1]):
                break
    return content


def _parsed(content: bytes) -> Reply:
    head, _, body = content.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    headers = {pair[0].lower(): pair[-1] for pair in pairs}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Reply(int(status.split()[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
        if not length:
            break
    return whole


async def call(channel: grpc.aio.Channel, path: str) -> bytes:
    """One gRPC call with an empty request; the answer's bytes."""
    method: Any = channel.unary_unary(path)
    answer: bytes = await method(b"")
    return answer


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def front(folder: Path, **settings: Any) -> AsyncIterator[Front]:
    """An Envoy and its three servers, ended with the block."""
    backend = Backend()
    for service in SERVICES:
        await backend.start(service)
    try:
        async with before(backend.ports, folder, backend, **settings) as running:
            yield running
    finally:
        for server in backend.servers.values():
            await server.stop(None)


@contextlib.asynccontextmanager
async def before(
    ports: Mapping[str, int],
    folder: Path,
    backend: Backend | None = None,
    context: ssl.SSLContext | None = None,
    **settings: Any,
) -> AsyncIterator[Front]:
    """An Envoy before servers that run already, ended with the block."""
    port = free_port()
    edge = Edge(
        listen=Address(HOST, port),
        services={name: (Address(HOST, behind),) for name, behind in ports.items()},
        **{"health_seconds": 0.2, **settings},
    )
    bootstrap = write(edge, folder)
    log = folder / "envoy.log"
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            str(binary.path()), "--config-path", str(bootstrap), "--disable-hot-restart",
            "--concurrency", "1", "--log-level", "warning", stdout=sink, stderr=sink,
        )  # fmt: skip
    running = Front(port, backend or Backend(), folder, log, process, context)
    try:
        await _ready(running, process)
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _ready(running: Front, process: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        if process.returncode is not None:
            raise RuntimeError(running.log.read_text("utf-8", "replace"))
        with contextlib.suppress(OSError, ValueError):
            if (await running.call("GET", "/health/")).status == 200:
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the edge is not ready: " + running.log.read_text("utf-8", "replace"))
