"""A token proves itself, or nothing at all."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from core.ids import new_id
from core.truth.proof import (
    SKEW,
    Expired,
    Key,
    NotProven,
    UnknownKey,
    sign,
    verify,
)
from tests.support.proof_tokens import HEADER, KEY, KEYS, NOW, PAYLOAD, but, refused
from tests.support.tokens import SigningKey, claims_of, forged, segment


def test_what_was_signed_is_what_is_read() -> None:
    """Every claim survives the way through a token."""
    claims = claims_of(
        new_id(),
        new_id(),
        actor=new_id(),
        audience="clinical",
        methods=("pwd", "otp"),
        assurance=2,
        revision=41,
    )

    found = verify(sign(claims, KEY.private, "k1"), KEYS, claims.issued_at)

    assert found == type(claims)(**{**_fields(claims), "kid": "k1"})


def test_a_forged_token_of_the_right_form_is_accepted() -> None:
    """The tokens that these tests forge are refused for their fault, not for their making."""
    assert verify(forged(KEY, HEADER, PAYLOAD), KEYS, NOW).revision == 7


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 0, [], "HS256", "RS256"])
def test_another_algorithm_is_refused(alg: object) -> None:
    """The algorithm is the key's, whatever the header says."""
    refused(forged(KEY, {**HEADER, "alg": alg}, PAYLOAD))


@pytest.mark.parametrize("alg", ["none", "NONE"])
def test_an_unsigned_token_is_refused(alg: str) -> None:
    """`alg: none` with an empty signature proves nothing."""
    refused(f"{segment({**HEADER, 'alg': alg})}.{segment(PAYLOAD)}.")


@pytest.mark.parametrize("alg", ["HS256", "EdDSA"])
def test_a_public_key_is_no_shared_secret(alg: str) -> None:
    """An HMAC under the public key is refused, in every form the key is published in."""
    header = segment({**HEADER, "alg": alg})
    signed = f"{header}.{segment(PAYLOAD)}"
    for secret in (KEY.public, base64.b64encode(KEY.public), KEY.public.hex().encode()):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()

        refused(f"{signed}.{segment(mac)}")


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": segment(KEY.public)}},
        {"jku": "https://keys.example/set"},
        {"x5u": "https://keys.example/chain"},
        {"x5c": ["MIIB"]},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
    ],
)
def test_a_header_that_brings_more_is_refused(more: dict[str, Any]) -> None:
    """The header holds alg, typ and kid, and nothing else."""
    refused(forged(KEY, {**HEADER, **more}, PAYLOAD))


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "AT+JWT", "application/at+jwt", "", None, ["at+jwt"]]
)
def test_another_type_is_refused(typ: object) -> None:
    """An identity token or an assertion is no access token."""
    refused(forged(KEY, {**HEADER, "typ": typ}, PAYLOAD))


@pytest.mark.parametrize("kid", ["k2", "", "K1", "k1 ", None, 1, ["k1"], {"k1": 1}])
def test_an_unknown_key_is_refused(kid: object) -> None:
    """Only a key that the stream has published verifies anything."""
    refused(forged(KEY, {**HEADER, "kid": kid}, PAYLOAD))


def test_a_key_never_heard_of_is_told_apart() -> None:
    """A newer state may know it, so callers may answer differently."""
    with pytest.raises(UnknownKey):
        verify(forged(KEY, HEADER, PAYLOAD), {}, NOW)


def test_a_missing_header_part_is_refused() -> None:
    """A header without its three names is none."""
    for name in HEADER:
        refused(forged(KEY, {n: v for n, v in HEADER.items() if n != name}, PAYLOAD))


def test_another_keys_signature_is_refused() -> None:
    """A name in the header is not a proof."""
    refused(forged(SigningKey("k1"), HEADER, PAYLOAD))


def test_a_revoked_key_verifies_nothing() -> None:
    """A compromised key is dead at once."""
    refused(forged(KEY, HEADER, PAYLOAD), keys={"k1": Key("k1", "EdDSA", KEY.public, revoked=True)})


