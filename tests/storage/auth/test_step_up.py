"""Step-up: people prove themselves again, and get a session in place of the one before."""

from datetime import timedelta

import pytest

from auth.domain.refusals import (
    FactorRequired,
    RefreshRefused,
    TokenInvalid,
)
from core import clock
from core.rpc.authorize import StepUpRequired
from medhub.auth.v1 import auth_service_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.credentials import PASSWORD, Auth, anonymous
from tests.support.second_factors import (
    begin,
    still,
    verify,
    with_app,
    with_passkey,
)

__all__ = ["still"]


async def _reauthenticated(auth: Auth, token: str, password: str = PASSWORD) -> str:
    """A challenge for a step-up."""
    await auth.act(token, "Reauthenticate")
    made = await auth.factors.Reauthenticate(wire.ReauthenticateRequest(password=password))
    return str(made.challenge.token)


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
