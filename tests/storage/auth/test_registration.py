"""Registration and the proof of an address, against a real database."""

import asyncio

import pytest

from auth.domain.messages import Template
from auth.domain.refusals import (
    PasswordTooCommon,
    RegistrationRefused,
    VerificationRefused,
)
from auth.operation import suspend_organization
from core.errors import InvalidField
from core.ids import name_of, new_id
from medhub.auth.v1 import account_service_pb2 as wire
from medhub.auth.v1 import (
    auth_service_pb2,
)
from tests.support.credentials import PASSWORD, Auth, anonymous
from tests.support.mails import kept_messages, open_registration
from tests.support.own_accounts import (
    ANA,
    ask_reset,
    invitation,
    register,
    reset,
    templates,
    verify_email,
)


async def test_a_person_registers_proves_the_address_and_works(auth: Auth) -> None:
    """Nothing is there before the token; then an account, a membership, and a log-in."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization, ["nurse"])
    await register(auth, clinic.organization)
    assert auth.rows("SELECT count(*) AS n FROM app_user") == [{"n": 1}]

    user = await verify_email(auth, await auth.mailed(ANA, Template.VERIFY_EMAIL), PASSWORD)

    made = await auth.log_in(ANA.lower())
    assert (made.user, made.organization) == (user, name_of("organizations", clinic.organization))
    proven = await auth.proving.prove(made.access_token)
    assert proven.roles == ("nurse",)
    await auth.act(made.access_token)
    account = await auth.accounts.GetAccount(wire.GetAccountRequest())
    assert (account.display_name, account.language, account.email) == ("Ana Moreau", "fr", ANA)
    assert account.HasField("email_verify_time")


async def test_nothing_of_who_registers_stands_readable(auth: Auth) -> None:
    """Whoever reads the database learns no address of a person without an account."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)

    await register(auth, clinic.organization)

    kept = str(auth.rows("SELECT * FROM mail_token")) + str(auth.rows("SELECT * FROM message"))
    kept += str(auth.rows("SELECT * FROM medhub.audit_outbox"))
    assert "moreau" not in kept.lower()


async def test_who_has_an_account_is_told_by_mail_alone(auth: Auth) -> None:
    """The caller sees no difference; the person learns that somebody tried."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)

    await register(auth, clinic.organization, clinic.email.upper())

    assert await templates(auth, clinic.email.upper()) == [Template.ACCOUNT_EXISTS]
    assert auth.rows("SELECT used_at IS NULL AS usable FROM mail_token") == [{"usable": False}]


async def test_an_organization_decides_who_registers(auth: Auth) -> None:
    """Closed, suspended, unknown, or another domain: refused alike, account or not."""
    clinic = await auth.clinic()
    for email in (ANA, clinic.email):
        with pytest.raises(RegistrationRefused):
            await register(auth, clinic.organization, email)
    with pytest.raises(RegistrationRefused):
        await register(auth, new_id())
    await open_registration(auth.store, clinic.organization, domains=["PARC.test"])
    await register(auth, clinic.organization)
    with pytest.raises(RegistrationRefused):
        await register(auth, clinic.organization, "ana@notparc.test")

    await suspend_organization(auth.store, clinic.organization)

    with pytest.raises(RegistrationRefused):
        await register(auth, clinic.organization)


async def test_a_token_makes_one_account_also_when_two_calls_race(auth: Auth) -> None:
    """One wins; the other learns nothing more than that the token is spent."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)
    await register(auth, clinic.organization)
    token = await auth.mailed(ANA, Template.VERIFY_EMAIL)

    results = await asyncio.gather(
        *(asyncio.create_task(verify_email(auth, token, PASSWORD)) for _ in range(4)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, str) for each in results) == 1
    assert all(isinstance(each, str | VerificationRefused) for each in results)
    assert auth.rows("SELECT count(*) AS n FROM app_user") == [{"n": 2}]


async def test_a_refused_password_spends_no_token(auth: Auth) -> None:
    """Too short, common, or of the person's own words: the token stays good."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)
    await register(auth, clinic.organization)
    token = await auth.mailed(ANA, Template.VERIFY_EMAIL)

    for password, refusal in (
        ("", InvalidField),
        ("short", InvalidField),
        ("iloveyou-iloveyou1", PasswordTooCommon),
        ("ana.moreau-clinique", PasswordTooCommon),
    ):
        with pytest.raises(refusal):
            await verify_email(auth, token, password)

    assert await verify_email(auth, token, PASSWORD)


async def test_an_old_token_verifies_nothing(auth: Auth) -> None:
    """Nor does one of another purpose, or one that nobody made."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)
    await register(auth, clinic.organization)
    await ask_reset(auth, clinic.email)
    token = await auth.mailed(ANA, Template.VERIFY_EMAIL)
    auth.rows("UPDATE mail_token SET expires_at = now() WHERE purpose = 'REGISTER'")

    reset = await auth.mailed(clinic.email, Template.RESET_PASSWORD)
    for each in (token, reset, "made up"):
        with pytest.raises(VerificationRefused):
            await verify_email(auth, each, PASSWORD)


async def test_an_invitation_is_accepted_by_who_registers_with_its_address(auth: Auth) -> None:
    """As they were invited, and not a second time."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization, ["nurse"])
    await auth.act_as_administrator(clinic)
    await auth.memberships.CreateMembership(invitation(ANA.lower(), "doctor"))
    await register(auth, clinic.organization)

    await verify_email(auth, await auth.mailed(ANA, Template.VERIFY_EMAIL), PASSWORD)

    proven = await auth.proving.prove((await auth.log_in(ANA)).access_token)
    assert proven.roles == ("doctor",)


async def test_resending_writes_to_who_has_something_to_verify_alone(auth: Auth) -> None:
    """A registration gets another token; nobody else gets anything."""
    clinic = await auth.clinic()
    await open_registration(auth.store, clinic.organization)
    await register(auth, clinic.organization)

    for email in (ANA.lower(), clinic.email, "nobody@nowhere.test"):
        anonymous("ResendVerification")
        await auth.accounts.ResendVerification(wire.ResendVerificationRequest(email=email))

    kept = await kept_messages(auth.store, auth.keyring)
    assert [(each.to, each.template) for each in kept] == [(ANA, Template.VERIFY_EMAIL)] * 2
    assert await verify_email(auth, kept[-1].values["token"], PASSWORD)


async def test_an_invited_persons_address_is_proven_later(auth: Auth) -> None:
    """The organization handed over the token itself, so nobody has read a mail yet."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    made = await auth.memberships.CreateMembership(invitation(ANA, "nurse"))
    anonymous("ActivateAccount")
    await auth.auth.ActivateAccount(
        auth_service_pb2.ActivateAccountRequest(
            activation_token=made.activation_token, password=PASSWORD
        )
    )
    await ask_reset(auth, ANA)
    assert Template.RESET_PASSWORD not in await templates(auth, ANA)

    anonymous("ResendVerification")
    await auth.accounts.ResendVerification(wire.ResendVerificationRequest(email=ANA))
    await verify_email(auth, await auth.mailed(ANA, Template.VERIFY_EMAIL))

    await ask_reset(auth, ANA)
    assert await reset(auth, await auth.mailed(ANA, Template.RESET_PASSWORD))
