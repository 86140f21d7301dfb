"""What every connection to PostgreSQL is opened with."""

from typing import Any

CONNECT_TIMEOUT = 3  # seconds
PEER_GONE = 5000  # milliseconds until unanswered data means that the peer is gone
KEEPALIVE = 10  # seconds of silence until the peer is asked whether it is there

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