def test_a_retired_key_verifies_until_its_end() -> None:
    """Tokens signed before the rotation live on; after its last moment the key is dead."""
    keys = {"k1": Key("k1", "EdDSA", KEY.public, not_after=NOW)}
    token = forged(KEY, HEADER, PAYLOAD)

    assert verify(token, keys, NOW + SKEW).revision == 7
    refused(token, NOW + SKEW + timedelta(seconds=1), keys)


@pytest.mark.parametrize("name", sorted(PAYLOAD))
def test_a_missing_claim_is_refused(name: str) -> None:
    """Every required claim has to be there."""
    refused(forged(KEY, HEADER, but(without=name)))


@pytest.mark.parametrize(
    "issuer", ["medhub.evil", "med", "", "Medhub", "medhub ", ["medhub"], None]
)
def test_another_issuer_is_refused(issuer: object) -> None:
    """The issuer is compared whole."""
    refused(forged(KEY, HEADER, but(iss=issuer)))


@pytest.mark.parametrize(
    "audience",
    [
        "other",
        "med",
        "",
        ["medhub"],
        ["medhub", "other"],
        [],
        {},
        None,
        1,
        "medhub/",
        "medhub/Clinical",
        "medhub/a/b",
        "medhub/clinical\n",
        "xmedhub/clinical",
        # One server's, without anybody who acts.
        "medhub/clinical",
    ],
)
def test_another_audience_is_refused(audience: object) -> None:
    """The audience is one string; a list is another spelling."""
    refused(forged(KEY, HEADER, but(aud=audience)))


@pytest.mark.parametrize("claims", [{"sky": "first", "knd": "service"}, {"sky": str(new_id())}])
def test_only_a_program_has_a_key(claims: dict[str, Any]) -> None:
    """By its UUID."""
    refused(forged(KEY, HEADER, but(**claims)))


@pytest.mark.parametrize(
    "claims",
    [
        {"svc": "clinical"},
        {"svc": "clinical", "knd": "service", "org": str(new_id())},
        {"svc": "Clinical", "knd": "service"},
        {"svc": "", "knd": "service"},
        {"svc": ["clinical"], "knd": "service"},
        {
            "svc": "clinical",
            "knd": "service",
            "act": {"sub": str(new_id())},
            "aud": "medhub/clinical",
        },
    ],
)
def test_only_a_server_of_the_platform_has_the_name_of_one(claims: dict[str, Any]) -> None:
    """No user, no program of an organization, and nobody on behalf of a server."""
    refused(forged(KEY, HEADER, but(**claims)))


def test_a_server_of_the_platform_is_named() -> None:
    """As it was registered."""
    found = verify(forged(KEY, HEADER, but(svc="clinical", knd="service")), KEYS, NOW)

    assert found.service == "clinical"


def test_who_acts_for_somebody_does_so_at_one_server() -> None:
    """No token of an actor is good everywhere."""
    acting = but(act={"sub": str(new_id())})

    refused(forged(KEY, HEADER, acting))
    assert verify(forged(KEY, HEADER, {**acting, "aud": "medhub/a"}), KEYS, NOW).audience == "a"


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "rev", "aal", "auth_time"])
@pytest.mark.parametrize(
    "value",
    ["1795435200", 1795435200.5, 1795435200.0, True, None, -1, 1 << 53, 1 << 64, 10**400, [], {}],
)
def test_a_number_of_another_type_is_refused(claim: str, value: Any) -> None:
    """Times, revisions and levels are whole numbers of a sane size."""
    refused(forged(KEY, HEADER, but(**{claim: value})))


@pytest.mark.parametrize("value", [b"1e3", b"NaN", b"Infinity", b"9" * 5000])
def test_a_number_of_another_spelling_is_refused(value: bytes) -> None:
    """JSON that Python reads generously is refused all the same."""
    text = segment_of(but()).replace(b'"exp": ' + str(PAYLOAD["exp"]).encode(), b'"exp": ' + value)
    refused(forged(KEY, HEADER, text))


