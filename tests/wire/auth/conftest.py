"""The fixtures of auth's tests stand in tests/support/credentials.py."""

from tests.support.credentials import auth

__all__ = ["auth"]
