"""What a call leaves behind for the trail, seen before the relay takes it away.

A trigger of the tests' own copies each row of an outbox as it is written; the copy goes by the
trace of the call, so a test finds what one call has left among all the others.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.support.postgres import ServiceDatabase

_KEEP = """
CREATE SCHEMA kept;
CREATE TABLE kept.outbox AS SELECT * FROM medhub.audit_outbox WITH NO DATA;
CREATE INDEX ON kept.outbox ((context ->> 'trace'));
CREATE FUNCTION kept.keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO kept.outbox SELECT NEW.*;
    RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER INSERT ON medhub.audit_outbox
    FOR EACH ROW EXECUTE FUNCTION kept.keep();
"""
_OF_TRACE = """
SELECT kind, organization_id, context, entity, operation, subject, subject_kind, resource, after
FROM kept.outbox WHERE context ->> 'trace' = %s ORDER BY seq
"""


@dataclass(frozen=True)
class Left:
    """One row that a call has left."""

    kind: str
    organization_id: UUID
    context: dict[str, Any]
    entity: str
    operation: str
    subject: UUID | None
    subject_kind: str
    resource: str
    after: dict[str, Any] | None


def keep(database: ServiceDatabase) -> None:
    """Begin to copy what enters the outbox of a service."""
    database.rows(_KEEP)


def left_by(database: ServiceDatabase, trace: str) -> list[Left]:
    """What the call of this trace has left, oldest first."""
    return [Left(**row) for row in database.rows(_OF_TRACE, trace)]


def waiting(database: ServiceDatabase) -> int:
    """How many events and facts the relays have not delivered yet."""
    queues = ("medhub.audit_outbox", "medhub.fact_outbox")
    return sum(int(database.rows(f"SELECT count(*) AS n FROM {q}")[0]["n"]) for q in queues)


def kept_of(database: ServiceDatabase, organization: UUID) -> int:
    """How many events of an organization have entered the outbox."""
    found = database.rows(
        "SELECT count(*) AS n FROM kept.outbox WHERE organization_id = %s", organization
    )
    return int(found[0]["n"])
