"""Service accounts against a real database: assertions, once; disabled, for good."""

import asyncio
import json
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
from tests.support.tokens import segment


def claims_of(account: UUID) -> dict[str, Any]:
    """What a good assertion says."""
    name = f"serviceAccounts/{account}"
    expires = int((clock.now() + timedelta(minutes=1)).timestamp())
    return {"iss": name, "sub": name, "aud": "medhub", "exp": expires, "jti": str(uuid4())}


def assertion(account: UUID, key: bytes, **more: Any) -> str:
    """An assertion, with claims to break."""
    private = Ed25519PrivateKey.from_private_bytes(key)
    return jwt.encode({**claims_of(account), **more}, private, algorithm="EdDSA")


def spelled(key: bytes, header: dict[str, Any], claims: dict[str, Any], *, first: str = "") -> str:
    """A signed assertion as no library writes it; `first` stands before the other claims."""
    payload = json.dumps(claims).replace("{", "{" + first, 1)
    signed = f"{segment(header)}.{segment(payload.encode())}"
    return f"{signed}.{segment(Ed25519PrivateKey.from_private_bytes(key).sign(signed.encode()))}"


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
        {"exp": "9999999999"},
        {"nbf": 2**33},
        {"nbf": "0"},
        {"nbf": 1.5},
        {"nbf": None},
        {"iat": 2**33},
        {"iat": "0"},
        {"iat": -1},
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


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": ""},
        {"typ": None},
        {"typ": ["JWT"]},
        {"kid": 7},
        {"crit": ["exp"]},
        {"jwk": {"kty": "OKP"}},
        {"alg": "none"},
    ],
    ids=str,
)
async def test_a_token_of_another_kind_is_no_assertion(auth: Auth, header: dict[str, Any]) -> None:
    """What was signed for another purpose is not good for this one."""
    account, key = await auth.service(None, "service")

    with pytest.raises(AssertionRefused):
        await exchange(auth, spelled(key, {"alg": "EdDSA", **header}, claims_of(account)))


@pytest.mark.parametrize("more", ["", '"jti":"again",', '"exp":"0",', '"aud":"elsewhere",'])
async def test_an_assertion_has_one_meaning(auth: Auth, more: str) -> None:
    """Whatever reader looks at it, each claim stands in it once."""
    account, key = await auth.service(None, "service")
    signed = spelled(key, {"alg": "EdDSA", "typ": "JWT"}, claims_of(account), first=more)

    if not more:
        assert (await exchange(auth, signed)).access_token
        return
    with pytest.raises(AssertionRefused):
        await exchange(auth, signed)


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
