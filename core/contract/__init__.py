"""What the contracts declare, read from their descriptors. Fails loudly, never guesses."""

from core.contract.catalogue import Contract, everything, load
from core.contract.methods import Access, Malformed, Method
from core.contract.reasons import Reason
from core.contract.refusals import OF_THE_TRANSPORT, refusals_of

__all__ = [
    "OF_THE_TRANSPORT", "Access", "Contract", "Malformed", "Method", "Reason", "everything", "load",
    "refusals_of",
]  # fmt: skip
