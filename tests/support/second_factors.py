"""People with second factors, for tests that call the servicers as functions."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from auth.background import own_call
from auth.domain.messages import Message, Template
from core import clock
from core.database import statement
from core.errors import Refusal
from medhub.auth.v1 import factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.apps import App
from tests.support.authenticator import Authenticator
from tests.support.credentials import PARTY, Auth, anonymous

ORIGIN = PARTY.origins[0]


async def with_app(auth: Auth, token: str) -> App:
    """Add an app to the account of the token; its code of one step ago is used up."""
    await auth.act(token, "BeginTotpEnrolment")
    begun = await auth.factors.BeginTotpEnrolment(
        wire.BeginTotpEnrolmentRequest(display_name="Telephone")
    )
    app = App(begun.secret)
    added = await auth.factors.ConfirmTotpEnrolment(
        wire.ConfirmTotpEnrolmentRequest(enrolment=begun.enrolment, code=app.code(-1))
    )
    app.factor = added.factor.name
    return app


async def with_passkey(
    auth: Auth, token: str, *, counts: bool = True, verifies: bool = True
) -> tuple[Authenticator, str]:
    """Add a passkey to the account of the token; the device, and the factor's name."""
    device = Authenticator(ORIGIN, counts, verifies)
    await auth.act(token, "BeginPasskeyRegistration")
    begun = await auth.factors.BeginPasskeyRegistration(
        wire.BeginPasskeyRegistrationRequest(display_name="Key")
    )
    added = await auth.factors.FinishPasskeyRegistration(
        wire.FinishPasskeyRegistrationRequest(
            enrolment=begun.enrolment, credential_json=device.create(begun.options_json)
        )
    )
    return device, added.factor.name


async def verify(
    auth: Auth, challenge: str, factor: str, code: str = "", credential_json: str = ""
) -> wire.VerifyChallengeResponse:
    """Answer a challenge."""
    anonymous("VerifyChallenge")
    request = wire.VerifyChallengeRequest(challenge=challenge, factor=factor)
    if credential_json:
        request.credential_json = credential_json
    else:
        request.code = code
    return await auth.factors.VerifyChallenge(request)


async def begin(auth: Auth, challenge: str, factor: str) -> wire.BeginChallengeResponse:
    """Prepare an answer."""
    anonymous("BeginChallenge")
    return await auth.factors.BeginChallenge(
        wire.BeginChallengeRequest(challenge=challenge, factor=factor)
    )


async def challenged(auth: Auth, email: str) -> factor_pb2.Challenge:
    """Log in by password, and be asked for a factor."""
    made = await auth.log_in(email)
    assert made.next_step == factor_pb2.NEXT_STEP_VERIFY_CHALLENGE
    assert not made.access_token
    assert not made.refresh_token
    return made.challenge


async def change(auth: Auth, sql: str) -> None:
    """Change rows behind the servicers' back, as a recorded act of nobody's."""
    async with auth.store.begin_as(own_call("Change", "auth.test")) as tx:
        await tx._tx.run(statement(text(sql)))


async def require_factors(
    auth: Auth, organization: UUID, allowed: str = "totp,backup_code"
) -> None:
    """Have an organization ask for two factors."""
    await change(
        auth,
        f"UPDATE organization SET mfa_required = true, allowed_factors = '{{{allowed}}}'"
        f" WHERE id = '{organization}'",
    )


async def sent(auth: Auth) -> list[Message]:
    """The messages that wait, the oldest first."""
    found = auth.rows("SELECT id, content FROM message ORDER BY id")
    async with auth.store.begin() as tx:
        return [await auth.post.open(tx, row["id"].bytes, row["content"]) for row in found]


async def code_sent(auth: Auth, template: Template) -> str:
    """The last code that was sent."""
    return next(m.values["code"] for m in reversed(await sent(auth)) if m.template is template)


@pytest.fixture(autouse=True)
def still() -> object:
    """The clock stands still, or a code would be of yesterday's step on a slow machine."""
    with clock.frozen(clock.now()):
        yield


async def app_of(auth: Auth, email: str) -> App:
    """Add an app to the account of an address."""
    return await with_app(auth, (await auth.log_in(email)).access_token)


async def outcomes_of(*calls: object) -> list[str]:
    """How calls end that run at once: `OK`, or the reason of the refusal."""
    done = await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload]
    faults = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, Refusal) for one in faults), faults
    return sorted(one.reason if isinstance(one, Refusal) else "OK" for one in done)


async def backup_codes(auth: Auth, token: str) -> list[str]:
    """A new set."""
    await auth.act(token, "RegenerateBackupCodes")
    made = await auth.factors.RegenerateBackupCodes(wire.RegenerateBackupCodesRequest())
    return list(made.codes)


async def logged_in(auth: Auth, email: str, app: App, steps: int = 0) -> str:
    """A token at AAL2."""
    made = await verify(auth, (await challenged(auth, email)).token, app.factor, app.code(steps))
    return str(made.session.credentials.access_token)


def finished(
    begun: wire.BeginPasskeyLoginResponse, credential_json: str
) -> wire.FinishPasskeyLoginRequest:
    """The end of a log-in by passkey."""
    return wire.FinishPasskeyLoginRequest(
        challenge=begun.challenge, credential_json=credential_json
    )
