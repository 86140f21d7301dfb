"""`python -m clinical`: run the server."""

import core.service
from clinical.server import build

if __name__ == "__main__":
    core.service.run("clinical", build)