@pytest.mark.parametrize(
    "more",
    [
        {"sub": "0198C0DE-0000-7000-8000-000000000001"},
        {"sub": "{0198c0de-0000-7000-8000-000000000001}"},
        {"sub": "0198c0de000070008000000000000001"},
        {"sub": "users/1"},
        {"org": ""},
        {"org": None},
        {"org": 7},
        {"sid": "x"},
        {"act": "0198c0de-0000-7000-8000-000000000001"},
        {"act": {}},
        {"act": []},
        {"amr": "pwd"},
        {"amr": [1]},
        {"amr": {"pwd": 1}},
        {"knd": "root"},
        {"knd": ["user"]},
        {"jti": 1},
        {"cnf": None},
        {"cnf": "x" * 43},
        {"cnf": {}},
        {"cnf": {"jkt": "x" * 43}},
        {"cnf": {"x5t#S256": ""}},
        {"cnf": {"x5t#S256": "x" * 42}},
        {"cnf": {"x5t#S256": "x" * 42 + "="}},
        {"cnf": {"x5t#S256": ["x" * 43]}},
        {"cnf": {"x5t#S256": "x" * 43, "jkt": "x" * 43}},
    ],
)
def test_a_claim_of_another_form_is_refused(more: dict[str, Any]) -> None:
    """Names are canonical UUIDs, lists are lists, and a way to confirm that is not known counts."""
    refused(forged(KEY, HEADER, but(**more)))


def test_a_token_that_outlives_what_is_remembered_is_refused() -> None:
    """A revoked session is forgotten after the longest life, so no token may live longer."""
    refused(forged(KEY, HEADER, but(exp=PAYLOAD["iat"] + 15 * 60 + 1)))


@pytest.mark.parametrize("exp", [253402300799, 253402300800])
def test_a_time_at_the_end_of_the_calendar_does_no_harm(exp: int) -> None:
    """Arithmetic at the edge refuses; it does not fail."""
    refused(forged(KEY, HEADER, but(exp=exp)))
    refused(forged(KEY, HEADER, but(exp=exp, iat=exp - 1, nbf=exp - 1)))


def test_the_edges_of_time() -> None:
    """Five seconds of skew on both sides, and not one more."""
    token = forged(KEY, HEADER, PAYLOAD)
    starts, ends = NOW, NOW + timedelta(seconds=300)

    assert verify(token, KEYS, starts - SKEW).revision == 7
    assert verify(token, KEYS, ends + SKEW).revision == 7
    refused(token, starts - SKEW - timedelta(milliseconds=1))
    with pytest.raises(Expired):
        verify(token, KEYS, ends + SKEW + timedelta(milliseconds=1))


def test_a_bad_token_that_also_ran_out_is_just_bad() -> None:
    """Only who was once proven is told that their time is over."""
    late = NOW + timedelta(days=1)
    with pytest.raises(NotProven) as refused:
        verify(forged(SigningKey("k1"), HEADER, PAYLOAD), KEYS, late)

    assert not isinstance(refused.value, Expired)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_noise_proves_nothing(noise: str) -> None:
    """Whatever comes, the only failure is the refusal."""
    refused(noise)


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=1, max_value=127))
def test_no_changed_character_is_overlooked(place: int, by: int) -> None:
    """A token with one character changed is another token."""
    token = forged(KEY, HEADER, PAYLOAD)
    at = place % len(token)
    changed = token[:at] + chr((ord(token[at]) + by) % 128) + token[at + 1 :]

    if changed != token:
        refused(changed)


def test_the_library_is_new_enough() -> None:
    """Before 2.13 PyJWT took the text of a public key for an HMAC secret (CVE-2026-48526)."""
    assert Version(jwt.__version__) >= Version("2.13")


def segment_of(content: object) -> bytes:
    return base64.urlsafe_b64decode(segment(content) + "===")


def _fields(claims: Any) -> dict[str, Any]:
    return {name: getattr(claims, name) for name in type(claims).__slots__}
