"""Fixtures that every kind of test may use; each is an ordinary module in tests/support."""

from hypothesis import settings

# No test asserts a time: an example that is slow on a busy machine is not a failure.
settings.register_profile("medhub", deadline=None)
settings.load_profile("medhub")

pytest_plugins = ["tests.support.postgres", "tests.support.processes"]
