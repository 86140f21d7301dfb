"""Second factors against a real database: what opens a session, and what does so once."""

import asyncio
from datetime import timedelta

import pytest

from auth.domain.factors import CHALLENGE_LIFE, MOST_TRIES
from auth.domain.messages import Channel, Template
from auth.domain.refusals import (
    ChallengeRefused,
    CodeRefused,
    FactorRequired,
    FactorsElsewhere,
    LastFactor,
    PasskeyRefused,
    RefreshRefused,
    TokenInvalid,
)
from core import clock
from core.errors import NotFound, Refusal
from core.ids import name_of
from core.rpc.authorize import StepUpRequired
from medhub.auth.v1 import account_service_pb2, auth_service_pb2, factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.apps import App
from tests.support.authenticator import Authenticator
from tests.support.credentials import PASSWORD, Auth, anonymous
from tests.support.second_factors import (
    ORIGIN,
    begin,
    challenged,
    change,
    code_sent,
    require_factors,
    sent,
    verify,
    with_app,
    with_passkey,
)


@pytest.fixture(autouse=True)
def _still() -> object:
    """The clock stands still, or a code would be of yesterday's step on a slow machine."""
    with clock.frozen(clock.now()):
        yield


async def _with_app(auth: Auth, email: str) -> App:
    return await with_app(auth, (await auth.log_in(email)).access_token)


async def _outcomes(*calls: object) -> list[str]:
    """How calls end that run at once: `OK`, or the reason of the refusal."""
    done = await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload]
    faults = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, Refusal) for one in faults), faults
    return sorted(one.reason if isinstance(one, Refusal) else "OK" for one in done)


async def _reauthenticated(auth: Auth, token: str, password: str = PASSWORD) -> str:
    """A challenge for a step-up."""
    await auth.act(token, "Reauthenticate")
    made = await auth.factors.Reauthenticate(wire.ReauthenticateRequest(password=password))
    return str(made.challenge.token)


async def test_password_and_app_are_two_factors(auth: Auth) -> None:
    """Who has an app gets no token for the password, and AAL2 for both."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)

    asked = await challenged(auth, clinic.email)
    made = await verify(auth, asked.token, app.factor, app.code())

    assert [(each.factor, each.kind) for each in asked.factors] == [
        (app.factor, factor_pb2.FACTOR_KIND_TOTP)
    ]
    proven = await auth.proving.prove(made.session.credentials.access_token)
    assert (proven.claims.assurance, proven.claims.methods) == (2, ("pwd", "otp", "mfa"))
    assert made.session.organization == name_of("organizations", clinic.organization)


async def test_a_code_is_accepted_once(auth: Auth) -> None:
    """Neither the code that was used nor one of an earlier step opens a second session."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    await verify(auth, (await challenged(auth, clinic.email)).token, app.factor, app.code())

    for code in (app.code(), app.code(-1)):
        again = await challenged(auth, clinic.email)
        with pytest.raises(CodeRefused):
            await verify(auth, again.token, app.factor, code)


async def test_of_two_calls_with_one_code_one_is_refused(auth: Auth) -> None:
    """Two challenges, one code, at once."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    first, other = [await challenged(auth, clinic.email) for _ in range(2)]

    outcomes = await _outcomes(
        verify(auth, first.token, app.factor, app.code()),
        verify(auth, other.token, app.factor, app.code()),
    )

    assert outcomes == ["CODE_REFUSED", "OK"]


async def test_of_two_answers_to_one_challenge_one_is_refused(auth: Auth) -> None:
    """One challenge, two good answers by different factors, at once: one session."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    token = (await challenged(auth, clinic.email)).token
    made = await verify(auth, token, app.factor, app.code())
    codes = await _backup_codes(auth, made.session.credentials.access_token)
    asked = await challenged(auth, clinic.email)
    paper = _choice(asked, factor_pb2.FACTOR_KIND_BACKUP_CODE)
    sessions = len(auth.rows("SELECT id FROM session"))

    outcomes = await _outcomes(
        verify(auth, asked.token, paper, codes[0]), verify(auth, asked.token, paper, codes[1])
    )

    assert outcomes == ["CHALLENGE_REFUSED", "OK"]
    assert len(auth.rows("SELECT id FROM session")) == sessions + 1


async def _backup_codes(auth: Auth, token: str) -> list[str]:
    await auth.act(token, "RegenerateBackupCodes")
    made = await auth.factors.RegenerateBackupCodes(wire.RegenerateBackupCodesRequest())
    return list(made.codes)


