"""A PostgreSQL backend that has frozen: it is there, and says nothing."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from core.database import statement

OWN_BACKEND = statement(text("SELECT pg_backend_pid() AS pid"))


class Ice:
    """Freezes backends, and thaws them at its end."""

    def __init__(self) -> None:
        self._pids: list[int] = []

    def freeze(self, pid: int) -> None:
        """Stop one backend where it stands."""
        os.kill(pid, signal.SIGSTOP)
        self._pids.append(pid)

    def thaw(self) -> None:
        """Let all go on."""
        for pid in self._pids:
            os.kill(pid, signal.SIGCONT)
        self._pids.clear()


@contextmanager
def ice() -> Iterator[Ice]:
    """Backends frozen in this block go on after it."""
    made = Ice()
    try:
        yield made
    finally:
        made.thaw()
