"""Factors that come, are asked for and go, against a real database."""

from datetime import timedelta

import pytest

from auth.domain.messages import Template
from auth.domain.refusals import (
    CodeRefused,
    FactorRequired,
    FactorsElsewhere,
    LastFactor,
    RefreshRefused,
    TokenInvalid,
)
from core import clock
from core.errors import NotFound
from core.ids import name_of
from medhub.auth.v1 import account_service_pb2, auth_service_pb2, factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.apps import App
from tests.support.credentials import PASSWORD, Auth, anonymous
from tests.support.second_factors import (
    app_of,
    backup_codes,
    challenged,
    change,
    finished,
    logged_in,
    require_factors,
    sent,
    still,
    verify,
    with_app,
    with_passkey,
)

__all__ = ["still"]


async def test_a_change_of_factors_is_told_and_recorded(auth: Auth) -> None:
    """By mail, in the language of the call, and as rows of the trail."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    token = await logged_in(auth, clinic.email, app)
    await auth.act(token, "RemoveFactor")

    await auth.factors.RemoveFactor(wire.RemoveFactorRequest(name=app.factor))

    notices = [(m.to, m.template, dict(m.values)) for m in await sent(auth)]
    assert notices == [
        (clinic.email, Template.FACTOR_ADDED, {"factor": "authenticator app"}),
        (clinic.email, Template.FACTOR_REMOVED, {"factor": "authenticator app"}),
    ]
    kept = auth.rows(
        "SELECT operation FROM medhub.audit_outbox WHERE entity = 'factor' ORDER BY seq"
    )
    assert [row["operation"] for row in kept] == ["insert", "update", "delete"]
    assert not (await auth.log_in(clinic.email)).challenge.token


async def test_an_organization_that_asks_for_two_gives_no_token_for_one(auth: Auth) -> None:
    """Neither by log-in, nor by a switch, nor by a renewal: only one's own account is open."""
    clinic, other = await auth.clinic(), await auth.clinic("Other")
    await auth.user(other.organization, clinic.email, "doctor")
    first = name_of("organizations", clinic.organization)
    before = await auth.log_in(clinic.email, organization=first)
    await require_factors(auth, clinic.organization)

    made = await auth.log_in(clinic.email, organization=first)

    assert (made.organization, made.next_step) == ("", factor_pb2.NEXT_STEP_ENROL_FACTOR)
    await auth.act(made.access_token, "SwitchOrganization")
    with pytest.raises(FactorRequired):
        await auth.auth.SwitchOrganization(
            auth_service_pb2.SwitchOrganizationRequest(organization=first)
        )
    anonymous("RefreshToken")
    with pytest.raises(RefreshRefused):
        await auth.auth.RefreshToken(
            auth_service_pb2.RefreshTokenRequest(refresh_token=before.refresh_token)
        )
    app = await with_app(auth, made.access_token)
    asked = await auth.log_in(clinic.email, organization=first)
    entered = await verify(auth, asked.challenge.token, app.factor, app.code())
    assert entered.session.organization == first


async def test_a_kind_that_the_organization_does_not_allow_opens_no_session_there(
    auth: Auth,
) -> None:
    """The factor is proven, and another is asked for."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    await require_factors(auth, clinic.organization, "passkey")

    asked = await challenged(auth, clinic.email)
    made = await verify(auth, asked.token, app.factor, app.code())

    assert made.session.next_step == factor_pb2.NEXT_STEP_ENROL_FACTOR
    assert made.session.organization == ""


async def test_the_last_factor_stays_while_two_are_asked_for(auth: Auth) -> None:
    """Backup codes do not count: they stand in for it, and go with it."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    token = await logged_in(auth, clinic.email, app)
    await backup_codes(auth, token)
    await require_factors(auth, clinic.organization)
    await auth.act(token, "RemoveFactor")

    with pytest.raises(LastFactor):
        await auth.factors.RemoveFactor(wire.RemoveFactorRequest(name=app.factor))

    await change(auth, "UPDATE organization SET mfa_required = false")
    await auth.factors.RemoveFactor(wire.RemoveFactorRequest(name=app.factor))
    assert auth.rows("SELECT id FROM factor") == []


