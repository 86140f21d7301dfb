"""What compliance's refusals say to a relay."""

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the refusal's ErrorInfo; empty when it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            return _reason_in(status_pb2.Status.FromString(value))
    return ""


def _reason_in(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""
