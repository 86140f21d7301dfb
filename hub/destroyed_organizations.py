"""Organizations that were destroyed, for the list of what a backup must not revive."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

COUNT = "SELECT count(*) FROM medhub.offboarding WHERE receipt IS NOT NULL"
_DESTROYED = """
    SELECT organization_id, export_digest, suspended_at, destroyed_at, receipt
    FROM medhub.offboarding WHERE receipt IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class DestroyedOrganization:
    """The destruction of an organization in one service, with its receipt."""

    organization: UUID
    service: str
    export_digest: bytes
    suspended_at: datetime
    destroyed_at: datetime
    receipt: bytes


def destroyed_in(connection: psycopg.Connection, service: str) -> set[DestroyedOrganization]:
    """What a service has destroyed; for a superuser."""
    return {
        DestroyedOrganization(organization, service, export, suspended_at, destroyed_at, receipt)
        for organization, export, suspended_at, destroyed_at, receipt in connection.execute(
            _DESTROYED
        )
    }


def destroyed_to(one: DestroyedOrganization) -> dict[str, Any]:
    """A line of the list."""
    return {
        "destroyed_organization": str(one.organization),
        "service": one.service,
        "export_digest": one.export_digest.hex(),
        "suspended_at": one.suspended_at.isoformat(),
        "destroyed_at": one.destroyed_at.isoformat(),
        "receipt": base64.b64encode(one.receipt).decode(),
    }


def destroyed_from(line: dict[str, Any]) -> DestroyedOrganization:
    """What a line says. Raises KeyError, TypeError and ValueError for another one."""
    return DestroyedOrganization(
        organization=UUID(line["destroyed_organization"]),
        service=str(line["service"]),
        export_digest=bytes.fromhex(line["export_digest"]),
        suspended_at=datetime.fromisoformat(line["suspended_at"]),
        destroyed_at=datetime.fromisoformat(line["destroyed_at"]),
        receipt=base64.b64decode(line["receipt"], validate=True),
    )
