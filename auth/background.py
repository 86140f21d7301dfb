"""The name under which auth acts when nobody calls."""

from core.identity import Call, Caller, Kind


def own_call(work: str, action: str) -> Call:
    """Work of the server itself: `auth.server/Follow`. It belongs to no organization."""
    return Call(
        method=f"auth.server/{work}",
        caller=Caller(kind=Kind.SERVICE),
        action=action,
        purpose="operation",
    )
