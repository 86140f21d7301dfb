"""gRPC through the edge, as it comes."""

import grpc
import pytest
from grpc_status import rpc_status

from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from tests.support.edges import Front, call

pytestmark = pytest.mark.asyncio(loop_scope="session")
LOGIN = "medhub.auth.v1.AuthService/Login"


async def test_an_exposed_method_is_called(edge: Front) -> None:
    """Request, answer and metadata pass unchanged; what only the platform may say does not."""
    edge.backend.answers[LOGIN] = lambda *_: auth_service_pb2.LoginResponse(access_token="t")
    metadata = (("x-medhub-subject", "mallory"), ("accept-language", "fr"), ("x-own", "kept"))

    async with grpc.aio.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        request = auth_service_pb2.LoginRequest(email="a@example.org")
        answer = await stub.Login(request, timeout=15, metadata=metadata)

    seen = edge.backend.calls[-1]
    assert answer.access_token == "t"
    assert seen.request == request
    assert seen.headers["accept-language"] == "fr"
    assert seen.headers["x-own"] == "kept"
    assert "x-medhub-subject" not in seen.headers
    assert 0 < (seen.seconds or 0) <= 15


@pytest.mark.parametrize(
    "path",
    [
        "/medhub.auth.v1.AuthStateService/Watch",
        "/medhub.compliance.v1.KeyService/ProvisionKeys",
        "/medhub.clinical.v1.Hl7V2Service/IngestMessages",
        "/grpc.health.v1.Health/Check",
        "/no.Such/Thing",
    ],
)
async def test_what_is_not_exposed_is_not_served(edge: Front, path: str) -> None:
    """UNIMPLEMENTED with a reason, the same for what is hidden and what does not exist."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(channel, path)

    status = rpc_status.from_call(raised.value)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert b"NOT_SERVED" in status.details[0].value
    assert edge.backend.calls == []
