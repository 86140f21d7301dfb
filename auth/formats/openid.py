"""What an OpenID provider publishes and signs: its discovery document, its keys, its ID tokens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from jwt.types import Options

from auth.domain.refusals import FederationRefused, ProviderUnreachable

# Asymmetric ones alone: a shared secret must never be taken for a key that verifies.
_KINDS: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA"}),
}
_OPTIONS: Options = {
    "verify_signature": True,
    # The domain compares what the claims say, against one clock.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
# Ways in which medhub can prove itself at the token endpoint, the best first.
_PROOFS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True)
class Discovery:
    """Where the provider is asked what (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    # How a client with a secret proves itself.
    client_proof: str
    # The answer at the redirect address names the issuer (RFC 9207).
    names_issuer: bool

    def endpoints(self) -> tuple[str, ...]:
        """Every address that it names."""
        asked = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        return (*asked, self.userinfo_endpoint) if self.userinfo_endpoint else asked


def discovery_from(document: object, issuer: str) -> Discovery:
    """Raises ProviderUnreachable for a document that is not this issuer's, or not whole."""
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ProviderUnreachable
    supported = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    proofs = supported if isinstance(supported, list) else []
    proof = next((each for each in _PROOFS if each in proofs), _PROOFS[0])
    return Discovery(
        issuer=issuer,
        authorization_endpoint=_text(document, "authorization_endpoint"),
        token_endpoint=_text(document, "token_endpoint"),
        jwks_uri=_text(document, "jwks_uri"),
        userinfo_endpoint=str(document.get("userinfo_endpoint") or ""),
        client_proof=proof,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def key_id_of(token: str) -> str | None:
    """The `kid` of an ID token. Raises FederationRefused for what is no JWT of ours to read."""
    return _header(token)[0]


def claims_of(token: str, keys: object) -> dict[str, object]:
    """The claims of an ID token that one of the provider's keys verifies.

    The algorithm is pinned to the key; keys in the header are refused (RFC 8725). Raises
    FederationRefused.
    """
    kid, algorithm = _header(token)
    key = _key(keys, kid, algorithm)
    try:
        verifier = jwt.PyJWK(key, algorithm).key
        claims: dict[str, object] = jwt.decode(
            token, verifier, algorithms=[algorithm], options=_OPTIONS
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise FederationRefused from None
    return claims


def names_key(keys: object, kid: str | None) -> bool:
    """Whether a key set has the key of this id."""
    return any(kid is None or each.get("kid") == kid for each in _each(keys))


def json_from(body: bytes) -> object:
    """A body. Raises ProviderUnreachable for what is no JSON."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderUnreachable from None
    return document


def _header(token: str) -> tuple[str | None, str]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise FederationRefused from None
    kid, algorithm = header.get("kid"), header.get("alg")
    if {"crit", "jwk", "jku", "x5u", "x5c"} & set(header) or not isinstance(algorithm, str):
        raise FederationRefused
    if not any(algorithm in kind for kind in _KINDS.values()):
        raise FederationRefused
    if kid is not None and not isinstance(kid, str):
        raise FederationRefused
    return kid, algorithm


def _key(keys: object, kid: str | None, algorithm: str) -> dict[str, object]:
    """The one key that may have signed. Raises FederationRefused for none, and for several."""
    fitting = [
        each
        for each in _each(keys)
        if algorithm in _KINDS.get(str(each.get("kty")), ())
        and each.get("use", "sig") == "sig"
        and _verifies(each.get("key_ops"))
        and each.get("alg", algorithm) == algorithm
        and (kid is None or each.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise FederationRefused
    return fitting[0]


def _verifies(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _each(keys: object) -> list[dict[str, object]]:
    listed = keys.get("keys") if isinstance(keys, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderUnreachable
    return value
