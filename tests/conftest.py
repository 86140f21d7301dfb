"""Fixtures that every kind of test may use; each is an ordinary module in tests/support."""

import os
import tempfile
import zlib
from pathlib import Path

from hypothesis import settings

from tests.support.campaign import WHOLE

# pytest closes its root of temporary folders to other users at the start of each run. Where tests
# run as root, the embedded PostgreSQL is another user and lives below it: a run in another
# checkout would shut it out. So each checkout has a root of its own.
_PLACE = f"medhub-tests-{zlib.crc32(__file__.encode()):08x}"
_ROOT = Path(os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", f"{tempfile.gettempdir()}/{_PLACE}"))
_ROOT.mkdir(exist_ok=True)

# Identity providers of tests listen on the loopback, where a server speaks to nobody unless told.
os.environ["MEDHUB_AUTH_IDENTITY_PROVIDER_LOOPBACK"] = "true"

# No test asserts a time: an example that is slow on a busy machine is not a failure. A check tries
# the same examples each time, so that one that fails tells of a change; a campaign tries others.
settings.register_profile("check", deadline=None, derandomize=True)
settings.register_profile("campaign", deadline=None, max_examples=2000)
settings.load_profile("campaign" if WHOLE else "check")

pytest_plugins = ["tests.support.hashes", "tests.support.postgres", "tests.support.processes"]
