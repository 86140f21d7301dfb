"""Times on the wire."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(at: datetime | None) -> Timestamp | None:
    """`at` for a message; None leaves the field unset."""
    if at is None:
        return None
    made = Timestamp()
    made.FromDatetime(at)
    return made
