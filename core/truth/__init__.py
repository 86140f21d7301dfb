"""Local proof, streamed truth.

A token proves who calls: its signature is verified here, once. What is still true of it (keys,
sessions, epochs, roles) is streamed by the auth service. Neither alone decides.
"""

from core.truth.hops import Resolved
from core.truth.proof import AUDIENCE, FEDERATED, FEDERATED_ALONE, ISSUER, Claims, Key, NotProven
from core.truth.state import State
from core.truth.truth import Truth

__all__ = [
    "AUDIENCE",
    "FEDERATED",
    "FEDERATED_ALONE",
    "ISSUER",
    "Claims",
    "Key",
    "NotProven",
    "Resolved",
    "State",
    "Truth",
]
