"""How the reasons about people's own accounts come about over a real server."""

from medhub.auth.v1 import account_service_pb2 as wire
from tests.support.matrix_account import NEW_PASSWORD, change_password
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World

_ACCOUNT = "medhub.auth.v1.AccountService"


@case("REGISTRATION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = wire.RegisterAccountRequest(
        organization="organizations/00000000-0000-4000-8000-000000000000",
        email="someone@matrix.example",
        display_name="Someone",
    )
    return await ask(world, f"{_ACCOUNT}/RegisterAccount", request, meta, "")


@case("VERIFICATION_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = wire.VerifyEmailRequest(token="made up", password=NEW_PASSWORD)
    return await ask(world, f"{_ACCOUNT}/VerifyEmail", request, meta, "")


@case("RESET_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = wire.ResetPasswordRequest(token="made up", new_password=NEW_PASSWORD)
    return await ask(world, f"{_ACCOUNT}/ResetPassword", request, meta, "")


@case("REAUTHENTICATION_FAILED")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await change_password(world.alpha)
    request = wire.ChangePasswordRequest(current_password="wrong", new_password=NEW_PASSWORD)
    return await ask(world, f"{_ACCOUNT}/ChangePassword", request, meta, made.token)