def _choice(asked: factor_pb2.Challenge, kind: factor_pb2.FactorKind) -> str:
    return next(each.factor for each in asked.factors if each.kind == kind)


async def _logged_in(auth: Auth, email: str, app: App, steps: int = 0) -> str:
    """A token at AAL2."""
    made = await verify(auth, (await challenged(auth, email)).token, app.factor, app.code(steps))
    return str(made.session.credentials.access_token)


async def test_a_backup_code_works_once_and_a_new_set_voids_the_old(auth: Auth) -> None:
    """At once or later, a code on paper opens one session; after new ones were made, none."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    token = await _logged_in(auth, clinic.email, app)
    old = await _backup_codes(auth, token)
    challenges = [await challenged(auth, clinic.email) for _ in range(3)]
    paper = _choice(challenges[0], factor_pb2.FACTOR_KIND_BACKUP_CODE)

    outcomes = await _outcomes(
        verify(auth, challenges[0].token, paper, old[3]),
        verify(auth, challenges[1].token, paper, old[3].lower().replace("-", " ")),
    )
    await auth.act(token)
    new = await _backup_codes(auth, token)

    assert outcomes == ["CODE_REFUSED", "OK"]
    paper = _choice(await challenged(auth, clinic.email), factor_pb2.FACTOR_KIND_BACKUP_CODE)
    with pytest.raises(CodeRefused):
        await verify(auth, challenges[2].token, paper, old[5])
    made = await verify(auth, challenges[2].token, paper, new[5])
    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (2, ("pwd", "backup_code", "mfa"))
    assert old[5].replace("-", "") not in str(auth.rows("SELECT hash FROM backup_code"))


async def test_a_few_wrong_codes_end_a_challenge(auth: Auth) -> None:
    """The right code comes too late."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    asked = await challenged(auth, clinic.email)

    for _ in range(MOST_TRIES):
        with pytest.raises(CodeRefused):
            await verify(auth, asked.token, app.factor, "000000x"[:6])

    with pytest.raises(ChallengeRefused):
        await verify(auth, asked.token, app.factor, app.code())


async def test_wrong_codes_close_neither_the_password_nor_other_devices(auth: Auth) -> None:
    """Codes are counted by themselves: after many failures codes wait, and nothing else does."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    for _ in range(3):
        asked = await challenged(auth, clinic.email)
        for _ in range(MOST_TRIES):
            with pytest.raises(CodeRefused):
                await verify(auth, asked.token, app.factor, "000000")

    # The right one is not looked at, and is not used up either.
    asked = await challenged(auth, clinic.email)
    with pytest.raises(CodeRefused):
        await verify(auth, asked.token, app.factor, app.code())

    with clock.frozen(clock.now() + timedelta(minutes=20)):
        later = await challenged(auth, clinic.email)
        assert (await verify(auth, later.token, app.factor, app.code())).session.user


async def test_a_challenge_is_over_in_time_and_with_another_password(auth: Auth) -> None:
    """It is bound to what was proven before it."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    late, stale = [await challenged(auth, clinic.email) for _ in range(2)]

    with clock.frozen(clock.now() + CHALLENGE_LIFE), pytest.raises(ChallengeRefused):
        await verify(auth, late.token, app.factor, app.code())
    await change(auth, "UPDATE app_user SET password_hash = password_hash || 'x'")
    with pytest.raises(ChallengeRefused):
        await verify(auth, stale.token, app.factor, app.code())


async def test_nobody_answers_with_the_factor_of_another(auth: Auth) -> None:
    """A factor that the challenge does not list answers nothing."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    theirs = await _with_app(auth, alpha.email)
    own = await _with_app(auth, beta.email)
    asked = await challenged(auth, alpha.email)

    with pytest.raises(FactorRequired):
        await verify(auth, asked.token, own.factor, own.code())

    assert (await verify(auth, asked.token, theirs.factor, theirs.code())).session.user


async def test_a_passkey_logs_in_alone(auth: Auth) -> None:
    """Its device has verified its owner: AAL2, without a password and without an address."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)

    anonymous("BeginPasskeyLogin")
    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    made = await auth.factors.FinishPasskeyLogin(_finish(begun, device.get(begun.options_json)))

    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (2, ("pop", "user", "mfa"))
    assert claims.subject == clinic.administrator


def _finish(
    begun: wire.BeginPasskeyLoginResponse, credential_json: str
) -> wire.FinishPasskeyLoginRequest:
    return wire.FinishPasskeyLoginRequest(
        challenge=begun.challenge, credential_json=credential_json
    )


