"""The yardstick: a bare grpc.aio server that answers the bytes it is sent.

`python -m benchmarks.echo 127.0.0.1:0` prints its port and serves until it is killed.
"""

import asyncio
import sys
from typing import Any

import grpc
import uvloop

PATH = "/benchmarks.Echo/Echo"


class _Echo(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """One method, whatever it is called."""
        return grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, _context: Any) -> bytes:
        return request


async def serve(listen: str) -> None:
    """Serve for ever."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_Echo(),))
    port = server.add_insecure_port(listen)
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
