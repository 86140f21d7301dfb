"""`python -m compliance` serves until told to stop; `rebind …` is for the operator."""

import sys

if __name__ == "__main__":
    if len(sys.argv) > 1:
        from compliance.commands import run

        sys.exit(run(sys.argv[1:]))
    import core.service
    from compliance.server import build

    core.service.run("compliance", build)
