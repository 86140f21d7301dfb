"""The server of auth's tests stands in tests/support/auth_server.py."""

from tests.support.auth_server import server

__all__ = ["server"]
