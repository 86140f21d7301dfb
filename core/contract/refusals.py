"""For which reasons a method can refuse: what its policy implies, and what it names besides."""

from core.contract.methods import Access, Method
from medhub.options.v1 import policy_pb2 as options

# Any call can be refused for these.
_ALWAYS = (
    "INVALID_FIELD", "MALFORMED_REQUEST", "UNAVAILABLE", "DEADLINE_EXCEEDED", "OVERLOADED",
    "INTERNAL",
)  # fmt: skip
# The reasons of the transport, of a call rather than of a method: whoever gave it up is told so,
# as are those who ask for no method, or for too much.
OF_THE_TRANSPORT = frozenset({"CANCELLED", "NOT_SERVED", "REQUEST_TOO_LARGE"})


def refusals_of(method: Method) -> tuple[str, ...]:
    """The names of the reasons, without the transport's own."""
    policy = method.policy
    names = [*_ALWAYS]
    if method.access is not Access.PUBLIC:
        # Denied is also who acts on behalf of somebody: not all that is their own is for others.
        names += ["UNAUTHENTICATED", "AUTH_UNAVAILABLE", "PERMISSION_DENIED"]
    if method.needs_organization and method.access is not Access.PUBLIC:
        names.append("ORGANIZATION_REQUIRED")
    if method.level or method.max_age is not None:
        names.append("STEP_UP_REQUIRED")
    fields = method.request.DESCRIPTOR.fields_by_name
    # A policy says where the object is named only if it asks for a permission; what is the
    # caller's own (a factor, a session) is named as well, and another's is not found.
    if policy.require.resource or policy.link == options.LINK_CARE or "name" in fields:
        names.append("NOT_FOUND")
    if method.by_request_id:
        names.append("REQUEST_ID_REUSED")
    # A change that names the version it was made for; an update carries it in its resource.
    if "etag" in fields or "update_mask" in fields:
        names.append("ETAG_MISMATCH")
    return tuple(dict.fromkeys([*names, *policy.reasons]))
