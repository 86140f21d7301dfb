"""Proves callers as a server does, and tells how long each proof took.

Runs as a process of its own, `python -m benchmarks.cached_check`, told by environment what the
clinical server is told. It follows auth's stream with the server's own parts, and reads a token
and a count as JSON from standard input.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from benchmarks.load import percentile
from core.contract import everything
from core.rpc.authenticate import authenticate
from core.rpc.authorize import authorize
from core.rpc.channel import Channels, ServiceKey
from core.rpc.headers import Headers
from core.settings import CoreSettings
from core.truth import State, Truth
from core.truth.follower import Follower, resolving

_METHOD = "/medhub.clinical.v1.PatientService/GetPatient"
_LIVE_SECONDS = 20.0


async def check(token: str, calls: int) -> dict[str, float]:
    """Microseconds of one proof and permission (p50, p99, mean), and questions asked of auth."""
    settings, contract = CoreSettings.read("clinical"), everything()
    targets = {"auth": settings.auth_target}
    channels = Channels(targets, ServiceKey.read(settings.service_key_path), contract)
    truth = Truth(State(), resolving(channels.to("auth")))
    follower = Follower(truth.state, channels.to("auth"))
    follower.start()
    try:
        await _until_live(truth.state)
        return await _measure(truth, contract.methods[_METHOD], token, calls)
    finally:
        await follower.stop()
        await channels.close()


async def _measure(truth: Truth, method: Any, token: str, calls: int) -> dict[str, float]:
    headers = Headers(peer="127.0.0.1", credentials=[f"Bearer {token}"])
    authorize(method, await authenticate(method, headers, truth))
    first, taken = truth.hops, []
    for number in range(calls):
        began = time.perf_counter_ns()
        authorize(method, await authenticate(method, headers, truth))
        taken.append((time.perf_counter_ns() - began) / 1000)
        if number % 1_000 == 0:
            await asyncio.sleep(0)  # The stream goes on.
    taken.sort()
    return {
        "p50": percentile(taken, 0.5),
        "p99": percentile(taken, 0.99),
        "mean": sum(taken) / len(taken),
        "first_hops": first,
        "hops": truth.hops - first,
    }


async def _until_live(state: State) -> None:
    async with asyncio.timeout(_LIVE_SECONDS):
        while asyncio.get_running_loop().time() - state.proven_at > 1.0:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def main() -> None:
    """Read what to check, check it, write the figures."""
    told = json.load(sys.stdin)
    json.dump(uvloop.run(check(told["token"], told["calls"])), sys.stdout)


if __name__ == "__main__":
    main()
