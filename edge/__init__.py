"""What stands between the services and the world: Envoy, made from the contract.

It turns REST and gRPC-Web into gRPC, refuses what the contract does not know, and decides nothing
about who may do what: that is the servers' work.
"""

from edge.settings import Address, Edge, Tls
from edge.write import write

__all__ = ["Address", "Edge", "Tls", "write"]
