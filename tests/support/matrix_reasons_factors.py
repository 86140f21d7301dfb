"""How each reason about second factors comes about over a real server."""

import secrets
from uuid import UUID

from sqlalchemy import text

from auth.background import own_call
from core.database import statement
from core.ids import name_of
from medhub.auth.v1 import factor_service_pb2 as factors
from medhub.auth.v1 import membership_service_pb2 as memberships
from tests.support import matrix_factors as people
from tests.support.authenticator import Authenticator
from tests.support.matrix_reasons import Metadata, ask, case
from tests.support.matrix_wire import Outcome
from tests.support.matrix_world import World

_FACTORS = "medhub.auth.v1.FactorService"


@case("CHALLENGE_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = factors.VerifyChallengeRequest(
        challenge=secrets.token_urlsafe(32), factor=name_of("factors", UUID(int=1)), code="000000"
    )
    return await ask(world, f"{_FACTORS}/VerifyChallenge", request, meta, "")


@case("CODE_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    request = await people.verify_challenge(world.alpha)
    request.code = "no code"
    return await ask(world, f"{_FACTORS}/VerifyChallenge", request, meta, "")


@case("FACTOR_REQUIRED")
async def _(world: World, meta: Metadata) -> Outcome:
    who = await people.person(world.alpha)
    request = factors.ReauthenticateRequest()
    return await ask(world, f"{_FACTORS}/Reauthenticate", request, meta, who.token)


@case("PASSKEY_REFUSED")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await people.finish_passkey(world.alpha)
    made.request.credential_json = "{}"  # type: ignore[attr-defined]
    return await ask(world, f"{_FACTORS}/FinishPasskeyRegistration", made.request, meta, made.token)


@case("TOO_MANY_CODES")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await people.begin_sms(world.alpha)
    method = f"{_FACTORS}/BeginSmsEnrolment"
    for _ in range(5):
        await world.alpha.do(method, made.request, made.token)
    return await ask(world, method, made.request, meta, made.token)


@case("TOO_MANY_FACTORS")
async def _(world: World, meta: Metadata) -> Outcome:
    made = await people.begin_totp(world.alpha)
    user = world.claims(made.token).subject
    await _change(
        world,
        "INSERT INTO factor (id, user_id, kind, display_name, created_at) SELECT"
        f" gen_random_uuid(), '{user}', 'email_code', 'x', now() FROM generate_series(1, 20)",
    )
    return await ask(world, f"{_FACTORS}/BeginTotpEnrolment", made.request, meta, made.token)


@case("FACTOR_NOT_ALLOWED")
async def _(world: World, meta: Metadata) -> Outcome:
    name = f"strict{secrets.token_hex(3)}"
    tenant = await world.platform.tenant(name, {"alone": ["administrator"]})
    token = await world.platform.login(f"alone@{name}.example")
    await _change(
        world,
        f"UPDATE organization SET allowed_factors = '{{totp}}' WHERE id = '{tenant.organization}'",
    )
    request = factors.BeginPasskeyRegistrationRequest(display_name="Key")
    return await ask(world, f"{_FACTORS}/BeginPasskeyRegistration", request, meta, token)


@case("LAST_FACTOR")
async def _(world: World, meta: Metadata) -> Outcome:
    name = f"strict{secrets.token_hex(3)}"
    tenant = await world.platform.tenant(name, {"alone": ["administrator"]})
    email = f"alone@{name}.example"
    token = await world.platform.login(email)
    device = Authenticator(people.ORIGIN)
    begun = await world.alpha.do(
        f"{_FACTORS}/BeginPasskeyRegistration",
        factors.BeginPasskeyRegistrationRequest(display_name="Key"),
        token,
    )
    finish = factors.FinishPasskeyRegistrationRequest(
        enrolment=begun.enrolment, credential_json=device.create(begun.options_json)
    )
    added = await world.alpha.do(f"{_FACTORS}/FinishPasskeyRegistration", finish, token)
    await _change(
        world, f"UPDATE organization SET mfa_required = true WHERE id = '{tenant.organization}'"
    )
    login = await world.answered(
        f"{_FACTORS}/BeginPasskeyLogin", factors.BeginPasskeyLoginRequest()
    )
    opened = await world.answered(
        f"{_FACTORS}/FinishPasskeyLogin",
        factors.FinishPasskeyLoginRequest(
            challenge=login.challenge, credential_json=device.get(login.options_json)
        ),
    )
    request = factors.RemoveFactorRequest(name=added.factor.name)
    strong = opened.session.credentials.access_token
    return await ask(world, f"{_FACTORS}/RemoveFactor", request, meta, strong)


@case("FACTORS_ELSEWHERE")
async def _(world: World, meta: Metadata) -> Outcome:
    name = f"gamma{secrets.token_hex(3)}"
    await world.platform.tenant(name, {"alone": ["administrator"]})
    token = await world.platform.login(f"alone@{name}.example")
    listed = await world.alpha.do(
        "medhub.auth.v1.MembershipService/ListMemberships",
        memberships.ListMembershipsRequest(),
        token,
    )
    [own] = listed.memberships
    request = factors.ResetMemberFactorsRequest(name=own.name)
    return await ask(world, f"{_FACTORS}/ResetMemberFactors", request, meta, token)


async def _change(world: World, sql: str) -> None:
    """Change rows of auth, as a recorded act of nobody's."""
    async with world.platform.stores.begin_as(own_call("Change", "auth.test")) as tx:
        await tx._tx.run(statement(text(sql)))
