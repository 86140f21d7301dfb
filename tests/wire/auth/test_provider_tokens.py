"""What an identity provider signs: taken for what it is, or for nothing."""

from collections.abc import Callable
from typing import Any

import jwt

from tests.support.federated import REFUSED, Hospital, hospital, provider
from tests.support.openid_provider import (
    CLIENT,
    KID,
    SECRET,
    OpenIdProvider,
    new_private,
    openid_provider,
)

__all__ = ["hospital", "provider"]


async def test_the_algorithms_of_providers_are_known(hospital: Hospital) -> None:
    """Whatever asymmetric key a provider signs with."""
    for algorithm in ("PS256", "ES256", "EdDSA"):
        with openid_provider(algorithm) as hospital.provider:
            made = await hospital.sign_in(await hospital.trust())
        assert made.access_token, algorithm


def _changed(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {**claims, **values}


LIES: list[dict[str, Any]] = [
    {"iss": "https://another.example"},
    {"aud": "another"},
    {"aud": [CLIENT, "another"]},
    {"nonce": "of another attempt"},
    {"exp": 1},
    {"exp": "4102444800"},
    {"iat": 4102444800},
    {"sub": ""},
    {"sub": None},
]


async def test_a_token_that_is_not_for_the_attempt_opens_nothing(hospital: Hospital) -> None:
    """Well signed, and about another issuer, client, attempt, time or nobody."""
    trusted, found = await hospital.trust(), []
    for lie in LIES:
        hospital.provider.lie = _changed(**lie)
        found.append(await hospital.refused(trusted))

    assert found == [REFUSED] * len(LIES)


def _none(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, "none")  # type: ignore[arg-type]  # no key on purpose


def _secret(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SECRET, "HS256", headers={"kid": KID})


def _stranger(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, new_private("RS256"), "RS256", headers={"kid": KID})


def _unknown(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, provider.private, "RS256", headers={"kid": "second"})


def _other_algorithm(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, provider.private, "PS256", headers={"kid": KID})


def _own_key(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    key = new_private("RS256")
    public = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(claims, key, "RS256", headers={"jwk": public})


def _garbage(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    return "a.b.c"


FORGERIES = [_none, _secret, _stranger, _unknown, _other_algorithm, _own_key, _garbage]


async def test_a_token_that_no_published_key_signed_opens_nothing(hospital: Hospital) -> None:
    """No algorithm, a shared secret, another key, an unknown one, one that it brings along."""
    trusted, found = await hospital.trust(), []
    for forgery in FORGERIES:
        hospital.provider.sign = forgery
        found.append(await hospital.refused(trusted))

    assert found == [REFUSED] * len(FORGERIES)


async def test_a_key_that_was_just_published_is_found(hospital: Hospital) -> None:
    """The provider has rotated since its keys were read, and names no key id of before."""
    trusted = await hospital.trust()
    await hospital.sign_in(trusted)
    fresh = new_private("RS256")
    public = jwt.get_algorithm_by_name("RS256").to_jwk(fresh.public_key(), as_dict=True)
    hospital.provider.keys = lambda: {"keys": [{**public, "kid": "next"}]}  # type: ignore[method-assign]
    hospital.provider.sign = lambda _, claims: jwt.encode(
        claims, fresh, "RS256", headers={"kid": "next"}
    )

    refused = await hospital.refused(trusted)

    # Within ten seconds it is not asked again: a made-up key id must not flood a provider.
    assert refused == REFUSED
    assert hospital.provider.requests.count("GET /keys") == 1
