"""Service accounts against a real database: assertions, once; disabled, for good."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.domain.refusals import AssertionRefused, TokenInvalid
from core import clock
from core.errors import EtagMismatch, InvalidField, NotFound
from medhub.auth.v1 import auth_service_pb2, service_account_pb2
from medhub.auth.v1 import service_account_service_pb2 as wire
from tests.support.credentials import Auth, anonymous


def assertion(account: UUID, key: bytes, **more: Any) -> str:
    """An assertion, with claims to break."""
    name = f"serviceAccounts/{account}"
    expires = int((clock.now() + timedelta(minutes=1)).timestamp())
    claims = {"iss": name, "sub": name, "aud": "medhub", "exp": expires, "jti": str(uuid4())}
    private = Ed25519PrivateKey.from_private_bytes(key)
    return jwt.encode({**claims, **more}, private, algorithm="EdDSA")


async def exchange(auth: Auth, signed: str) -> auth_service_pb2.IssueServiceTokenResponse:
    """Exchange it as a server does."""
    anonymous("IssueServiceToken")
    return await auth.auth.IssueServiceToken(
        auth_service_pb2.IssueServiceTokenRequest(assertion=signed)
    )


async def test_an_assertion_gets_a_token_once(auth: Auth) -> None:
    """The token stands for the account; the assertion is used up, even by twins."""
    account, key = await auth.service(None, "service")
    signed = assertion(account, key)

    answers = await asyncio.gather(
        exchange(auth, signed), exchange(auth, signed), return_exceptions=True
    )

    issued = [a for a in answers if isinstance(a, auth_service_pb2.IssueServiceTokenResponse)]
    assert len(issued) == 1
    proven = await auth.proving.prove(issued[0].access_token)
    assert (proven.claims.kind, proven.claims.subject) == ("service", account)
    assert (proven.claims.organization, proven.roles) == (None, ("service",))


@pytest.mark.parametrize(
    "broken",
    [
        {"aud": "elsewhere"},
        {"sub": f"serviceAccounts/{UUID(int=1)}"},
        {"iss": "users/1"},
        {"exp": 1},
        {"exp": 2**40},
        {"exp": "soon"},
        {"exp": True},
        {"jti": ""},
        {"jti": "x" * 65},
        {"jti": 7},
        {"jti": "a\0b"},
        {"jti": "\ud800"},
        {"jti": "é"},
        {"jti": "a b\n"},
        {"iss": "serviceAccounts/\ud800", "sub": "serviceAccounts/\ud800"},
        {"iss": "\0", "sub": "\0"},
        {"aud": "medhub\0"},
    ],
    ids=ascii,
)
async def test_an_assertion_that_says_the_wrong_thing_is_refused(
    auth: Auth, broken: dict[str, Any]
) -> None:
    """Every claim counts."""
    account, key = await auth.service(None, "service")

    with pytest.raises(AssertionRefused):
        await exchange(auth, assertion(account, key, **broken))


async def test_another_key_proves_nothing(auth: Auth) -> None:
    """Neither a stranger's signature, nor none, nor garbage."""
    account, _ = await auth.service(None, "service")
    foreign = assertion(account, Ed25519PrivateKey.generate().private_bytes_raw())
    unsigned = jwt.encode(
        {"iss": f"serviceAccounts/{account}", "sub": f"serviceAccounts/{account}"},
        "",
        algorithm="none",
    )

    for each in (foreign, unsigned, "garbage", "a.b.c", ""):
        with pytest.raises(AssertionRefused):
            await exchange(auth, each)


async def test_a_disabled_account_is_out_for_good(auth: Auth) -> None:
    """Its tokens are dead, and no assertion gets another."""
    clinic = await auth.clinic()
    account, key = await auth.service(clinic.organization, "integration")
    token = (await exchange(auth, assertion(account, key))).access_token
    assert (await auth.proving.prove(token)).roles == ("integration",)
    await auth.act_as_administrator(clinic)
    name = f"serviceAccounts/{account}"

    with pytest.raises(EtagMismatch):
        await auth.service_accounts.DisableServiceAccount(
            wire.DisableServiceAccountRequest(name=name, etag="9")
        )
    saved = await auth.service_accounts.DisableServiceAccount(
        wire.DisableServiceAccountRequest(name=name, etag="1")
    )

    assert (saved.disabled, saved.etag) == (True, "2")
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(token)
    with pytest.raises(AssertionRefused):
        await exchange(auth, assertion(account, key))


async def test_an_organization_sees_and_makes_its_own_only(auth: Auth) -> None:
    """Another organization's account, and a server of the platform, are not found."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    foreign, _ = await auth.service(second.organization, "integration")
    server, _ = await auth.service(None, "service")
    await auth.act_as_administrator(first)
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    asked = service_account_pb2.ServiceAccount(
        display_name="Gateway", public_key=key, roles=["integration"]
    )

    made = await auth.service_accounts.CreateServiceAccount(
        wire.CreateServiceAccountRequest(service_account=asked)
    )
    listed = await auth.service_accounts.ListServiceAccounts(wire.ListServiceAccountsRequest())

    assert list(listed.service_accounts) == [made]
    assert made.public_key == key
    for account in (foreign, server):
        with pytest.raises(NotFound):
            await auth.service_accounts.DisableServiceAccount(
                wire.DisableServiceAccountRequest(name=f"serviceAccounts/{account}", etag="1")
            )
    with pytest.raises(InvalidField):
        await auth.service_accounts.CreateServiceAccount(
            wire.CreateServiceAccountRequest(service_account=asked)
        )
