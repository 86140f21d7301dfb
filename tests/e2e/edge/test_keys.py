"""The public keys, where programs outside of the platform look for them."""

import jwt
import pytest

from auth.servicers.keys import key_to_proto
from core.ids import new_id
from medhub.auth.v1 import key_pb2
from tests.support.edges import Front
from tests.support.tokens import SigningKey, claims_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
METHOD = "medhub.auth.v1.KeyService/GetKeySet"
KEY = SigningKey()


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/auth/v1/keySet"])
async def test_the_keys_are_a_json_web_key_set(edge: Front, path: str) -> None:
    """Exactly the members of RFC 7517 and RFC 8037, to be kept for a short time."""
    edge.backend.answers[METHOD] = lambda *_: key_pb2.JsonWebKeySet(keys=[key_to_proto(KEY.key)])

    reply = await edge.call("GET", path)

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.headers["cache-control"] == "public, max-age=30"
    found = jwt.PyJWKSet.from_dict(reply.json)
    assert [sorted(key) for key in reply.json["keys"]] == [["alg", "crv", "kid", "kty", "use", "x"]]
    token = KEY.token(claims_of(new_id()))
    claims = jwt.decode(token, found[KEY.kid].key, algorithms=["EdDSA"], audience="medhub")
    assert claims["iss"] == "medhub"
