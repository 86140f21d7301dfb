"""`python -m tests.support.relay_process RELAY_URL TARGET`: a relay of the ward, to be killed."""

import asyncio
import sys

import grpc

from core.audit.receivers import Compliance
from core.audit.relay import Relay
from core.database.outbox import Outbox


async def _run(relay_url: str, target: str) -> None:
    receiver = Compliance("ward", grpc.aio.insecure_channel(target))
    relay = Relay(Outbox(relay_url), receiver, batch=2)
    relay.start()
    print("started", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:3]))
