"""Fixtures that every kind of test may use; each is an ordinary module in tests/support."""

pytest_plugins = ["tests.support.postgres", "tests.support.processes"]
