"""Organizations: how one is founded, and what each decides about how its people log in.

The defaults are what holds where an organization has decided nothing, and for a session that has
chosen none.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from auth.domain.emails import email_key
from auth.domain.sessions import REFRESH_LIFE, SESSION_LIFE
from core.errors import InvalidField

FACTORS = frozenset({"backup_code", "email_code", "passkey", "sms", "totp"})
"""What an organization can allow beside the password."""

RAISING = frozenset({"passkey", "sms", "totp"})
"""Those by which a log-in can reach AAL2 and that a person enrols: a backup code replaces one of
them, and a code by e-mail raises nothing (NIST SP 800-63B, 3.1.3.1)."""

SHORTEST_LIFE = timedelta(minutes=15)
"""Of a session, and of one that nothing is done in: below it people share log-ins."""

LONGEST_LIFE = timedelta(days=30)
"""Of a session at AAL1 (NIST SP 800-63B, 2.1.3)."""

LONGEST_LIFE_WITH_MFA = timedelta(hours=24)
"""Of a session where everybody logs in at AAL2 (NIST SP 800-63B, 2.2.3)."""

LONGEST_IDLE_WITH_MFA = timedelta(hours=1)
"""Of inactivity there (NIST SP 800-63B, 2.2.3)."""


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """What an organization has decided. No domain: an address of any may register."""

    mfa_required: bool = False
    allowed_factors: frozenset[str] = FACTORS
    session_life: timedelta = SESSION_LIFE
    session_idle: timedelta = REFRESH_LIFE
    self_registration: bool = False
    registration_domains: tuple[str, ...] = ()
    registration_roles: tuple[str, ...] = ()

    def newly_given(self, before: "OrganizationSettings") -> frozenset[str]:
        """The roles that people can get by joining, and could not before, or not all of them."""
        if not self.self_registration:
            return frozenset(self.registration_roles) - frozenset(before.registration_roles)
        domains, earlier = set(self.registration_domains), set(before.registration_domains)
        everybody = not domains and earlier
        if not before.self_registration or everybody or (earlier and domains - earlier):
            return frozenset(self.registration_roles)
        return frozenset(self.registration_roles) - frozenset(before.registration_roles)


def founded_by(key: bytes, user: UUID, request_id: str) -> UUID:
    """The id of the organization that a person founds by a request: a UUIDv8 (RFC 9562).

    Derived, so that a repeated request finds what the first one made, in the tenant that it made.
    """
    message = b"\0".join((b"organization", user.bytes, request_id.encode()))
    made = int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:16])
    version, variant = 0xF << 76, 0b11 << 62
    return UUID(int=made & ~version & ~variant | 0x8 << 76 | 0b10 << 62)


def bootstrapped_as(display_name: str, email: str) -> bytes:
    """By what a command of the operator knows the organization that it made before.

    Of the name and the administrator's address as they were given: a name may change, and may be
    anybody's. A digest, because it outlasts the person whose address it was.
    """
    given = (display_name.encode(), email_key(email).encode())
    return hashlib.sha256(b"\0".join(given)).digest()


def check_settings(settings: OrganizationSettings) -> None:
    """Refuse what contradicts itself or outlasts NIST's bounds.

    Raises InvalidField, named as the contract names it.
    """
    if settings.mfa_required and not settings.allowed_factors & RAISING:
        # Nobody could log in any more.
        raise InvalidField(field="settings.allowed_factors", rule="factor_for_mfa")
    life = LONGEST_LIFE_WITH_MFA if settings.mfa_required else LONGEST_LIFE
    idle = LONGEST_IDLE_WITH_MFA if settings.mfa_required else life
    if not SHORTEST_LIFE <= settings.session_life <= life:
        raise InvalidField(field="settings.session_life", rule="session_life")
    if not SHORTEST_LIFE <= settings.session_idle <= min(idle, settings.session_life):
        raise InvalidField(field="settings.session_idle", rule="session_idle")
