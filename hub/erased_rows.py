"""Which persons' rows were erased from which service, as the list of what a backup must not revive.

A line names a person by a random id, which leads nowhere once the rows are gone.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from core.subject.receipts import Record

COUNT = "SELECT count(*) FROM erasure_receipt"
_ERASED = """
    SELECT organization_id, request_id, plan_digest, persons, erased, executed_at, receipt
    FROM erasure_receipt
"""


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """An erasure in one service, with its receipt."""

    organization: UUID
    service: str
    record: Record


def erased_in(connection: psycopg.Connection, service: str) -> set[ErasedRows]:
    """What a service has erased, of all organizations; for a superuser."""
    return {
        ErasedRows(
            organization, service, Record(request, plan, tuple(persons), tuple(erased), at, receipt)
        )
        for organization, request, plan, persons, erased, at, receipt in connection.execute(_ERASED)
    }


def erased_to(rows: ErasedRows) -> dict[str, Any]:
    """A line of the list."""
    record = rows.record
    return {
        "organization": str(rows.organization),
        "service": rows.service,
        "erasure_request": str(record.request_id),
        "plan_digest": record.plan_digest.hex(),
        "persons": [str(person) for person in record.persons],
        "erased": list(record.erased),
        "executed_at": record.executed_at.isoformat(),
        "receipt": base64.b64encode(record.receipt).decode(),
    }


def erased_from(line: dict[str, Any]) -> ErasedRows:
    """What a line says. Raises KeyError, TypeError and ValueError for another one."""
    record = Record(
        request_id=UUID(line["erasure_request"]),
        plan_digest=bytes.fromhex(line["plan_digest"]),
        persons=tuple(UUID(person) for person in line["persons"]),
        erased=tuple(str(table) for table in line["erased"]),
        executed_at=datetime.fromisoformat(line["executed_at"]),
        receipt=base64.b64decode(line["receipt"], validate=True),
    )
    return ErasedRows(UUID(line["organization"]), str(line["service"]), record)
