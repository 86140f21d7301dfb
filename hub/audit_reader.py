"""Reading a log from outside, as an auditor does: by gRPC or through the edge, with a token."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import grpc

from medhub.auth.v1 import auth_service_pb2
from medhub.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from medhub.compliance.v1 import audit_service_pb2 as wire
from medhub.compliance.v1.audit_service_pb2_grpc import AuditServiceStub

CALL_SECONDS = 30.0
"""A bundle of 256 leaves is read in milliseconds; past this something is wrong."""

MAX_MESSAGE_BYTES = 20 * 1024 * 1024


class Unreadable(Exception):
    """The log cannot be read at all: nobody answers, or the token does not open it."""


@dataclass(frozen=True, slots=True)
class Published:
    """The newest checkpoint as the log publishes it; nothing of it is verified."""

    note: bytes
    verifier_key: str


class Reader(Protocol):
    """Reads one organization's log."""

    def checkpoint(self) -> Published | None:
        """The newest checkpoint; None while the log has no event. Raises Unreadable."""

    def tile(self, path: str) -> bytes | None:
        """A tile or a bundle by its path; None when the log lacks it. Raises Unreadable."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Somebody who may verify a log. Without an organization: the only one they belong to."""

    email: str
    password: str
    organization: str = ""


class GrpcReader:
    """Reads from the compliance service itself. Safe to use from several threads."""

    def __init__(self, target: str, token: str) -> None:
        settings = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        self._channel = grpc.insecure_channel(target, settings)
        self._stub: Any = AuditServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def checkpoint(self) -> Published | None:
        found = self._ask("GetCheckpoint", wire.GetCheckpointRequest())
        return None if found is None else Published(found.note.encode(), found.verifier_key)

    def tile(self, path: str) -> bytes | None:
        found = self._ask("ReadTile", wire.ReadTileRequest(path=path))
        return None if found is None else bytes(found.content)

    def close(self) -> None:
        """Disconnect."""
        self._channel.close()

    def _ask(self, method: str, request: Any) -> Any:
        try:
            call = getattr(self._stub, method)
            return call(request, metadata=self._metadata, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise _unreadable(error) from error


class EdgeReader:
    """Reads through the edge, by REST. Safe to use from several threads."""

    def __init__(self, edge: str, token: str) -> None:
        self._edge = edge.rstrip("/")
        self._token = token

    def checkpoint(self) -> Published | None:
        found = self._get("/compliance/v1/auditLog/checkpoint")
        return None if found is None else Published(found["note"].encode(), found["verifier_key"])

    def tile(self, path: str) -> bytes | None:
        query = urllib.parse.urlencode({"path": path})
        found = self._get(f"/compliance/v1/auditLog:readTile?{query}")
        return None if found is None else base64.b64decode(found.get("content", ""))

    def close(self) -> None:
        """Nothing is held."""

    def _get(self, path: str) -> dict[str, Any] | None:
        headers = {"authorization": f"Bearer {self._token}"}
        return _sent(urllib.request.Request(self._edge + path, headers=headers))  # noqa: S310


def log_in_by_grpc(target: str, credentials: Credentials) -> str:
    """An access token from the auth service. Raises Unreadable."""
    request = auth_service_pb2.LoginRequest(
        email=credentials.email,
        password=credentials.password,
        organization=credentials.organization,
    )
    with grpc.insecure_channel(target) as channel:
        stub: Any = AuthServiceStub(channel)
        try:
            return str(stub.Login(request, timeout=CALL_SECONDS).access_token)
        except grpc.RpcError as error:
            raise _unreadable(error) from error


def log_in_by_edge(edge: str, credentials: Credentials) -> str:
    """An access token through the edge. Raises Unreadable."""
    body = {
        "email": credentials.email,
        "password": credentials.password,
        "organization": credentials.organization,
    }
    request = urllib.request.Request(  # noqa: S310 - the address that the operator gave
        f"{edge.rstrip('/')}/auth/v1/login",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    answer = _sent(request)
    if answer is None:
        raise Unreadable("there is no edge at this address")
    return str(answer["access_token"])


def organization_of(token: str) -> UUID:
    """The organization that a token works in. Raises Unreadable for a token without one.

    The token is not verified: the server does that. What it says is compared with the leaves.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return UUID(claims["org"])
    except (IndexError, KeyError, ValueError, TypeError):
        raise Unreadable("the token names no organization") from None


def _sent(request: urllib.request.Request) -> dict[str, Any] | None:
    if request.type not in ("http", "https"):
        raise Unreadable("the edge has an http or https address")
    try:
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise Unreadable(f"the edge answers {error.code}") from error
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise Unreadable("the edge does not answer") from error


def _unreadable(error: Any) -> Unreadable:
    return Unreadable(f"{error.code().name}: {error.details()}")
