"""A method's policy in the words of the contract, for people who read the API's description."""

from typing import Any

from core.contract import Access, Method
from medhub.options.v1 import policy_pb2 as options


def policy_words(method: Method) -> dict[str, Any]:
    """What is said in full, and what follows where the contract says nothing."""
    policy = method.policy
    words: dict[str, Any] = {"access": method.access.value}
    if method.access is Access.REQUIRE:
        words["permission"] = policy.require.permission
    if policy.require.resource:
        words["resource"] = policy.require.resource
    if reason := policy.public.reason or policy.self.reason:
        words["reason"] = reason
    words |= {
        "tenancy": _word(options.Tenancy.Name(policy.tenancy or options.TENANCY_FROM_TOKEN)),
        "link": _word(options.Link.Name(policy.link or options.LINK_NONE)),
        "break_glass": policy.break_glass == options.BREAK_GLASS_ALLOWED,
        "freshness": _word(options.Freshness.Name(policy.freshness)),
        "on_auth_outage": "CONTINUE_READS" if method.continues_reads else "DENY",
        "audit": _word(options.AuditKind.Name(policy.audit.kind)),
        "idempotency": _word(options.Idempotency.Name(policy.idempotency)),
        "load": _word(options.LoadClass.Name(method.load)),
        "deadline_seconds": method.deadline,
    }
    if method.level or method.max_age is not None:
        words["assurance"] = {"level": method.level, "max_age_seconds": method.max_age}
    return words


# Longest first, since one is the beginning of another.
_PREFIXES = ("AUDIT_KIND_", "IDEMPOTENCY_", "LOAD_CLASS_", "FRESHNESS_", "TENANCY_", "LINK_")


def _word(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
