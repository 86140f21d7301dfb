"""Requests to auth about second factors, each of a person of its own, since they change log-in."""

import secrets
from dataclasses import dataclass
from typing import Any

from auth.domain.messages import Template
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import factor_pb2, membership_pb2
from medhub.auth.v1 import factor_service_pb2 as factors
from medhub.auth.v1 import membership_service_pb2 as memberships
from tests.support.apps import App
from tests.support.authenticator import Authenticator
from tests.support.mails import kept_messages
from tests.support.matrix_requests import Ask, asks
from tests.support.matrix_wire import bearer
from tests.support.matrix_world import Side

_AUTH = "medhub.auth.v1.AuthService"
_FACTORS = "medhub.auth.v1.FactorService"
_PASSWORD = "un-heron-cendre-au-bord-9"
ORIGIN = "http://localhost"  # the default of MEDHUB_AUTH_PASSKEY_ORIGINS
PHONE = "+33612345678"


@dataclass(frozen=True)
class Person:
    """A member of the side's organization, logged in by password."""

    email: str
    membership: str
    token: str


async def person(side: Side) -> Person:
    """Somebody new."""
    email = f"{secrets.token_hex(6)}@matrix.example"
    member = membership_pb2.Membership(email=email, display_name="Someone")
    invited = await side.do(
        "medhub.auth.v1.MembershipService/CreateMembership",
        memberships.CreateMembershipRequest(membership=member),
    )
    activate = auth.ActivateAccountRequest(
        activation_token=invited.activation_token, password=_PASSWORD
    )
    await side.world.answered(f"{_AUTH}/ActivateAccount", activate)
    made = await log_in(side, email)
    return Person(email, invited.name, made.access_token)


async def log_in(side: Side, email: str) -> auth.LoginResponse:
    """By password; whoever has a factor gets a challenge."""
    request = auth.LoginRequest(email=email, password=_PASSWORD)
    made: auth.LoginResponse = await side.world.answered(f"{_AUTH}/Login", request)
    return made


async def app_begun(side: Side, token: str) -> tuple[App, str]:
    """An app that is not confirmed, and its enrolment."""
    begun = await side.do(
        f"{_FACTORS}/BeginTotpEnrolment",
        factors.BeginTotpEnrolmentRequest(display_name="Telephone"),
        token,
    )
    return App(begun.secret), begun.enrolment


async def with_app(side: Side) -> tuple[Person, App]:
    """Somebody with an app, whose running code is not used up; their token has proven less."""
    who = await person(side)
    app, enrolment = await app_begun(side, who.token)
    method = f"{_FACTORS}/ConfirmTotpEnrolment"
    while True:
        request = factors.ConfirmTotpEnrolmentRequest(enrolment=enrolment, code=app.code(-1))
        outcome = await side.world.invoke(method, request, bearer(who.token))
        # The step may have changed on the way; five tries end the enrolment.
        if outcome.reason != "CODE_REFUSED":
            break
    assert outcome.ok, outcome
    added: Any = outcome.response
    app.factor = added.factor.name
    return who, app


async def raised(side: Side) -> tuple[Person, App]:
    """Somebody with an app who has proven it."""
    who, app = await with_app(side)
    asked = (await log_in(side, who.email)).challenge
    request = factors.VerifyChallengeRequest(
        challenge=asked.token, factor=app.factor, code=app.code()
    )
    made = await side.world.answered(f"{_FACTORS}/VerifyChallenge", request)
    return Person(who.email, who.membership, made.session.credentials.access_token), app


async def with_passkey(side: Side) -> tuple[Person, Authenticator]:
    """Somebody with a passkey."""
    who = await person(side)
    device, request = await _passkey_made(side, who)
    await side.do(f"{_FACTORS}/FinishPasskeyRegistration", request, who.token)
    return who, device


async def _passkey_made(
    side: Side, who: Person
) -> tuple[Authenticator, factors.FinishPasskeyRegistrationRequest]:
    device = Authenticator(ORIGIN)
    begun = await side.do(
        f"{_FACTORS}/BeginPasskeyRegistration",
        factors.BeginPasskeyRegistrationRequest(display_name="Key"),
        who.token,
    )
    return device, factors.FinishPasskeyRegistrationRequest(
        enrolment=begun.enrolment, credential_json=device.create(begun.options_json)
    )


async def newest_code(side: Side, to: str, template: Template) -> str:
    """The code that was last sent to somebody."""
    home = side.world.platform.home
    keyring = Keyring.open(home / "auth.keyring", KeyFile(home / "auth.keyring-key"))
    kept = await kept_messages(side.world.platform.stores, keyring)
    return next(m.values["code"] for m in reversed(kept) if (m.to, m.template) == (to, template))


@asks(f"{_FACTORS}/ListFactors")
async def list_factors(side: Side) -> factors.ListFactorsRequest:
    return factors.ListFactorsRequest()


@asks(f"{_FACTORS}/BeginTotpEnrolment")
async def begin_totp(side: Side) -> Ask:
    request = factors.BeginTotpEnrolmentRequest(display_name="Telephone")
    return Ask(request, (await person(side)).token)


