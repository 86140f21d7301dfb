"""Whether the caller may: the contract's policy against the streamed roles.

Permission comes before validation and before existence (AIP-211), so a refusal tells nothing
of what exists. Links between caller and patient are decided where the row is read.
"""

from core import clock
from core.contract import Access, Method
from core.errors import Refusal
from core.identity import Caller, Grant


class PermissionDenied(Refusal):
    """The caller is known and lacks the permission."""

    reason = "PERMISSION_DENIED"


class OrganizationRequired(Refusal):
    """The token names no organization and the method works inside one."""

    reason = "ORGANIZATION_REQUIRED"


class StepUpRequired(Refusal):
    """The method asks for a stronger or a more recent authentication."""

    reason = "STEP_UP_REQUIRED"


def authorize(method: Method, caller: Caller) -> None:
    """Let the call through, or raise the refusal."""
    if method.access is Access.PUBLIC:
        return
    permit(method, caller)
    if method.level or method.max_age is not None:
        _assure(method, caller)


def grants_for(method: Method, caller: Caller) -> tuple[Grant, ...]:
    """Those of the caller's grants that the method takes; what a colleague gave comes first.

    A grant stands in for a care link, to read alone; an emergency's where the contract says so.
    """
    if not caller.grants or not method.takes_grants:
        return ()
    taken = [grant for grant in caller.grants if method.break_glass or not grant.break_glass]
    return tuple(sorted(taken, key=lambda grant: grant.break_glass))


def permit(method: Method, caller: Caller) -> None:
    """Hold the caller's organization and permissions against the policy.

    A method by which people act on their own account is theirs alone: whoever acts for somebody
    must not end their session, nor get another token of theirs.
    """
    if method.access is Access.SELF and caller.actor is not None:
        raise PermissionDenied
    if method.needs_organization and caller.organization is None:
        raise OrganizationRequired
    if method.access is Access.REQUIRE and method.permission not in caller.permissions:
        raise PermissionDenied(metadata={"permission": method.permission})


def _assure(method: Method, caller: Caller) -> None:
    """Hold how and when the caller authenticated against the policy.

    An organization's identity provider vouches for a person in the organization. For what touches
    their account, which may belong to several, it proves nothing.
    """
    vouched = caller.federated and method.access is Access.SELF
    too_old = method.max_age is not None and (
        vouched
        or caller.authenticated_at is None
        or (clock.now() - caller.authenticated_at).total_seconds() > method.max_age
    )
    if caller.assurance < method.level or too_old:
        asked = {"level": str(method.level)}
        if method.max_age is not None:
            asked["max_age_seconds"] = str(int(method.max_age))
        raise StepUpRequired(metadata=asked)
