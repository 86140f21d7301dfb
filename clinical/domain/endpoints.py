"""Places where messages of one sender arrive, and how they are treated."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.errors import InvalidField, Refusal
from core.texts import has_controls
from core.zones import is_zone

DEFAULT_ZONE: Final = "Europe/Paris"


class AckPoint(StrEnum):
    """When a message is acknowledged."""

    PROCESSED = "PROCESSED"
    STORED = "STORED"


class EndpointExists(Refusal):
    """Another endpoint of the organization has the label."""

    reason = "ENDPOINT_EXISTS"


class EndpointNotYours(Refusal):
    """An endpoint that names a service account takes messages of that account alone."""

    reason = "ENDPOINT_NOT_YOURS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint at one revision; "" for charset and zone means the default."""

    id: UUID
    label: str
    service_account_id: UUID | None
    ack_point: AckPoint
    charset_fallback: str
    time_zone: str
    created_at: datetime
    # Ids of checks that reject here and only warn elsewhere.
    rejected_rules: tuple[str, ...] = ()
    revision: int = 1

    @property
    def etag(self) -> str:
        """The revision, as callers hold it (AIP-154)."""
        return str(self.revision)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        return ZoneInfo(self.time_zone or DEFAULT_ZONE)


def check_endpoint(endpoint: Endpoint) -> None:
    """Raises InvalidField for a label that is none or reads as another, and an unknown zone."""
    if not endpoint.label:
        raise InvalidField(field="hl7_endpoint.label", rule="required")
    if has_controls(endpoint.label):
        raise InvalidField(field="hl7_endpoint.label", rule="text.control")
    if endpoint.time_zone and not is_zone(endpoint.time_zone):
        raise InvalidField(field="hl7_endpoint.time_zone", rule="time_zone")
