"""`python -m compliance`: serve, until told to stop."""

from compliance.server import build
from core.service import run

if __name__ == "__main__":
    run("compliance", build)
