"""What every connection to PostgreSQL is opened with."""

import asyncio
import contextlib
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async

from core.database.dialogue import GIVE_UP, Dialogue

CONNECT_TIMEOUT = 3  # seconds
PEER_GONE = 5000  # milliseconds until unanswered data means that the peer is gone
REPLAN_AFTER = 10.0  # seconds a connection keeps its plans
KEEPALIVE = 10  # seconds of silence until the peer is asked whether it is there
# Seconds for one answer: the server itself ends a statement before that (LONGEST_STATEMENT), so one
# that is still silent is frozen.
LONGEST_SILENCE = 32.0
LOOK_EVERY = 0.1  # seconds between two looks whether a wait has become too long

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
    """A connection that remembers when it last planned afresh, and is given up when it is silent.

    psycopg waits for ever for an answer, and ten seconds for the end of a wait that is cancelled:
    a server that has frozen would keep its callers without a word.
    """

    planned_at: float = 0.0  # seconds on the event loop's clock
    patience: float = LONGEST_SILENCE
    dialogue: Dialogue  # since it was configured for the pool

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = LOOK_EVERY,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's own signature
    ) -> RV:
        """What the server answers. Raises OperationalError, and is closed, when it does not."""
        if timeout is None:
            timeout = self.patience
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except psycopg.OperationalError as error:
            if error.sqlstate is None:
                self.pgconn.finish()
            raise
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                await self._stop(gen, interval)
            raise

    async def _stop(self, gen: PQGen[Any], interval: float) -> None:
        """Have the server end what is under way; let go of it when it has not after GIVE_UP."""
        try:
            async with asyncio.timeout(GIVE_UP):
                await self.cancel_safe(timeout=GIVE_UP)
                await wait_async(gen, self.pgconn.socket, interval=interval)
        except psycopg.errors.QueryCanceled:
            pass  # As asked.
        except (psycopg.Error, TimeoutError):
            self.pgconn.finish()
        except BaseException:
            self.pgconn.finish()
            raise
