"""`python -m analytics` serves until told to stop."""

import core.service
from analytics.server import build

if __name__ == "__main__":
    core.service.run("analytics", build)