@asks(f"{_FACTORS}/ConfirmTotpEnrolment")
async def confirm_totp(side: Side) -> Ask:
    who = await person(side)
    app, enrolment = await app_begun(side, who.token)
    request = factors.ConfirmTotpEnrolmentRequest(enrolment=enrolment, code=app.code())
    return Ask(request, who.token)


@asks(f"{_FACTORS}/BeginPasskeyRegistration")
async def begin_passkey(side: Side) -> Ask:
    request = factors.BeginPasskeyRegistrationRequest(display_name="Key")
    return Ask(request, (await person(side)).token)


@asks(f"{_FACTORS}/FinishPasskeyRegistration")
async def finish_passkey(side: Side) -> Ask:
    who = await person(side)
    _, request = await _passkey_made(side, who)
    return Ask(request, who.token)


def _number() -> str:
    """A number of its own: of each, a few codes an hour."""
    return f"+336{secrets.randbelow(10**8):08}"


@asks(f"{_FACTORS}/BeginSmsEnrolment")
async def begin_sms(side: Side) -> Ask:
    request = factors.BeginSmsEnrolmentRequest(display_name="Mine", phone_number=_number())
    return Ask(request, (await person(side)).token)


@asks(f"{_FACTORS}/ConfirmSmsEnrolment")
async def confirm_sms(side: Side) -> Ask:
    who, number = await person(side), _number()
    begun = await side.do(
        f"{_FACTORS}/BeginSmsEnrolment",
        factors.BeginSmsEnrolmentRequest(display_name="Mine", phone_number=number),
        who.token,
    )
    code = await newest_code(side, number, Template.SMS_CODE)
    return Ask(factors.ConfirmSmsEnrolmentRequest(enrolment=begun.enrolment, code=code), who.token)


@asks(f"{_FACTORS}/BeginEmailCodeEnrolment")
async def begin_email_code(side: Side) -> Ask:
    request = factors.BeginEmailCodeEnrolmentRequest(display_name="Mail")
    return Ask(request, (await person(side)).token)


@asks(f"{_FACTORS}/ConfirmEmailCodeEnrolment")
async def confirm_email_code(side: Side) -> Ask:
    who = await person(side)
    begun = await side.do(
        f"{_FACTORS}/BeginEmailCodeEnrolment",
        factors.BeginEmailCodeEnrolmentRequest(display_name="Mail"),
        who.token,
    )
    code = await newest_code(side, who.email, Template.EMAIL_CODE)
    return Ask(
        factors.ConfirmEmailCodeEnrolmentRequest(enrolment=begun.enrolment, code=code), who.token
    )


@asks(f"{_FACTORS}/RegenerateBackupCodes")
async def regenerate_backup_codes(side: Side) -> Ask:
    return Ask(factors.RegenerateBackupCodesRequest(), (await raised(side))[0].token)


@asks(f"{_FACTORS}/RenameFactor")
async def rename_factor(side: Side) -> Ask:
    who, app = await with_app(side)
    return Ask(factors.RenameFactorRequest(name=app.factor, display_name="Old one"), who.token)


@asks(f"{_FACTORS}/RemoveFactor")
async def remove_factor(side: Side) -> Ask:
    who, app = await raised(side)
    return Ask(factors.RemoveFactorRequest(name=app.factor), who.token)


@asks(f"{_FACTORS}/ResetMemberFactors")
async def reset_member_factors(side: Side) -> factors.ResetMemberFactorsRequest:
    return factors.ResetMemberFactorsRequest(name=(await person(side)).membership)


@asks(f"{_FACTORS}/Reauthenticate")
async def reauthenticate(side: Side) -> Ask:
    request = factors.ReauthenticateRequest(password=_PASSWORD)
    return Ask(request, (await person(side)).token)


async def _challenge(side: Side) -> tuple[factor_pb2.Challenge, App]:
    who, app = await with_app(side)
    return (await log_in(side, who.email)).challenge, app


@asks(f"{_FACTORS}/BeginChallenge")
async def begin_challenge(side: Side) -> factors.BeginChallengeRequest:
    asked, app = await _challenge(side)
    return factors.BeginChallengeRequest(challenge=asked.token, factor=app.factor)


@asks(f"{_FACTORS}/VerifyChallenge")
async def verify_challenge(side: Side) -> factors.VerifyChallengeRequest:
    asked, app = await _challenge(side)
    return factors.VerifyChallengeRequest(challenge=asked.token, factor=app.factor, code=app.code())


@asks(f"{_FACTORS}/BeginPasskeyLogin")
async def begin_passkey_login(side: Side) -> factors.BeginPasskeyLoginRequest:
    return factors.BeginPasskeyLoginRequest()


@asks(f"{_FACTORS}/FinishPasskeyLogin")
async def finish_passkey_login(side: Side) -> factors.FinishPasskeyLoginRequest:
    _, device = await with_passkey(side)
    begun: Any = await side.world.answered(
        f"{_FACTORS}/BeginPasskeyLogin", factors.BeginPasskeyLoginRequest()
    )
    return factors.FinishPasskeyLoginRequest(
        challenge=begun.challenge, credential_json=device.get(begun.options_json)
    )
