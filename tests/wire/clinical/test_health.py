"""What a server says of itself when its database takes no writes."""

import asyncio
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.processes import eventually

_CONNECTED = """SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'medhub_clinical_app'"""
_SERVICE = "medhub.clinical.v1.PatientService"


async def eventually_connected(house: Any) -> None:
    """Wait until the server has found its database again."""
    await eventually(lambda: bool(house.database.rows(_CONNECTED)), within=60.0)


async def test_a_server_whose_database_takes_no_writes_does_not_serve(house: Any) -> None:
    """Reads neither, since each leaves a record; it serves again when the database does."""
    health: Any = health_pb2_grpc.HealthStub(house.served.channel)
    watched = health.Watch(health_pb2.HealthCheckRequest(service=_SERVICE))

    async def becomes(status: int) -> None:
        async with asyncio.timeout(60.0):
            while (await watched.read()).status != status:
                pass

    await becomes(health_pb2.HealthCheckResponse.SERVING)
    house.database.tell_app("SET default_transaction_read_only = on")
    await becomes(health_pb2.HealthCheckResponse.NOT_SERVING)
    # Its connections were cut too; that they are there again is not enough.
    await eventually_connected(house)
    await asyncio.sleep(1.0)
    last = await health.Check(health_pb2.HealthCheckRequest())
    assert last.status == health_pb2.HealthCheckResponse.NOT_SERVING
    house.database.tell_app("RESET default_transaction_read_only")
    await becomes(health_pb2.HealthCheckResponse.SERVING)

    watched.cancel()