async def test_an_assertion_is_good_once(auth: Auth) -> None:
    """Replayed at once or later, for its own challenge or for another, it opens nothing."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)
    anonymous("BeginPasskeyLogin")
    begun, other = [
        await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest()) for _ in range(2)
    ]
    answer = device.get(begun.options_json)

    outcomes = await _outcomes(
        auth.factors.FinishPasskeyLogin(_finish(begun, answer)),
        auth.factors.FinishPasskeyLogin(_finish(begun, answer)),
    )

    assert outcomes == ["CHALLENGE_REFUSED", "OK"]
    with pytest.raises(CodeRefused):
        await auth.factors.FinishPasskeyLogin(_finish(other, answer))


@pytest.mark.parametrize("lie", ["origin", "unverified", "key", "counter", "owner", "garbage"])
async def test_a_lying_device_opens_nothing(auth: Auth, lie: str) -> None:
    """Another page, no verification, another key, a copy that has counted less, another owner."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)
    anonymous("BeginPasskeyLogin")
    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    if lie == "origin":
        device.origin = "https://localhost.evil.example"
    if lie == "unverified":
        device.verifies = False
    if lie == "key":
        device.key = Authenticator(ORIGIN).key
    if lie == "counter":
        device.counter = 0
        device.counts = False
    if lie == "owner":
        device.owner = bytes(16)
    answer = "[]" if lie == "garbage" else device.get(begun.options_json)

    with pytest.raises(CodeRefused):
        await auth.factors.FinishPasskeyLogin(_finish(begun, answer))


async def test_a_passkey_answers_a_challenge(auth: Auth) -> None:
    """After a password it is one of the factors, and the strongest."""
    clinic = await auth.clinic()
    token = (await auth.log_in(clinic.email)).access_token
    device, factor = await with_passkey(auth, token, counts=False)
    asked = await challenged(auth, clinic.email)

    begun = await begin(auth, asked.token, factor)
    made = await verify(auth, asked.token, factor, credential_json=device.get(begun.options_json))

    assert asked.factors[0].kind == factor_pb2.FACTOR_KIND_PASSKEY
    assert (await auth.proving.prove(made.session.credentials.access_token)).claims.assurance == 2


async def test_a_passkey_that_verifies_nobody_is_not_added(auth: Auth) -> None:
    """Nor is one that is known already."""
    clinic = await auth.clinic()
    token = (await auth.log_in(clinic.email)).access_token
    with pytest.raises(PasskeyRefused):
        await with_passkey(auth, token, verifies=False)

    assert auth.rows("SELECT id FROM factor") == []


async def test_a_code_by_mail_raises_nothing(auth: Auth) -> None:
    """It is asked for where there is nothing else, and the session stays at AAL1."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "BeginEmailCodeEnrolment")
    begun = await auth.factors.BeginEmailCodeEnrolment(
        wire.BeginEmailCodeEnrolmentRequest(display_name="Mail")
    )
    code = await code_sent(auth, Template.EMAIL_CODE)
    added = await auth.factors.ConfirmEmailCodeEnrolment(
        wire.ConfirmEmailCodeEnrolmentRequest(enrolment=begun.enrolment, code=code)
    )
    asked = await challenged(auth, clinic.email)
    assert (await begin(auth, asked.token, added.factor.name)).code_sent

    code = await code_sent(auth, Template.EMAIL_CODE)
    made = await verify(auth, asked.token, added.factor.name, code)

    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (1, ("pwd", "email_code"))
    assert added.factor.assurance_level == 1
    # Beside an app it answers nothing: it would be the weaker way in.
    app = await with_app(auth, made.session.credentials.access_token)
    asked = await challenged(auth, clinic.email)
    assert [each.factor for each in asked.factors] == [app.factor]


async def test_a_code_by_sms_reaches_the_number_and_its_own_challenge(auth: Auth) -> None:
    """It is sent where the number was proven, it is restricted, and it answers nothing else."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "BeginSmsEnrolment")
    begun = await auth.factors.BeginSmsEnrolment(
        wire.BeginSmsEnrolmentRequest(display_name="Mine", phone_number="+33612345678")
    )
    with pytest.raises(CodeRefused):
        await auth.factors.ConfirmSmsEnrolment(
            wire.ConfirmSmsEnrolmentRequest(enrolment=begun.enrolment, code="abcdef")
        )
    added = await auth.factors.ConfirmSmsEnrolment(
        wire.ConfirmSmsEnrolmentRequest(
            enrolment=begun.enrolment, code=await code_sent(auth, Template.SMS_CODE)
        )
    )
    first, other = [await challenged(auth, clinic.email) for _ in range(2)]
    await begin(auth, first.token, added.factor.name)
    code = await code_sent(auth, Template.SMS_CODE)

    with pytest.raises(CodeRefused):
        await verify(auth, other.token, added.factor.name, code)
    made = await verify(auth, first.token, added.factor.name, code)

    assert added.factor.restricted
    texts = [m for m in await sent(auth) if m.channel is Channel.SMS]
    assert {m.to for m in texts} == {"+33612345678"}
    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (2, ("pwd", "sms", "mfa"))
    assert b"612345678" not in b"".join(
        bytes(row["sealed"]) for row in auth.rows("SELECT sealed FROM factor")
    )


