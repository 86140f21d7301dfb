"""PostgreSQL, as every service uses it.

Tables declare their scope and their fields; migrations put row-level security and audit
capture around them; transactions carry the tenant and the audit context; hot reads share a
connection.
"""

from core.database.failures import ConstraintViolated, OutcomeUnknown
from core.database.pool import Database
from core.database.request_keys import Earlier
from core.database.settings import DatabaseSettings
from core.database.statements import Row, Statement, after, sql, statement
from core.database.tables import (
    Reach,
    Scope,
    column,
    index,
    new_metadata,
    platform_table,
    queue_table,
    reference,
    tenant_table,
    unique,
)
from core.database.transaction import Transaction

__all__ = [
    "ConstraintViolated",
    "Database",
    "DatabaseSettings",
    "Earlier",
    "OutcomeUnknown",
    "Reach",
    "Row",
    "Scope",
    "Statement",
    "Transaction",
    "after",
    "column",
    "index",
    "new_metadata",
    "platform_table",
    "queue_table",
    "reference",
    "sql",
    "statement",
    "tenant_table",
    "unique",
]
