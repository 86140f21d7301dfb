"""`python -m compliance`: run the server."""

import core.service
from compliance.server import build

if __name__ == "__main__":
    core.service.run("compliance", build)
