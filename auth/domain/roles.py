"""Roles: those that ship with medhub, and who may give them.

A permission opens a method, never a patient's record by itself: for that something must link
the caller to the patient, and no role gives a link.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from auth.domain.refusals import EscalationRefused

ADMINISTRATOR = "administrator"
DATA_PROTECTION_OFFICER = "data_protection_officer"
SERVICE = "service"
# A dot, which no id of an organization's own role has: none can be taken for one of these.
SERVICE_COMPLIANCE = "service.compliance"

_DOCTOR = frozenset({
    "auth.access_grants.break_glass",
    "auth.organizations.read",
    "clinical.care_links.create",
    "clinical.care_links.end",
    "clinical.care_links.read",
    "clinical.hl7.read",
    "clinical.identities.read",
    "clinical.patients.create",
    "clinical.patients.merge",
    "clinical.patients.read",
    "clinical.patients.update",
    "clinical.practitioners.read",
    "clinical.records.read",
    "clinical.units.read",
})  # fmt: skip
_NURSE = frozenset({
    "auth.access_grants.break_glass",
    "auth.organizations.read",
    "clinical.care_links.read",
    "clinical.identities.read",
    "clinical.patients.create",
    "clinical.patients.read",
    "clinical.patients.update",
    "clinical.practitioners.read",
    "clinical.records.read",
    "clinical.units.read",
})  # fmt: skip
_BILLER = frozenset({
    "auth.organizations.read",
    "billing.invoices.create",
    "billing.invoices.finalize",
    "billing.invoices.read",
    "billing.invoices.update",
    "billing.ledger.read",
    "billing.payments.allocate",
    "billing.payments.read",
    "billing.payments.record",
    "clinical.identities.read",
    "clinical.practitioners.read",
    "clinical.units.read",
})  # fmt: skip
_AUDITOR = frozenset({
    "analytics.facts.verify",
    "analytics.metrics.view",
    "auth.identity_providers.read",
    "auth.access_grants.read",
    "auth.memberships.read",
    "auth.organizations.read",
    "auth.organizations.read_dashboard",
    "auth.organizations.read_settings",
    "auth.roles.read",
    "auth.service_accounts.read",
    "compliance.audit.read",
    "compliance.audit.read_values",
    "compliance.audit.verify",
})  # fmt: skip
# Whoever answers persons about their data reads in the package what no link opens to them; each
# request and each part fetched stands in the person's trail.
_DATA_PROTECTION_OFFICER = _AUDITOR | {
    "auth.access_grants.review",
    "auth.access_grants.revoke",
    "clinical.identities.read",
    "compliance.access_packages.read",
    "compliance.access_requests.create",
    "compliance.access_requests.read",
    "compliance.erasure_requests.confirm",
    "compliance.erasure_requests.create",
    "compliance.erasure_requests.read",
    "compliance.restrictions.create",
    "compliance.restrictions.lift",
    "compliance.restrictions.read",
}
# Whoever mends an interface reads what was refused and is about nobody known; a service account
# does of its own endpoints alone.
_INTEGRATION = frozenset({
    "clinical.hl7.ingest",
    "clinical.hl7.read",
    "clinical.hl7.read_unattributed",
    "clinical.hl7_endpoints.read",
    "clinical.identities.read",
    "clinical.practitioners.read",
    "clinical.units.read",
})  # fmt: skip
_ADMINISTRATION = frozenset({
    "analytics.metrics.export",
    "auth.identity_providers.create",
    "auth.identity_providers.disable",
    "auth.identity_providers.enable",
    "auth.identity_providers.read",
    "auth.identity_providers.update",
    "auth.factors.reset",
    "auth.access_grants.create",
    "auth.access_grants.revoke",
    "auth.memberships.create",
    "auth.memberships.read",
    "auth.memberships.remove",
    "auth.memberships.set_roles",
    "auth.memberships.suspend",
    "auth.organizations.read",
    "auth.organizations.read_dashboard",
    "auth.organizations.read_settings",
    "auth.organizations.update",
    "auth.organizations.update_settings",
    "auth.roles.create",
    "auth.roles.delete",
    "auth.roles.read",
    "auth.roles.update",
    "auth.service_accounts.add_key",
    "auth.service_accounts.create",
    "auth.service_accounts.disable",
    "auth.service_accounts.read",
    "auth.service_accounts.remove_key",
    "auth.service_accounts.set_roles",
    "auth.sessions.revoke",
    "auth.sessions.revoke_all",
    "clinical.hl7_endpoints.create",
    "clinical.hl7_endpoints.read",
    "clinical.hl7_endpoints.update",
    "clinical.patients.delete",
    "clinical.practitioners.create",
    "clinical.units.create",
})  # fmt: skip
_PLATFORM = frozenset({
    "analytics.facts.ingest",
    "auth.state.resolve",
    "auth.state.watch",
    "auth.tokens.exchange",
    "compliance.events.append",
    "compliance.keys.provision",
})  # fmt: skip
# Compliance alone gathers what every service holds of a person who asks, and has it erased.
_COMPLIANCE = frozenset({
    "subject.data.erase",
    "subject.data.export",
    "subject.data.find",
    "subject.data.lift",
    "subject.data.plan_erasure",
    "subject.data.restrict",
})  # fmt: skip

# What one server may do on behalf of whoever calls it: the ceiling of those calls. By itself it can
# do none of it, since its own token names no organization.
_FOR_CALLERS_OF_COMPLIANCE = frozenset({
    "clinical.identities.read",
})  # fmt: skip

# Nobody gives a permission that they do not hold, so who gives the other roles holds what they
# hold. An administrator still opens no patient's record: nothing links them to one. The package of
# an access request and a message about nobody known they see, as the roles do whose work it is, and
# as the trail says.
_ADMINISTRATOR = (
    _ADMINISTRATION
    | _DOCTOR
    | _NURSE
    | _BILLER
    | _AUDITOR
    | _DATA_PROTECTION_OFFICER
    | _INTEGRATION
)

BUILT_IN: Mapping[str, frozenset[str]] = MappingProxyType({
    ADMINISTRATOR: _ADMINISTRATOR,
    "auditor": _AUDITOR,
    "biller": _BILLER,
    DATA_PROTECTION_OFFICER: _DATA_PROTECTION_OFFICER,
    "doctor": _DOCTOR,
    "integration": _INTEGRATION,
    "nurse": _NURSE,
    SERVICE: _PLATFORM,
    SERVICE_COMPLIANCE: _COMPLIANCE | _FOR_CALLERS_OF_COMPLIANCE,
})  # fmt: skip
"""By id."""

OF_THE_PLATFORM = frozenset({SERVICE, SERVICE_COMPLIANCE})
"""For the platform's own servers; no organization can give them."""

