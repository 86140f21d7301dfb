"""The manifest of a package: who asked what when, and what each service has handed over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from compliance.domain.access_packages import categories_of
from compliance.domain.access_requests import AccessRequest, Answer, deadlines
from core.contract.fields import category_word
from core.ids import name_of
from medhub.options.v1 import data_pb2 as options
from medhub.subject.v1.subject_pb2 import HeldField, HeldTable

FORMAT = "medhub.access_package.v1"
"""What a reader goes by; a change that readers would notice gets another number."""


def manifest_of(request: AccessRequest, answers: Sequence[Answer]) -> dict[str, Any]:
    """The manifest of a request that is complete."""
    return {
        "format": FORMAT,
        "request": name_of("accessRequests", request.id),
        "patient": name_of("patients", request.patient_id),
        "identities": [name_of("patients", one) for one in request.identities],
        "receive_time": _moment(request.received_at),
        "complete_time": _moment(request.completed_at),
        "deadlines": [
            {
                "regime": clock.regime,
                "earliest_time": _moment(clock.earliest_at),
                "due_time": _moment(clock.due_at),
                "source": clock.source,
            }
            for clock in deadlines(request.received_at)
        ],
        "services": {one.service: _service(one) for one in answers},
    }


def table_from_proto(table: HeldTable) -> dict[str, Any]:
    """What a service tells of one of its tables."""
    return {
        "table": table.table,
        "collection": table.collection,
        "count": table.count,
        "fields": [_field(one) for one in table.fields],
    }


def _service(answer: Answer) -> dict[str, Any]:
    return {
        "record_count": answer.record_count,
        "sha256": (answer.sha256 or b"").hex(),
        "gather_time": _moment(answer.gathered_at),
        "categories": categories_of(answer.tables),
        "tables": list(answer.tables),
    }


def _field(field: HeldField) -> dict[str, Any]:
    said = getattr(field, "class")
    return {
        "column": field.column,
        "field": field.field,
        "meaning": field.meaning,
        "class": options.DataClass.Name(said).removeprefix("DATA_CLASS_").lower() if said else "",
        "category": category_word(field.category) if field.category else "",
        "retention": field.retention,
        "portable": field.portable,
        "withheld": field.withheld,
    }


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
