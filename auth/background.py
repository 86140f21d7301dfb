"""The name under which auth acts when nobody calls."""

from uuid import UUID

from core.identity import Call, Caller, Kind


def own_call(work: str, action: str, *, within: UUID | None = None) -> Call:
    """Work of the server itself: `auth.server/Follow`. It belongs to no organization, or stands in
    the trail of the one that it is done to.
    """
    return Call(
        method=f"auth.server/{work}",
        caller=Caller(kind=Kind.SERVICE, organization=within),
        action=action,
        purpose="operation",
    )
