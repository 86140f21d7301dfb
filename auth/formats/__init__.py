"""Bytes from outside: password hashes, signed assertions, key files."""
