"""What every connection to PostgreSQL is opened with."""

import asyncio
import contextlib
from typing import Any

import psycopg

CONNECT_TIMEOUT = 3  # seconds
PEER_GONE = 5000  # milliseconds until unanswered data means that the peer is gone
REPLAN_AFTER = 10.0  # seconds a connection keeps its plans
KEEPALIVE = 10  # seconds of silence until the peer is asked whether it is there

# Plans are kept until statistics change, which takes a minute after a table has begun to fill. One
# made for an empty table may search a whole tenant by then, so plans are dropped now and again;
# a statement is planned in well under a millisecond.
DROP_PLANS = b"DISCARD PLANS"

# An abandoned transaction holds locks: the server ends it after a minute. Just-in-time
# compilation costs more than any of our statements saves by it.
_SESSION = "-c TimeZone=UTC -c jit=off -c idle_in_transaction_session_timeout=60000"


def connection_options(extra: str = "") -> dict[str, Any]:
    """Arguments for psycopg's connect. `extra` holds more settings as `-c name=value`."""
    return {
        "connect_timeout": CONNECT_TIMEOUT,
        "tcp_user_timeout": PEER_GONE,
        "keepalives_idle": KEEPALIVE,
        "options": f"{_SESSION} {extra}".strip(),
    }


async def connect(url: str, session: str = "") -> psycopg.AsyncConnection[Any]:
    """A connection of one's own, in autocommit. Raises psycopg.Error.

    psycopg leaves the connection of an attempt that is cancelled to the garbage collector; here
    the attempt is waited for, as long as it may take at most, and closed.
    """
    attempt = asyncio.ensure_future(
        psycopg.AsyncConnection.connect(url, autocommit=True, **connection_options(session))
    )
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        with contextlib.suppress(psycopg.Error):
            await (await attempt).close()
        raise


class PooledConnection(psycopg.AsyncConnection[Any]):
    """A connection that remembers when it last planned afresh."""

    planned_at: float = 0.0  # seconds on the event loop's clock
