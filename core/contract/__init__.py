"""What the contracts declare, read from their descriptors. Fails loudly, never guesses."""

from core.contract.catalogue import Contract, everything, load
from core.contract.methods import Access, Malformed, Method
from core.contract.reasons import Reason

__all__ = ["Access", "Contract", "Malformed", "Method", "Reason", "everything", "load"]