async def test_a_change_of_factors_is_told_and_recorded(auth: Auth) -> None:
    """By mail, in the language of the call, and as rows of the trail."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    token = await _logged_in(auth, clinic.email, app)
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


async def test_a_password_alone_changes_no_factor_of_who_has_some(auth: Auth) -> None:
    """A session from before the app, which has proven one factor, has to step up."""
    clinic = await auth.clinic()
    weak = (await auth.log_in(clinic.email)).access_token
    app = await with_app(auth, weak)
    await auth.act(weak, "RemoveFactor")

    with pytest.raises(StepUpRequired) as refused:
        await auth.factors.RemoveFactor(wire.RemoveFactorRequest(name=app.factor))
    with pytest.raises(StepUpRequired):
        await auth.factors.BeginTotpEnrolment(wire.BeginTotpEnrolmentRequest(display_name="2"))

    assert refused.value.metadata == {"level": "2", "max_age_seconds": "900"}


async def test_a_step_up_replaces_the_session(auth: Auth) -> None:
    """Password and app give new tokens at AAL2; those of the session before are dead."""
    clinic = await auth.clinic()
    old = await auth.log_in(clinic.email)
    app = await with_app(auth, old.access_token)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        token = await _reauthenticated(auth, old.access_token)
        made = await verify(auth, token, app.factor, app.code())

        proven = await auth.proving.prove(made.session.credentials.access_token)
        assert (proven.claims.assurance, proven.claims.organization) == (2, clinic.organization)
        assert proven.claims.authenticated_at == clock.now().replace(microsecond=0)
        with pytest.raises(TokenInvalid):
            await auth.proving.prove(old.access_token)
        anonymous("RefreshToken")
        with pytest.raises(RefreshRefused):
            await auth.auth.RefreshToken(
                auth_service_pb2.RefreshTokenRequest(refresh_token=old.refresh_token)
            )


async def test_without_a_factor_the_password_steps_up(auth: Auth) -> None:
    """A fresh authentication at AAL1, in a session of its own."""
    clinic = await auth.clinic()
    old = await auth.log_in(clinic.email)
    await auth.act(old.access_token, "Reauthenticate")

    made = await auth.factors.Reauthenticate(wire.ReauthenticateRequest(password=PASSWORD))

    assert made.session.credentials.session != old.session
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(old.access_token)


async def test_a_passkey_steps_up_without_the_password(auth: Auth) -> None:
    """It is both factors; without one the password is asked for."""
    clinic = await auth.clinic()
    token = (await auth.log_in(clinic.email)).access_token
    await auth.act(token, "Reauthenticate")
    with pytest.raises(FactorRequired):
        await auth.factors.Reauthenticate(wire.ReauthenticateRequest())
    device, factor = await with_passkey(auth, token)
    await auth.act(token, "Reauthenticate")
    asked = (await auth.factors.Reauthenticate(wire.ReauthenticateRequest())).challenge

    options = (await begin(auth, asked.token, factor)).options_json
    made = await verify(auth, asked.token, factor, credential_json=device.get(options))

    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (2, ("pop", "user", "mfa"))


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
    app = await _with_app(auth, clinic.email)
    await require_factors(auth, clinic.organization, "passkey")

    asked = await challenged(auth, clinic.email)
    made = await verify(auth, asked.token, app.factor, app.code())

    assert made.session.next_step == factor_pb2.NEXT_STEP_ENROL_FACTOR
    assert made.session.organization == ""


async def test_the_last_factor_stays_while_two_are_asked_for(auth: Auth) -> None:
    """Backup codes do not count: they stand in for it, and go with it."""
    clinic = await auth.clinic()
    app = await _with_app(auth, clinic.email)
    token = await _logged_in(auth, clinic.email, app)
    await _backup_codes(auth, token)
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
    app = await _with_app(auth, "doc@parc.test")
    theirs = await _logged_in(auth, "doc@parc.test", app)
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
        await auth.factors.FinishPasskeyLogin(_finish(begun, device.get(begun.options_json)))
