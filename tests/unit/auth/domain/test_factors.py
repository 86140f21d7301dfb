"""What a second factor proves, who is asked for one, and when none may be missing."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from auth.domain.factors import (
    Factor,
    Kind,
    asked,
    check_allowed,
    check_room,
    keep_a_factor,
    left_without,
    proven,
    suffices,
)
from auth.domain.organizations import OrganizationSettings
from auth.domain.refusals import FactorNotAllowed, LastFactor, TooManyFactors
from auth.domain.sessions import BY_PASSWORD, NOTHING, Proof

OPEN = OrganizationSettings()
STRICT = OrganizationSettings(mfa_required=True, allowed_factors=frozenset({"totp", "backup_code"}))


def _factor(number: int, kind: Kind, codes_left: int = 0) -> Factor:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return Factor(UUID(int=number), UUID(int=99), kind, "x", at, codes_left=codes_left)


APP, KEY, SMS, MAIL = (
    _factor(n, kind)
    for n, kind in enumerate((Kind.TOTP, Kind.PASSKEY, Kind.SMS, Kind.EMAIL_CODE), 1)
)
PAPER = _factor(5, Kind.BACKUP_CODE, 10)


@pytest.mark.parametrize(
    ("before", "kind", "level", "methods"),
    [
        (BY_PASSWORD, Kind.TOTP, 2, ("pwd", "otp", "mfa")),
        (BY_PASSWORD, Kind.SMS, 2, ("pwd", "sms", "mfa")),
        (BY_PASSWORD, Kind.BACKUP_CODE, 2, ("pwd", "backup_code", "mfa")),
        (BY_PASSWORD, Kind.PASSKEY, 2, ("pwd", "pop", "user", "mfa")),
        (NOTHING, Kind.PASSKEY, 2, ("pop", "user", "mfa")),
        (BY_PASSWORD, Kind.EMAIL_CODE, 1, ("pwd", "email_code")),
    ],
)
def test_a_factor_has_its_true_level(
    before: Proof, kind: Kind, level: int, methods: tuple[str, ...]
) -> None:
    """A code by mail raises nothing, and a passkey needs nothing before it."""
    assert proven(before, kind) == Proof(level, methods)


def test_only_a_passkey_proves_somebody_alone() -> None:
    """Any other factor is a second one."""
    for kind in set(Kind) - {Kind.PASSKEY}:
        with pytest.raises(ValueError, match="passkey"):
            proven(NOTHING, kind)


def test_whoever_can_reach_two_factors_is_asked_for_that() -> None:
    """The strongest first; by mail only where there is nothing else; and by no used up code."""
    used_up = replace(PAPER, codes_left=0)

    assert asked([MAIL, SMS, APP, KEY, used_up], BY_PASSWORD) == [KEY, APP, SMS]
    assert asked([MAIL], BY_PASSWORD) == [MAIL]
    assert asked([APP, KEY], NOTHING) == [KEY]
    assert asked([APP], Proof(2, ("pop",))) == []
    assert asked([], BY_PASSWORD) == []


def test_an_organization_counts_the_factors_that_it_allows() -> None:
    """And what its own identity provider has seen; elsewhere a password is enough."""
    two = proven(BY_PASSWORD, Kind.TOTP)

    assert suffices(OPEN, BY_PASSWORD)
    assert not suffices(STRICT, BY_PASSWORD)
    assert suffices(STRICT, two)
    assert not suffices(STRICT, proven(BY_PASSWORD, Kind.SMS))
    assert suffices(STRICT, Proof(2, ("federated",)), federated=True)
    assert not suffices(STRICT, Proof(1, ("federated",)), federated=True)


def test_a_factor_that_nobody_allows_is_not_added() -> None:
    """One organization that does is enough, and so is none; there is room for twenty."""
    check_allowed(Kind.SMS, [])
    check_allowed(Kind.SMS, [STRICT, OPEN])
    with pytest.raises(FactorNotAllowed):
        check_allowed(Kind.SMS, [STRICT])
    with pytest.raises(TooManyFactors):
        check_room([APP] * 20)


def test_the_last_factor_that_counts_stays() -> None:
    """Backup codes go with the last that they stand in for, and do not stand for it."""
    both = [APP, PAPER, SMS]

    assert left_without([APP, PAPER], APP) == []
    assert left_without(both, APP) == [PAPER, SMS]
    with pytest.raises(LastFactor):
        keep_a_factor(both, left_without(both, APP), [OPEN, STRICT])
    keep_a_factor(both, left_without(both, SMS), [STRICT])
    keep_a_factor([SMS], [], [STRICT])
