"""People's own accounts, for tests that call the servicers as functions."""

from uuid import UUID

from auth.domain.messages import Template
from core.ids import name_of
from medhub.auth.v1 import account_service_pb2 as wire
from medhub.auth.v1 import (
    membership_pb2,
    membership_service_pb2,
)
from tests.support.credentials import OTHER_PASSWORD, PASSWORD, Auth, anonymous
from tests.support.mails import kept_messages

ANA = "Ana.Moreau@parc.test"
NEW = "new.address@elsewhere.test"


async def register(auth: Auth, organization: UUID, email: str = ANA) -> None:
    """Ask to register."""
    anonymous("RegisterAccount")
    await auth.accounts.RegisterAccount(
        wire.RegisterAccountRequest(
            organization=name_of("organizations", organization),
            email=email,
            display_name="Ana Moreau",
            language="fr",
        )
    )


def invitation(email: str, role: str) -> membership_service_pb2.CreateMembershipRequest:
    """A request to invite somebody."""
    made = membership_pb2.Membership(email=email, display_name="Ana", roles=[role])
    return membership_service_pb2.CreateMembershipRequest(membership=made)


async def verify_email(auth: Auth, token: str, password: str = "") -> str:
    """Take the token of a message; who it is."""
    anonymous("VerifyEmail")
    request = wire.VerifyEmailRequest(token=token, password=password)
    return (await auth.accounts.VerifyEmail(request)).user


async def ask_change(auth: Auth, email: str, new: str) -> None:
    """Ask for another address."""
    await auth.act((await auth.log_in(email)).access_token, "ChangeEmail")
    await auth.accounts.ChangeEmail(
        wire.ChangeEmailRequest(current_password=PASSWORD, new_email=new)
    )


async def change_address(auth: Auth, email: str, new: str) -> None:
    """Have another address, proven."""
    await ask_change(auth, email, new)
    await verify_email(auth, await auth.mailed(new, Template.CONFIRM_NEW_EMAIL))


async def reset(auth: Auth, token: str, password: str = OTHER_PASSWORD) -> int:
    """Set a password by the token of a message; the revision."""
    anonymous("ResetPassword")
    request = wire.ResetPasswordRequest(token=token, new_password=password)
    return (await auth.accounts.ResetPassword(request)).auth_revision


async def ask_reset(auth: Auth, email: str) -> None:
    """Ask for a new password."""
    anonymous("RequestPasswordReset")
    await auth.accounts.RequestPasswordReset(wire.RequestPasswordResetRequest(email=email))


async def templates(auth: Auth, to: str) -> list[Template]:
    """What an address was written about."""
    kept = await kept_messages(auth.store, auth.keyring)
    return [each.template for each in kept if each.to == to]