DISPLAY_NAMES: Mapping[str, str] = MappingProxyType({
    ADMINISTRATOR: "Administrator",
    "auditor": "Auditor",
    "biller": "Billing clerk",
    DATA_PROTECTION_OFFICER: "Data protection officer",
    "doctor": "Doctor",
    "integration": "Integration",
    "nurse": "Nurse",
    SERVICE: "Server of the platform",
    SERVICE_COMPLIANCE: "Compliance, for persons who ask and on behalf of its callers",
})  # fmt: skip


def of_the_platform_alone(permission: str) -> bool:
    """Whether only servers of the platform are given it."""
    holders = {role for role, given in BUILT_IN.items() if permission in given}
    return bool(holders) and holders <= OF_THE_PLATFORM


def roles_of_server(name: str) -> tuple[str, ...]:
    """The roles of the platform's server of this name, sorted."""
    own = f"{SERVICE}.{name}"
    return (SERVICE, own) if own in OF_THE_PLATFORM else (SERVICE,)


def permissions_of(
    roles: Iterable[str],
    own: Mapping[str, AbstractSet[str]],
    built_in: Mapping[str, AbstractSet[str]] = BUILT_IN,
) -> frozenset[str]:
    """What these roles give; `own` are the organization's. An unknown one gives nothing."""
    given: set[str] = set()
    for role in roles:
        given |= built_in.get(role) or own.get(role, frozenset())
    return frozenset(given)


def giving(permission: str, roles: Iterable[str], own: Mapping[str, AbstractSet[str]]) -> str:
    """The first of the roles, by id, that gives a permission; empty when none does."""
    for role in sorted(roles):
        if permission in permissions_of((role,), own):
            return role
    return ""


def refuse_escalation(given: AbstractSet[str], held: AbstractSet[str]) -> None:
    """Nobody gives more than they hold. Raises EscalationRefused, naming the first such."""
    beyond = sorted(given - held)
    if beyond:
        raise EscalationRefused(beyond[0])
