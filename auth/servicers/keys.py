"""KeyService: the public keys, for those who verify tokens outside of the platform."""

import base64

from core import clock
from core.errors import Unavailable
from core.truth import Key, State
from medhub.auth.v1 import key_pb2
from medhub.auth.v1 import key_service_pb2 as wire

RETRY_SECONDS = 1.0
"""Until the first keys have been heard of; an empty answer would be kept by who asks."""


class Keys:
    """The KeyService of the contract. It asks nobody: the keys are what every server follows."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def GetKeySet(self, request: wire.GetKeySetRequest) -> key_pb2.JsonWebKeySet:
        """Give the keys that verify now or soon."""
        now = clock.now()
        keys = [key for _, key in sorted(self._state.keys.items()) if key.verifies(now)]
        if not keys:
            raise Unavailable(retry_after=RETRY_SECONDS)
        return key_pb2.JsonWebKeySet(keys=[key_to_proto(key) for key in keys])


def key_to_proto(key: Key) -> key_pb2.JsonWebKey:
    """An octet key pair (RFC 8037, section 2)."""
    return key_pb2.JsonWebKey(
        kty="OKP",
        crv="Ed25519",
        kid=key.kid,
        use="sig",
        alg=key.algorithm,
        x=base64.urlsafe_b64encode(key.public_key).rstrip(b"=").decode(),
    )