async def test_other_sessions_are_counted_or_ended(auth: Auth) -> None:
    """Whoever adds a factor hears of the others, and may end them with it."""
    clinic = await auth.clinic()
    others = [await auth.log_in(clinic.email) for _ in range(2)]
    own = await auth.log_in(clinic.email)
    await auth.act(own.access_token, "BeginTotpEnrolment")
    begun = await auth.factors.BeginTotpEnrolment(
        wire.BeginTotpEnrolmentRequest(display_name="Telephone")
    )
    app = App(begun.secret)

    request = wire.ConfirmTotpEnrolmentRequest(
        enrolment=begun.enrolment, code=app.code(), end_other_sessions=True
    )
    added = await auth.factors.ConfirmTotpEnrolment(request)

    assert added.other_sessions == 0
    await auth.proving.prove(own.access_token)
    for other in others:
        with pytest.raises(TokenInvalid):
            await auth.proving.prove(other.access_token)


async def test_an_administrator_resets_the_factors_of_a_member(auth: Auth) -> None:
    """The member has none, and no session; of a person of other organizations, and of oneself,
    nobody does.
    """
    clinic, other = await auth.clinic(), await auth.clinic("Other")
    await auth.user(clinic.organization, "doc@parc.test", "doctor")
    await auth.user(clinic.organization, other.email, "doctor")
    app = await app_of(auth, "doc@parc.test")
    theirs = await logged_in(auth, "doc@parc.test", app)
    members = {
        row["email"]: name_of("memberships", row["id"])
        for row in auth.rows(
            f"SELECT id, email FROM membership WHERE organization_id = '{clinic.organization}'"
        )
    }
    await auth.act_as_administrator(clinic, method="ResetMemberFactors")

    for email in (clinic.email, other.email):
        with pytest.raises(FactorsElsewhere):
            await auth.factors.ResetMemberFactors(
                wire.ResetMemberFactorsRequest(name=members[email])
            )
    reset = await auth.factors.ResetMemberFactors(
        wire.ResetMemberFactorsRequest(name=members["doc@parc.test"])
    )

    assert reset.removed == 1
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(theirs)
    assert (await auth.log_in("doc@parc.test")).access_token
    assert (await sent(auth))[-1].template is Template.FACTOR_REMOVED
    await auth.act_as_administrator(other, method="ResetMemberFactors")
    with pytest.raises(NotFound):
        await auth.factors.ResetMemberFactors(
            wire.ResetMemberFactorsRequest(name=members["doc@parc.test"])
        )


async def test_a_raised_session_lasts_a_day_and_an_idle_hour(auth: Auth) -> None:
    """AAL2 ends sooner than AAL1 (NIST SP 800-63B)."""
    clinic = await auth.clinic()
    plain = await auth.log_in(clinic.email)
    app = await with_app(auth, plain.access_token)

    raised = await verify(
        auth, (await challenged(auth, clinic.email)).token, app.factor, app.code()
    )

    now = clock.now()
    idle = plain.refresh_expire_time.ToDatetime(now.tzinfo) - now
    assert idle == timedelta(hours=12)
    idle = raised.session.credentials.refresh_expire_time.ToDatetime(now.tzinfo) - now
    assert idle == timedelta(hours=1)
    lasts = auth.rows("SELECT expires_at - created_at AS whole FROM session ORDER BY id DESC")
    assert lasts[0]["whole"] == timedelta(hours=24)


async def test_a_deleted_account_leaves_no_factor(auth: Auth) -> None:
    """Its passkey opens nothing any more."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "ana@parc.test", "nurse")
    token = (await auth.log_in("ana@parc.test")).access_token
    device, _ = await with_passkey(auth, token)
    await auth.act(token, "DeleteAccount")

    await auth.accounts.DeleteAccount(
        account_service_pb2.DeleteAccountRequest(current_password=PASSWORD)
    )

    assert auth.rows("SELECT id FROM factor") == []
    anonymous("BeginPasskeyLogin")
    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    with pytest.raises(CodeRefused):
        await auth.factors.FinishPasskeyLogin(finished(begun, device.get(begun.options_json)))
