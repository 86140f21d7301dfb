"""Second factors: what each proves, who is asked for one, and when none may be missing.

A factor has its true assurance level (NIST SP 800-63B). A code by e-mail proves that somebody reads
the mail and raises nothing; SMS can be diverted and is marked as restricted; a passkey verifies
its owner by itself and needs no password.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from auth.domain.organizations import OrganizationSettings
from auth.domain.refusals import FactorNotAllowed, LastFactor, TooManyFactors
from auth.domain.sessions import Proof


class Kind(StrEnum):
    """Kinds of factor, the strongest first."""

    PASSKEY = "passkey"
    TOTP = "totp"
    SMS = "sms"
    EMAIL_CODE = "email_code"
    BACKUP_CODE = "backup_code"


RAISED = 2
"""AAL2: two factors."""

LEVELS: Mapping[Kind, int] = MappingProxyType({
    Kind.PASSKEY: RAISED,
    Kind.TOTP: RAISED,
    Kind.SMS: RAISED,
    Kind.EMAIL_CODE: 1,
    Kind.BACKUP_CODE: RAISED,
})  # fmt: skip
"""What a log-in with it reaches, with the password where it needs one."""

RESTRICTED = frozenset({Kind.SMS})

ENROLLED = frozenset({Kind.PASSKEY, Kind.TOTP, Kind.SMS})
"""Those that reach AAL2 and stand by themselves; backup codes stand in for one of them."""

# RFC 8176, where it has a word: proof of possession of a key after a test of the user, a one-time
# password, an SMS. It has none for codes by mail or on paper.
_METHODS: Mapping[Kind, tuple[str, ...]] = MappingProxyType({
    Kind.PASSKEY: ("pop", "user"),
    Kind.TOTP: ("otp",),
    Kind.SMS: ("sms",),
    Kind.EMAIL_CODE: ("email_code",),
    Kind.BACKUP_CODE: ("backup_code",),
})  # fmt: skip
_SEVERAL = "mfa"

MOST_FACTORS = 20
"""Of one account: several devices, and nobody's list is without end."""

CHALLENGE_LIFE = timedelta(minutes=10)
"""A code and what it answers are good this long at most (OWASP ASVS 6.5.5)."""

MOST_TRIES = 5
"""Answers to one challenge. A code of six digits is guessed once in 200,000 challenges."""

MOST_CODES = 3
"""Codes that are sent for one challenge."""

FRESH = timedelta(minutes=15)
"""How old the authentication may be by which one's factors are changed; the policies say so too."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor that its owner has confirmed. `codes_left` counts unused backup codes."""

    id: UUID
    user: UUID
    kind: Kind
    display_name: str
    created_at: datetime
    used_at: datetime | None = None
    codes_left: int = 0

    @property
    def usable(self) -> bool:
        """Whether it can prove anything: the last backup code may be used up."""
        return self.kind is not Kind.BACKUP_CODE or self.codes_left > 0


def proven(before: Proof, kind: Kind) -> Proof:
    """What holds once a factor was proven besides. Raises ValueError where it proves nothing."""
    if kind is not Kind.PASSKEY and before.level < 1:
        raise ValueError("only a passkey proves somebody alone")
    level = max(before.level, LEVELS[kind])
    methods = (*before.methods, *_METHODS[kind], *((_SEVERAL,) if level >= RAISED else ()))
    return Proof(level, tuple(dict.fromkeys(methods)))


def asked(factors: Iterable[Factor], before: Proof) -> list[Factor]:
    """The factors of which one has to be proven besides, the strongest first; none: enough is.

    Whoever has a factor that reaches AAL2 is asked for such a one on every way in (OWASP ASVS
    6.3.4), so a code by mail counts only where there is nothing else. Before anything was proven, a
    passkey alone will do.
    """
    if before.level >= RAISED:
        return []
    usable = [factor for factor in factors if factor.usable]
    if before.level < 1:
        return [factor for factor in usable if factor.kind is Kind.PASSKEY]
    raising = [factor for factor in usable if LEVELS[factor.kind] >= RAISED]
    return sorted(raising or usable, key=lambda factor: list(Kind).index(factor.kind))


def has_raising(factors: Iterable[Factor]) -> bool:
    """Whether their owner can reach AAL2."""
    return any(LEVELS[factor.kind] >= RAISED and factor.usable for factor in factors)


def suffices(settings: OrganizationSettings, proof: Proof, *, federated: bool = False) -> bool:
    """Whether a session of this proof may work in an organization.

    One that asks for two factors counts those that it allows, and what its own identity provider
    has seen (`federated`).
    """
    if not settings.mfa_required:
        return True
    if proof.level < RAISED:
        return False
    if federated:
        return True
    kinds = {kind for kind, words in _METHODS.items() if set(words) <= set(proof.methods)}
    return bool(kinds & settings.allowed_factors)


def check_allowed(kind: Kind, organizations: Collection[OrganizationSettings]) -> None:
    """Refuse a factor that none of its owner's organizations allows; without any, all are.

    Raises FactorNotAllowed.
    """
    if organizations and all(kind not in each.allowed_factors for each in organizations):
        raise FactorNotAllowed


def check_room(factors: Sequence[Factor]) -> None:
    """Raises TooManyFactors."""
    if len(factors) >= MOST_FACTORS:
        raise TooManyFactors


def left_without(factors: Sequence[Factor], removed: Factor) -> list[Factor]:
    """What stays when one is removed: backup codes go with the last that they stand in for."""
    rest = [factor for factor in factors if factor.id != removed.id]
    backed = any(factor.kind in ENROLLED for factor in rest)
    return [factor for factor in rest if backed or factor.kind is not Kind.BACKUP_CODE]


def keep_a_factor(
    before: Sequence[Factor], after: Sequence[Factor], organizations: Iterable[OrganizationSettings]
) -> None:
    """Refuse a removal that shuts somebody out of an organization that asks for two factors.

    Raises LastFactor.
    """
    for settings in organizations:
        accepted = ENROLLED & settings.allowed_factors
        had, has = ({f.kind for f in each} & accepted for each in (before, after))
        if settings.mfa_required and had and not has:
            raise LastFactor


_NAMES: Mapping[str, Mapping[Kind, str]] = MappingProxyType({
    "en": {
        Kind.PASSKEY: "passkey",
        Kind.TOTP: "authenticator app",
        Kind.SMS: "code by SMS",
        Kind.EMAIL_CODE: "code by e-mail",
        Kind.BACKUP_CODE: "backup codes",
    },
    "fr": {
        Kind.PASSKEY: "clé d'accès",
        Kind.TOTP: "application d'authentification",
        Kind.SMS: "code par SMS",
        Kind.EMAIL_CODE: "code par courriel",
        Kind.BACKUP_CODE: "codes de secours",
    },
    "de": {
        Kind.PASSKEY: "Passkey",
        Kind.TOTP: "Authenticator-App",
        Kind.SMS: "Code per SMS",
        Kind.EMAIL_CODE: "Code per E-Mail",
        Kind.BACKUP_CODE: "Ersatzcodes",
    },
})  # fmt: skip


def name_in(language: str, kind: Kind) -> str:
    """What a notice calls a kind of factor."""
    return _NAMES.get(language, _NAMES["en"])[kind]
