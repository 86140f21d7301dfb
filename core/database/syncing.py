"""The one call of libpq that psycopg leaves out: a Sync that is queued and not sent at once.

Its own `pipeline_sync` writes to the socket each time. Many reads that begin in one turn of the
event loop are to share one write, since a write costs as much as building and reading a row.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn

QueueSync: TypeAlias = Callable[[PGconn], None]


def _found() -> QueueSync:
    """PQsendPipelineSync of the very libpq that psycopg works with (17 or newer has it)."""
    try:
        # psycopg's module is linked with its libpq, so that one's functions are found through it.
        library = ctypes.PyDLL(str(sys.modules[pq.PGconn.__module__].__file__))
        send = library.PQsendPipelineSync
    except (OSError, AttributeError):
        return lambda connection: connection.pipeline_sync()
    send.argtypes, send.restype = (ctypes.c_void_p,), ctypes.c_int

    def queue(connection: Any) -> None:
        if not send(connection.pgconn_ptr):
            raise psycopg.OperationalError("a Sync cannot be queued")

    return queue


queue_sync: QueueSync = _found()
"""Put a Sync behind what is queued. Raises psycopg.OperationalError."""
