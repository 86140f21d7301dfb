"""Passkeys in Chromium, with its virtual authenticator: what a person's browser really says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from auth.formats.passkeys import Party
from auth.password_proof import PasswordProof
from auth.server import factors
from medhub.auth.v1 import factor_service_pb2 as wire
from tests.support.browser import CHROMIUM, Browser, browser
from tests.support.credentials import Auth, anonymous
from tests.support.second_factors import begin, challenged, verify

_PAGE = b"<!doctype html><title>Sign in</title>"
_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(_PAGE)}\r\n"
    # A browser connects ahead of time, too, and asks for nothing.
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + b"connection: close\r\n\r\n" + _PAGE)
        await writer.drain()
    writer.close()


@pytest.fixture
async def page(auth: Auth, tmp_path: Path) -> AsyncIterator[Browser]:
    """A page of the passkeys' domain in a browser that has an authenticator."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    origin = f"http://localhost:{server.sockets[0].getsockname()[1]}"
    party = Party("localhost", "medhub", (origin,))
    proof = PasswordProof(auth.store, auth.hashing, auth.signer)
    auth.factors = factors(auth.store, auth.hashing, auth.signer, proof, auth.post, party)
    async with server, browser(tmp_path / "profile") as opened:
        await opened.open(f"{origin}/")
        await opened.command("WebAuthn.enable")
        await opened.command("WebAuthn.addVirtualAuthenticator", options=_DEVICE)
        yield opened


async def _create(page: Browser, options_json: str) -> str:
    return str(await page.run(
        "(async () => { const options = PublicKeyCredential.parseCreationOptionsFromJSON("
        f"{options_json}); const made = await navigator.credentials.create({{publicKey: options}});"
        " return JSON.stringify(made.toJSON()); })()"
    ))  # fmt: skip


async def _get(page: Browser, options_json: str) -> str:
    return str(await page.run(
        "(async () => { const options = PublicKeyCredential.parseRequestOptionsFromJSON("
        f"{options_json}); const made = await navigator.credentials.get({{publicKey: options}});"
        " return JSON.stringify(made.toJSON()); })()"
    ))  # fmt: skip


async def test_a_passkey_of_a_browser_logs_in_and_answers_a_challenge(
    auth: Auth, page: Browser
) -> None:
    """Made in a page, it opens a session alone, and answers after a password."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "BeginPasskeyRegistration")
    begun = await auth.factors.BeginPasskeyRegistration(
        wire.BeginPasskeyRegistrationRequest(display_name="This computer")
    )
    added = await auth.factors.FinishPasskeyRegistration(
        wire.FinishPasskeyRegistrationRequest(
            enrolment=begun.enrolment, credential_json=await _create(page, begun.options_json)
        )
    )

    anonymous("BeginPasskeyLogin")
    login = await auth.factors.BeginPasskeyLogin(wire.BeginPasskeyLoginRequest())
    alone = await auth.factors.FinishPasskeyLogin(
        wire.FinishPasskeyLoginRequest(
            challenge=login.challenge, credential_json=await _get(page, login.options_json)
        )
    )
    asked = await challenged(auth, clinic.email)
    options = (await begin(auth, asked.token, added.factor.name)).options_json
    answered = await verify(
        auth, asked.token, added.factor.name, credential_json=await _get(page, options)
    )

    for made in (alone.session, answered.session):
        claims = (await auth.proving.prove(made.credentials.access_token)).claims
        assert (claims.subject, claims.assurance) == (clinic.administrator, 2)
    assert json.loads(login.options_json)["allowCredentials"] == []
