"""What the campaigns share: a seed that a failure shows, and how long they search."""

import logging
import os
import time
import zlib
from collections.abc import Iterator

WHOLE = os.environ.get("MEDHUB_CAMPAIGN") == "whole"


def _seed() -> int:
    """The same for every check, so that one that fails tells of a change; fresh for a campaign.

    All workers of a run have one: they must collect the same tests.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(time.time_ns()))
    default = zlib.crc32(run.encode()) % 1_000_000 if WHOLE else 20260301
    return int(os.environ.get("MEDHUB_SEED", default))


SEED = _seed()


def rounds(seconds: float, whole_seconds: float) -> Iterator[int]:
    """Numbers from 0 on, until the time of a campaign is used up; at least one."""
    until = time.monotonic() + (whole_seconds if WHOLE else seconds)
    number = 0
    while number == 0 or time.monotonic() < until:
        yield number
        number += 1


def told(what: str) -> None:
    """Say how much was searched; pytest shows it with `--log-cli-level=INFO`."""
    logging.getLogger("campaign").info("%s, seed %d", what, SEED)
