"""What an organization may decide about how its people log in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auth.domain.organizations import OrganizationSettings, check_settings
from core.errors import InvalidField

WITH_MFA = OrganizationSettings(
    mfa_required=True, session_life=timedelta(hours=24), session_idle=timedelta(hours=1)
)


@pytest.mark.parametrize("settings", [OrganizationSettings(), WITH_MFA])
def test_the_defaults_and_the_bounds_themselves_are_accepted(
    settings: OrganizationSettings,
) -> None:
    """NIST's longest lives are within the rule."""
    check_settings(settings)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (replace(WITH_MFA, session_life=timedelta(hours=24, seconds=1)), "session_life"),
        (replace(WITH_MFA, session_idle=timedelta(hours=1, seconds=1)), "session_idle"),
        (OrganizationSettings(session_life=timedelta(days=30, seconds=1)), "session_life"),
        (OrganizationSettings(session_life=timedelta(minutes=14)), "session_life"),
        (OrganizationSettings(session_idle=timedelta(minutes=14)), "session_idle"),
        (OrganizationSettings(session_life=timedelta(hours=1)), "session_idle"),
        (replace(WITH_MFA, allowed_factors=frozenset()), "allowed_factors"),
        (
            replace(WITH_MFA, allowed_factors=frozenset({"email_code", "backup_code"})),
            "allowed_factors",
        ),
    ],
)
def test_what_is_too_long_too_short_or_locks_everybody_out_is_refused(
    settings: OrganizationSettings, field: str
) -> None:
    """The refusal names the field."""
    with pytest.raises(InvalidField) as refused:
        check_settings(settings)

    assert [each.field for each in refused.value.violations] == [f"settings.{field}"]
