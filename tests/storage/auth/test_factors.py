"""Codes and challenges against a real database: what opens a session, and what does so once."""

from datetime import timedelta

import pytest

from auth.domain.factors import CHALLENGE_LIFE, MOST_TRIES
from auth.domain.messages import MOST_ASKED, Channel, Template
from auth.domain.refusals import (
    ChallengeRefused,
    CodeRefused,
    FactorRequired,
    TooManyCodes,
)
from core import clock
from core.ids import name_of
from medhub.auth.v1 import factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.credentials import Auth, enter
from tests.support.second_factors import (
    app_of,
    backup_codes,
    begin,
    challenged,
    change,
    code_sent,
    logged_in,
    outcomes_of,
    sent,
    still,
    verify,
    with_app,
)

__all__ = ["still"]


async def test_password_and_app_are_two_factors(auth: Auth) -> None:
    """Who has an app gets no token for the password, and AAL2 for both."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)

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
    app = await app_of(auth, clinic.email)
    await verify(auth, (await challenged(auth, clinic.email)).token, app.factor, app.code())

    for code in (app.code(), app.code(-1)):
        again = await challenged(auth, clinic.email)
        with pytest.raises(CodeRefused):
            await verify(auth, again.token, app.factor, code)


async def test_of_two_calls_with_one_code_one_is_refused(auth: Auth) -> None:
    """Two challenges, one code, at once."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    first, other = [await challenged(auth, clinic.email) for _ in range(2)]

    outcomes = await outcomes_of(
        verify(auth, first.token, app.factor, app.code()),
        verify(auth, other.token, app.factor, app.code()),
    )

    assert outcomes == ["CODE_REFUSED", "OK"]


async def test_of_two_answers_to_one_challenge_one_is_refused(auth: Auth) -> None:
    """One challenge, two good answers by different factors, at once: one session."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    token = (await challenged(auth, clinic.email)).token
    made = await verify(auth, token, app.factor, app.code())
    codes = await backup_codes(auth, made.session.credentials.access_token)
    asked = await challenged(auth, clinic.email)
    paper = _choice(asked, factor_pb2.FACTOR_KIND_BACKUP_CODE)
    sessions = len(auth.rows("SELECT id FROM session"))

    outcomes = await outcomes_of(
        verify(auth, asked.token, paper, codes[0]), verify(auth, asked.token, paper, codes[1])
    )

    assert outcomes == ["CHALLENGE_REFUSED", "OK"]
    assert len(auth.rows("SELECT id FROM session")) == sessions + 1


def _choice(asked: factor_pb2.Challenge, kind: factor_pb2.FactorKind) -> str:
    return next(each.factor for each in asked.factors if each.kind == kind)


async def test_a_backup_code_works_once_and_a_new_set_voids_the_old(auth: Auth) -> None:
    """At once or later, a code on paper opens one session; after new ones were made, none."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
    token = await logged_in(auth, clinic.email, app)
    old = await backup_codes(auth, token)
    challenges = [await challenged(auth, clinic.email) for _ in range(3)]
    paper = _choice(challenges[0], factor_pb2.FACTOR_KIND_BACKUP_CODE)

    outcomes = await outcomes_of(
        verify(auth, challenges[0].token, paper, old[3]),
        verify(auth, challenges[1].token, paper, old[3].lower().replace("-", " ")),
    )
    await auth.act(token)
    new = await backup_codes(auth, token)

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
    app = await app_of(auth, clinic.email)
    asked = await challenged(auth, clinic.email)

    for _ in range(MOST_TRIES):
        with pytest.raises(CodeRefused):
            await verify(auth, asked.token, app.factor, "000000x"[:6])

    with pytest.raises(ChallengeRefused):
        await verify(auth, asked.token, app.factor, app.code())


async def test_wrong_codes_close_neither_the_password_nor_other_devices(auth: Auth) -> None:
    """Codes are counted by themselves: after many failures codes wait, and nothing else does."""
    clinic = await auth.clinic()
    app = await app_of(auth, clinic.email)
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
    app = await app_of(auth, clinic.email)
    late, stale = [await challenged(auth, clinic.email) for _ in range(2)]

    with clock.frozen(clock.now() + CHALLENGE_LIFE), pytest.raises(ChallengeRefused):
        await verify(auth, late.token, app.factor, app.code())
    await change(auth, "UPDATE app_user SET password_hash = password_hash || 'x'")
    with pytest.raises(ChallengeRefused):
        await verify(auth, stale.token, app.factor, app.code())


async def test_nobody_answers_with_the_factor_of_another(auth: Auth) -> None:
    """A factor that the challenge does not list answers nothing."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    theirs = await app_of(auth, alpha.email)
    own = await app_of(auth, beta.email)
    asked = await challenged(auth, alpha.email)

    with pytest.raises(FactorRequired):
        await verify(auth, asked.token, own.factor, own.code())

    assert (await verify(auth, asked.token, theirs.factor, theirs.code())).session.user


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


async def _ask_for_sms(auth: Auth, number: int) -> None:
    """Begin to add a number."""
    phone = f"+336{number:08}"
    await auth.factors.BeginSmsEnrolment(
        wire.BeginSmsEnrolmentRequest(display_name="Mine", phone_number=phone)
    )


async def test_one_account_asks_for_so_many_messages(auth: Auth) -> None:
    """Wherever they go, also at once; others are not held up, and later it may ask again."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    nurse = await auth.act((await auth.log_in("nurse@parc.test")).access_token)
    await auth.act((await auth.log_in(clinic.email)).access_token, "BeginSmsEnrolment")

    outcomes = await outcomes_of(*(_ask_for_sms(auth, each) for each in range(MOST_ASKED + 5)))
    enter(nurse, "BeginSmsEnrolment")
    await _ask_for_sms(auth, 100)
    await auth.act((await auth.log_in(clinic.email)).access_token, "BeginSmsEnrolment")
    with pytest.raises(TooManyCodes):
        await _ask_for_sms(auth, 101)
    auth.rewrite("UPDATE message_count SET since = since - interval '1 hour'")
    await _ask_for_sms(auth, 102)

    assert outcomes == sorted(["OK"] * MOST_ASKED + ["TOO_MANY_CODES"] * 5)
    assert len([m for m in await sent(auth) if m.channel is Channel.SMS]) == MOST_ASKED + 2


async def test_messages_are_in_the_language_of_whom_they_are_for(auth: Auth) -> None:
    """Not in the one of the call; that one stands in where nothing is known of the person."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "nurse@parc.test", "nurse")
    await change(auth, f"UPDATE app_user SET language = 'de' WHERE email = '{clinic.email}'")

    for email, number in ((clinic.email, 1), ("nurse@parc.test", 2)):
        token = (await auth.log_in(email)).access_token
        await auth.act(token, "BeginSmsEnrolment", language="fr")
        await _ask_for_sms(auth, number)
    await app_of(auth, clinic.email)

    told = [(m.template, m.language) for m in await sent(auth)]
    assert told == [
        (Template.SMS_CODE, "de"), (Template.SMS_CODE, "fr"), (Template.FACTOR_ADDED, "de")
    ]  # fmt: skip


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
