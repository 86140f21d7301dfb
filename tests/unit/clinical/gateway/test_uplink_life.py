"""How long the gateway's stream lives."""

from clinical.gateway.uplink import STREAM_LIFE
from core.rpc.server import CONNECTION_GRACE_MS


def test_a_stream_of_messages_ends_before_its_connection() -> None:
    """Else it would be broken off whenever a connection is renewed."""
    assert STREAM_LIFE < CONNECTION_GRACE_MS / 1000
