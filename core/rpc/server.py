"""The gRPC server: what it is made of, how it starts, how it stops without failing a call."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf.descriptor_pool import Default
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import _async as reflection_aio
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from core.contract import Contract
from core.errors import Unavailable
from core.rpc import validate
from core.rpc.around import Context, Handler, Steps, handler_of
from core.rpc.authenticate import check_certificate, token_of
from core.rpc.headers import Headers
from core.rpc.health import Health
from core.rpc.limits import (
    KEEPALIVE_MS,
    KEEPALIVE_TIMEOUT_MS,
    MAX_MESSAGE_BYTES,
    METADATA_BYTES,
    READ_MESSAGE_BYTES,
)
from core.rpc.tls import server_credentials
from core.rpc.translate import end, refusal_of, tell
from core.settings import CoreSettings
from core.starting import CannotStart

# Connections are closed at this age, so that load spreads over new servers.
CONNECTION_AGE_MS = 5 * 60 * 1000
# Calls on them have this long to end; streams that are renewed, as of HL7 messages, live less long.
CONNECTION_GRACE_MS = 60 * 1000
# How much of the time to drain passes before channels are told to leave.
BALANCERS_SHARE = 2 / 3
# Once told to stop, calls in progress have this long to end.
STOP_GRACE_SECONDS = 20.0
# What came in before that is counted as in progress after this long.
SETTLE_SECONDS = 0.1
# Answers that are still on their way out have this long.
LAST_WORDS_SECONDS = 0.25
# A stream that is cut finds another server after this long.
RECONNECT_SECONDS = 0.1
# Reflection is a read of public names; its proof of identity may be as old as a read's.
_REFLECTION_BOUND = 10.0


class _Served(grpc.GenericRpcHandler):
    """Every method of the contract that a servicer stands for, each with its steps around it."""

    def __init__(self, contract: Contract, servicers: Mapping[str, object], steps: Steps) -> None:
        self._handlers = {}
        for path, method in contract.methods.items():
            if method.service in servicers:
                run = getattr(servicers[method.service], method.name.rpartition("/")[2])
                self._handlers[path] = handler_of(method, run, steps)
                validate.warm(method.request)

    def service(self, details: grpc.HandlerCallDetails) -> "Handler | None":
        """The handler of a path; None, so UNIMPLEMENTED, for everything else."""
        return self._handlers.get(details.method)


class Server:
    """A gRPC server of contract methods, health and (as set) reflection and channelz."""

    def __init__(
        self,
        settings: CoreSettings,
        servicers: Mapping[str, object],
        steps: Steps,
        health: Health,
    ) -> None:
        self._settings = settings
        self._steps = steps
        self._health = health
        self._server = grpc.aio.server(options=_options(settings))
        self._server.add_generic_rpc_handlers((_Served(steps.contract, servicers, steps),))
        health_pb2_grpc.add_HealthServicer_to_server(health.servicer, _Generic(self._server))
        self._add_reflection(tuple(servicers), steps)
        if settings.debug:
            channelz.add_channelz_servicer(_Generic(self._server))
        # Workers take the port when they are ready: of those who share one, each is given callers.
        self.port = 0 if settings.so_reuseport else self._bind()

    @property
    def serving(self) -> bool:
        """Whether health says SERVING."""
        return self._health.serving

    async def start(self) -> None:
        """Listen; health says NOT_SERVING until its conditions hold.

        A server that shares its port begins to listen, and returns, when they first do.
        """
        await self._health.start()
        if self._settings.so_reuseport:
            await self._health.opened()
            self.port = self._bind()
        await self._server.start()

    async def stop(self) -> None:
        """Drain: say NOT_SERVING, let balancers notice, let calls in progress end."""
        await self._health.drain()
        # Calls are served meanwhile. Balancers look at intervals and need most of the time;
        # channels are told at once, and by then have found the server that takes over.
        await asyncio.sleep(self._settings.drain_seconds * BALANCERS_SHARE)
        await self._health.close()
        await asyncio.sleep(self._settings.drain_seconds * (1 - BALANCERS_SHARE))
        # Streams would go on to the end of the grace; their callers find another server.
        self._steps.live.end_all(Unavailable(retry_after=RECONNECT_SECONDS))
        # Whoever does not look is told by the connection to go. What such a caller sends until
        # that has reached it, grpc cancels unseen; the platform's channels send it again.
        stopping = asyncio.create_task(self._server.stop(STOP_GRACE_SECONDS))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_GRACE_SECONDS):
                await asyncio.sleep(SETTLE_SECONDS)
                await self._steps.admission.emptied()
        # What is left watches health or asks for reflection, and would hold the server.
        await self._server.stop(LAST_WORDS_SECONDS)
        await stopping

    def _bind(self) -> int:
        tls, listen = self._settings.tls, self._settings.listen
        try:
            if tls is None:
                return self._server.add_insecure_port(listen)
            return self._server.add_secure_port(listen, server_credentials(tls))
        except RuntimeError as fault:
            why = "it is taken, or no address of this machine"
            raise CannotStart(f"cannot listen on {listen}: {why}") from fault

    def _add_reflection(self, services: tuple[str, ...], steps: Steps) -> None:
        if self._settings.reflection == "off":
            return
        names = (*services, "grpc.health.v1.Health", reflection.SERVICE_NAME)
        servicer: Any = _Reflection(names)
        if self._settings.reflection != "open":
            servicer = _Guarded(servicer, steps)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, _Generic(self._server))


class _Generic:
    """A server that takes generated handlers as generic ones only.

    Generated code also registers each method by itself, and grpc.aio then waits for every
    registered method anew at every call, whichever method that calls.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Not taken: the generic handlers hold the same methods."""


class _Reflection(reflection_aio.ReflectionServicer):  # type: ignore[misc]  # untyped
    """Reflection that finds methods too: the library's own pool knows them by their service."""

    def _file_containing_symbol(self, request: Any, fully_qualified_name: str) -> Any:
        found = super()._file_containing_symbol(request, fully_qualified_name)
        service, _, method = fully_qualified_name.rpartition(".")
        if not found.HasField("error_response") or service not in self._service_names:
            return found
        descriptor = Default().FindServiceByName(service)
        if method not in descriptor.methods_by_name:
            return found
        return super()._file_containing_symbol(request, service)


class _Guarded:
    """Reflection for callers with a token: the shape of the API is no secret, but not for all."""

    def __init__(self, inner: Any, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    async def ServerReflectionInfo(self, request_iterator: Any, context: Context) -> Any:
        """Prove the caller, then reflect."""
        headers = Headers.of(context, self._steps.proxies, self._steps.edges)
        try:
            caller = await self._steps.truth.caller_of(token_of(headers), bound=_REFLECTION_BOUND)
            check_certificate(caller, headers)
        except Exception as error:  # noqa: BLE001 - grpc would send its text
            refusal = refusal_of(error, reflection.SERVICE_NAME, "", given_up=False)
            await end(context, tell(refusal, self._steps.contract, headers.language))
        async for response in self._inner.ServerReflectionInfo(request_iterator, context):
            yield response


def _options(settings: CoreSettings) -> list[tuple[str, Any]]:
    return [
        # Two servers bind one port without an error unless this is off; workers share on purpose.
        ("grpc.so_reuseport", int(settings.so_reuseport)),
        ("grpc.max_receive_message_length", READ_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # Were they two, gRPC would refuse by lot what lies between them.
        ("grpc.max_metadata_size", METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES),
        ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
        ("grpc.max_connection_age_grace_ms", CONNECTION_GRACE_MS),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
