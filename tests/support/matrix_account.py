"""Requests to auth about people's own accounts."""

import secrets

from auth import bootstrap
from auth.domain.messages import Message, Template
from core.crypto.keyring import Keyring
from core.crypto.unlocking import KeyFile
from core.ids import name_of
from medhub.auth.v1 import account_pb2
from medhub.auth.v1 import account_service_pb2 as wire
from tests.support.mails import kept_messages, open_registration
from tests.support.matrix_requests import Ask, asks
from tests.support.matrix_world import Side
from tests.support.platform import PASSWORD, Platform

_ACCOUNT = "medhub.auth.v1.AccountService"
NEW_PASSWORD = "quatre-loutres-nagent-la-nuit"


async def messages(platform: Platform) -> list[Message]:
    """What auth would have sent, the oldest first."""
    unlock = KeyFile(platform.home / "auth.keyring-key")
    keyring = Keyring.open(platform.home / "auth.keyring", unlock)
    return await kept_messages(platform.stores, keyring)


async def mailed(platform: Platform, to: str, template: Template) -> str:
    """The token of the last message to an address about something."""
    found = [
        each for each in await messages(platform) if (each.to, each.template) == (to, template)
    ]
    return found[-1].values["token"]


async def person(side: Side, *roles: str) -> tuple[str, str]:
    """Somebody of the organization: their address, and a token of theirs."""
    platform, email = side.world.platform, _someone()
    await bootstrap.user(
        platform.stores, side.tenant.organization, email, "Someone", PASSWORD, roles
    )
    return email, await platform.login(email)


def _someone() -> str:
    return f"someone{secrets.token_hex(6)}@matrix.example"


async def _registered(side: Side) -> str:
    """The address of who has registered and proven nothing yet."""
    request = await register_account(side.world.alpha)
    await side.do(f"{_ACCOUNT}/RegisterAccount", request)
    return request.email


@asks(f"{_ACCOUNT}/RegisterAccount")
async def register_account(side: Side) -> wire.RegisterAccountRequest:
    """Alpha takes registrations; beta answers like an organization that there is not."""
    alpha, organization = side.world.alpha.tenant.organization, side.tenant.organization
    await open_registration(side.world.platform.stores, alpha, ["nurse"])
    return wire.RegisterAccountRequest(
        organization=name_of("organizations", organization),
        email=_someone(),
        display_name="Someone",
    )


@asks(f"{_ACCOUNT}/VerifyEmail")
async def verify_email(side: Side) -> wire.VerifyEmailRequest:
    email = await _registered(side)
    token = await mailed(side.world.platform, email, Template.VERIFY_EMAIL)
    return wire.VerifyEmailRequest(token=token, password=NEW_PASSWORD)


@asks(f"{_ACCOUNT}/ResendVerification")
async def resend_verification(side: Side) -> wire.ResendVerificationRequest:
    return wire.ResendVerificationRequest(email=await _registered(side))


@asks(f"{_ACCOUNT}/GetAccount")
async def get_account(side: Side) -> wire.GetAccountRequest:
    return wire.GetAccountRequest()


@asks(f"{_ACCOUNT}/UpdateAccount")
async def update_account(side: Side) -> Ask:
    _, token = await person(side, "nurse")
    held = await side.do(f"{_ACCOUNT}/GetAccount", wire.GetAccountRequest(), token)
    account = account_pb2.Account(language="fr", etag=held.etag)
    return Ask(wire.UpdateAccountRequest(account=account), token)


@asks(f"{_ACCOUNT}/ChangeEmail")
async def change_email(side: Side) -> Ask:
    _, token = await person(side, "nurse")
    request = wire.ChangeEmailRequest(current_password=PASSWORD, new_email=_someone())
    return Ask(request, token)


@asks(f"{_ACCOUNT}/ChangePassword")
async def change_password(side: Side) -> Ask:
    _, token = await person(side, "nurse")
    request = wire.ChangePasswordRequest(current_password=PASSWORD, new_password=NEW_PASSWORD)
    return Ask(request, token)


@asks(f"{_ACCOUNT}/RequestPasswordReset")
async def request_password_reset(side: Side) -> wire.RequestPasswordResetRequest:
    email, _ = await person(side, "nurse")
    return wire.RequestPasswordResetRequest(email=email)


@asks(f"{_ACCOUNT}/ResetPassword")
async def reset_password(side: Side) -> wire.ResetPasswordRequest:
    request = await request_password_reset(side)
    await side.do(f"{_ACCOUNT}/RequestPasswordReset", request)
    token = await mailed(side.world.platform, request.email, Template.RESET_PASSWORD)
    return wire.ResetPasswordRequest(token=token, new_password=NEW_PASSWORD)


@asks(f"{_ACCOUNT}/DeactivateAccount")
async def deactivate_account(side: Side) -> Ask:
    _, token = await person(side, "nurse")
    return Ask(wire.DeactivateAccountRequest(current_password=PASSWORD), token)


@asks(f"{_ACCOUNT}/DeleteAccount")
async def delete_account(side: Side) -> Ask:
    _, token = await person(side, "nurse")
    return Ask(wire.DeleteAccountRequest(current_password=PASSWORD), token)


@asks(f"{_ACCOUNT}/ListAccountActivity")
async def list_account_activity(side: Side) -> wire.ListAccountActivityRequest:
    return wire.ListAccountActivityRequest()


@asks(f"{_ACCOUNT}/GetAccountDashboard")
async def get_account_dashboard(side: Side) -> wire.GetAccountDashboardRequest:
    return wire.GetAccountDashboardRequest()
