"""`policy.lock`: a canonical dump of every method's policy, reviewed by people.

Its difference makes a weakening a visible, deliberate act. Tests take what they expect of a
server from the reviewed file, not from the descriptors that the server reads.
"""

import json
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor_pool import Default

from core.contract.catalogue import Contract
from core.contract.methods import Access, Method
from medhub.options.v1 import policy_pb2 as options


def rows_of(contract: Contract) -> list[dict[str, Any]]:
    """One row a method, by name: what it asks, what it leaves behind, where it is reached."""
    return [row_of(m) for m in sorted(contract.methods.values(), key=lambda m: m.name)]


def row_of(method: Method) -> dict[str, Any]:
    """The policy of one method in words. What is empty or unsaid is left out."""
    policy = method.policy
    assurance = {"level": policy.assurance.level}
    if method.max_age is not None:
        assurance["max_age_seconds"] = int(method.max_age)
    audit = {
        "kind": _word(options.AuditKind, policy.audit.kind),
        "reason": policy.audit.reason,
        "subjects": list(policy.audit.subjects),
    }
    row: dict[str, Any] = {
        "method": method.name,
        "access": method.access.value,
        "permission": method.permission,
        "resource": policy.require.resource,
        "access_reason": _access_reason(method),
        "tenancy": _word(options.Tenancy, policy.tenancy or options.TENANCY_FROM_TOKEN),
        "tenancy_reason": policy.tenancy_reason,
        "freshness": _word(options.Freshness, policy.freshness) if policy.freshness else "none",
        "on_auth_outage": _word(
            options.OutageMode, policy.on_auth_outage or options.OUTAGE_MODE_DENY
        ),
        "assurance": assurance,
        "audit": {name: value for name, value in audit.items() if value},
        "break_glass": _word(options.BreakGlass, policy.break_glass or options.BREAK_GLASS_REFUSED),
        "idempotency": _word(options.Idempotency, policy.idempotency),
        "load": _word(options.LoadClass, method.load),
        "deadline_seconds": method.deadline,
        "link": _word(options.Link, policy.link or options.LINK_NONE),
        "exposure": _word(options.Exposure, policy.exposure),
        "streaming": _streaming(method),
        "http": bindings_of(method),
        "reasons": sorted(policy.reasons),
    }
    return {name: value for name, value in row.items() if value not in ("", [], None)}


def text_of(contract: Contract) -> str:
    """The file, whole: JSON with one key a line, so that a change is one line of a diff."""
    return json.dumps(rows_of(contract), indent=1, ensure_ascii=False) + "\n"


def bindings_of(method: Method) -> list[str]:
    """`GET /clinical/v1/{name=patients/*}`, the main binding first."""
    descriptor = Default().FindMethodByName(method.name.replace("/", "."))
    said: Any = descriptor.GetOptions()
    if not said.HasExtension(annotations_pb2.http):
        return []
    rule = said.Extensions[annotations_pb2.http]
    return [_binding(one) for one in (rule, *rule.additional_bindings)]


def _binding(rule: Any) -> str:
    verb = rule.WhichOneof("pattern")
    return f"{verb.upper()} {getattr(rule, verb)}"


def _access_reason(method: Method) -> str:
    if method.access is Access.PUBLIC:
        return method.policy.public.reason
    if method.access is Access.SELF:
        return str(method.policy.self.reason)
    return ""


def _streaming(method: Method) -> str:
    sides = (("client", method.client_streaming), ("server", method.server_streaming))
    return "+".join(name for name, streams in sides if streams)


def _word(enum: Any, value: int) -> str:
    """`FRESHNESS_READ` → `read`: the value without the prefix that all values share."""
    names = enum.keys()
    first = names[0]
    shared = first.removesuffix("UNSPECIFIED")
    return str(enum.Name(value)).removeprefix(shared).lower()
