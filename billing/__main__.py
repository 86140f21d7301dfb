"""`python -m billing`: run the server."""

import core.service
from billing.server import build

if __name__ == "__main__":
    core.service.run("billing", build)
