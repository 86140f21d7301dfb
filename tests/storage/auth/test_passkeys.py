"""Passkeys against a real database, and devices that lie."""

import pytest

from auth.domain.refusals import (
    CodeRefused,
    PasskeyRefused,
)
from auth.formats.passkeys import NoProof, Party, registered, registration_options
from core.ids import new_id
from medhub.auth.v1 import factor_pb2
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.authenticator import Authenticator
from tests.support.credentials import Auth, anonymous
from tests.support.second_factors import (
    ORIGIN,
    begin,
    challenged,
    finished,
    outcomes_of,
    still,
    verify,
    with_passkey,
)

__all__ = ["still"]


async def test_a_passkey_logs_in_alone(auth: Auth) -> None:
    """Its device has verified its owner: AAL2, without a password and without an address."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)

    anonymous("BeginPasskeyLogin")
    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    made = await auth.factors.FinishPasskeyLogin(finished(begun, device.get(begun.options_json)))

    claims = (await auth.proving.prove(made.session.credentials.access_token)).claims
    assert (claims.assurance, claims.methods) == (2, ("pop", "user", "mfa"))
    assert claims.subject == clinic.administrator


async def test_an_assertion_is_good_once(auth: Auth) -> None:
    """Replayed at once or later, for its own challenge or for another, it opens nothing."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)
    anonymous("BeginPasskeyLogin")
    begun, other = [
        await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest()) for _ in range(2)
    ]
    answer = device.get(begun.options_json)

    outcomes = await outcomes_of(
        auth.factors.FinishPasskeyLogin(finished(begun, answer)),
        auth.factors.FinishPasskeyLogin(finished(begun, answer)),
    )

    assert outcomes == ["CHALLENGE_REFUSED", "OK"]
    with pytest.raises(CodeRefused):
        await auth.factors.FinishPasskeyLogin(finished(other, answer))


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
        await auth.factors.FinishPasskeyLogin(finished(begun, answer))


FRAMED = [{"crossOrigin": True}, {"crossOrigin": "true"}, {"topOrigin": "https://evil.example"}]


@pytest.mark.parametrize("said", FRAMED, ids=str)
async def test_a_framed_page_opens_nothing(auth: Auth, said: dict[str, object]) -> None:
    """Neither a log-in nor a challenge nor the registration of another one."""
    clinic = await auth.clinic()
    token = (await auth.log_in(clinic.email)).access_token
    device, factor = await with_passkey(auth, token)
    device.said = said
    anonymous("BeginPasskeyLogin")
    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    asked = await challenged(auth, clinic.email)
    answer = await begin(auth, asked.token, factor)
    page = Party("localhost", "medhub", (ORIGIN,))

    with pytest.raises(CodeRefused):
        await auth.factors.FinishPasskeyLogin(finished(begun, device.get(begun.options_json)))
    shown = device.get(answer.options_json)
    with pytest.raises(CodeRefused):
        await verify(auth, asked.token, factor, credential_json=shown)
    nonce = b"n" * 32
    options = registration_options(page, nonce, new_id(), "ana@parc.test", [])
    assert registered(page, nonce, Authenticator(ORIGIN).create(options)).id
    with pytest.raises(NoProof):
        registered(page, nonce, device.create(options))


async def test_a_page_that_nobody_frames_says_so(auth: Auth) -> None:
    """As browsers do, who leave it out or say false."""
    clinic = await auth.clinic()
    device, _ = await with_passkey(auth, (await auth.log_in(clinic.email)).access_token)
    device.said = {"crossOrigin": False}
    anonymous("BeginPasskeyLogin")

    begun = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())

    answer = finished(begun, device.get(begun.options_json))
    assert (await auth.factors.FinishPasskeyLogin(answer)).session.credentials.access_token


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
