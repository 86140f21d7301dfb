"""`python -m clinical.gateway`: run the MLLP gateway."""

import os

import uvloop

from clinical.gateway.server import run
from core.starting import in_words

if __name__ == "__main__":
    # Forking after grpc has been imported deadlocks; nothing here forks.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    with in_words():
        uvloop.run(run())
