"""What an endpoint of HL7 messages may be."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from clinical.domain.endpoints import AckPoint, Endpoint, check_endpoint
from core.errors import InvalidField

LABORATORY = Endpoint(
    id=UUID(int=1),
    label="Laboratory, Hôpital Nord",
    service_account_id=None,
    ack_point=AckPoint.STORED,
    charset_fallback="",
    time_zone="",
    created_at=datetime(2026, 11, 26, tzinfo=UTC),
)


@pytest.mark.parametrize("zone", ["", "Europe/Paris", "Indian/Reunion"])
def test_an_endpoint_has_a_label_and_a_zone(zone: str) -> None:
    """Without a zone it has that of France."""
    check_endpoint(replace(LABORATORY, time_zone=zone))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("label", ""),
        ("label", "a\nb"),
        ("label", "a\u202eb"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "right/Europe/Paris"),
        ("time_zone", "posix/Europe/Paris"),
        ("time_zone", "posixrules"),
        ("time_zone", "localtime"),
        ("time_zone", "Factory"),
        ("time_zone", "../etc/passwd"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_named(field: str, wrong: str) -> None:
    """A label in two lines reads as two; times in a zone that is none stand hours away."""
    changed: dict[str, Any] = {field: wrong}

    with pytest.raises(InvalidField) as refused:
        check_endpoint(replace(LABORATORY, **changed))

    assert [each.field for each in refused.value.violations] == [f"hl7_endpoint.{field}"]
