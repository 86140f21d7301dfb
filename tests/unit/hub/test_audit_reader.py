"""Reading a log through the edge, as REST clients do."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from hub.audit_reader import (
    Credentials,
    EdgeReader,
    Published,
    Unreadable,
    log_in_by_edge,
    organization_of,
)

ORGANIZATION = UUID(int=7)


class _Edge(BaseHTTPRequestHandler):
    """Answers as the edge does: JSON in the contract's names, bytes in base64, 404 for none."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if self.headers["authorization"] != "Bearer good":
            self._answer(403, {})
        elif asked.path == "/compliance/v1/auditLog/checkpoint":
            self._answer(200, {"note": "a note\n", "verifier_key": "a key"})
        elif asked.path == "/compliance/v1/auditLog:readTile":
            held = {"tile/0/000.p/1": b"\x00hash\xff"}.get(parse_qs(asked.query)["path"][0])
            found = {"content": base64.b64encode(held).decode()} if held else {}
            self._answer(200 if held else 404, found)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = body == {"email": "a@b.example", "password": "s", "organization": ""}
        self._answer(200 if known else 401, {"access_token": "good"} if known else {})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _answer(self, status: int, message: dict[str, str]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(message).encode())


@pytest.fixture
def edge() -> Iterator[str]:
    """The address of an edge."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Edge) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_log_is_read_through_the_edge(edge: str) -> None:
    """The checkpoint, a tile, and a tile that the log lacks."""
    reader = EdgeReader(edge, log_in_by_edge(edge, Credentials("a@b.example", "s")))

    assert reader.checkpoint() == Published(b"a note\n", "a key")
    assert reader.tile("tile/0/000.p/1") == b"\x00hash\xff"
    assert reader.tile("tile/0/000") is None


def test_a_refusal_is_no_verdict(edge: str) -> None:
    """A wrong password, a token that opens nothing, and nobody there: the log is unreadable."""
    with pytest.raises(Unreadable):
        log_in_by_edge(edge, Credentials("a@b.example", "wrong"))
    with pytest.raises(Unreadable):
        EdgeReader(edge, "bad").checkpoint()
    with pytest.raises(Unreadable):
        EdgeReader("http://127.0.0.1:1", "good").checkpoint()
    with pytest.raises(Unreadable):
        EdgeReader("file:///etc", "good").checkpoint()


def test_the_organization_is_read_from_the_token() -> None:
    """It stands in the claims; a token without one opens no log."""
    claims = base64.urlsafe_b64encode(json.dumps({"org": str(ORGANIZATION)}).encode())

    assert organization_of(f"h.{claims.decode().rstrip('=')}.s") == ORGANIZATION
    for token in ("", "h.e30.s", "no token at all"):
        with pytest.raises(Unreadable):
            organization_of(token)
