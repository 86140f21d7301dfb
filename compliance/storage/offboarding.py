"""Organizations that have left: nothing of them is taken in any more."""

from sqlalchemy import Uuid, bindparam, text

from core.database import Transaction, statement

_GONE = statement(
    text("""
        SELECT o.organization_id FROM medhub.offboarding o
        WHERE o.organization_id = :organization_id AND o.begun_at IS NOT NULL
    """).bindparams(bindparam("organization_id", type_=Uuid))
)


async def is_gone(tx: Transaction) -> bool:
    """Whether what is held of the transaction's organization is destroyed, or being so."""
    return await tx.one(_GONE) is not None
