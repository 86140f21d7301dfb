"""What compliance holds of persons: their trail, opened for them, without who works here.

A person learns of each access when it was, what for, and which categories of data it showed. Who
looked is an employee, whose identity is given only where the person needs it to exercise rights,
weighed against theirs (CJEU C-579/21): so never by itself.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.json_format import MessageToDict

from compliance.domain.keys import ACCESS_PACKAGE, AUDIT
from compliance.servicers.opening import opened
from compliance.storage.events import leaf_of
from compliance.storage.keys import Keys
from compliance.storage.tables import metadata
from core import clock
from core.contract import everything
from core.contract.fields import categories_of
from core.crypto.keyring import KeyProvider
from core.database import Transaction
from core.ids import name_of
from core.subject.grounds import Kept
from core.subject.holdings import Destroys, Holdings, Opens
from core.subject.person import Person
from medhub.compliance.v1.audit_pb2 import AuditEvent

EVIDENCE = "fr.csp.l1142-28"
"""The class of retention of the trail."""

_CLEAR = (
    "source", "occurred_time", "kind", "outcome", "method", "action", "purpose", "entity",
    "operation", "fields", "break_glass", "auth_degraded", "count", "sealed_altered",
)  # fmt: skip
_OF_SUBJECT = ("subject", "resource", "before", "after", "detail", "subject_forgotten")
_OF_ACTOR = ("actor", "session", "peer", "actor_forgotten")
# Columns and details that name an employee in an event about a patient, by whomever it was done.
_NAMES_EMPLOYEES = frozenset({"user_id", "requester", "requester_id"})
_LEFT_OUT = "…"


def holdings(keys: KeyProvider) -> Holdings:
    """The tables of compliance, for the subject contract."""
    destroys = _destroying(keys)
    return Holdings(
        "compliance",
        metadata,
        opens={"audit_event": _opening(keys)},
        terms={EVIDENCE: _as_long_as_the_rest},
        # A leaf of the trail stays, and so does the row that refuses a new key.
        destroys={"audit_event": destroys, "subject_key": destroys},
    )


def _destroying(provider: KeyProvider) -> Destroys:
    async def destroys(tx: Transaction, person: Person) -> list[str]:
        keys, now = Keys(tx, provider), clock.now()
        gone = [
            await keys.destroy_subject_key(name, retention_class, at=now)
            for name in person.names
            for retention_class in (ACCESS_PACKAGE, AUDIT)
        ]
        return [name_of("subjectKeys", key) for key in gone if key is not None]

    return destroys


async def _as_long_as_the_rest(
    _tx: Transaction, _person: Person, elsewhere: Kept | None
) -> Kept | None:
    """Who wrote and saw a record is evidence of it: kept as long as any of it is."""
    return elsewhere


def _opening(provider: KeyProvider) -> Opens:
    async def opens(
        tx: Transaction, rows: Sequence[Mapping[str, Any]], person: Person
    ) -> list[Mapping[str, object]]:
        events = await opened([leaf_of(row) for row in rows], Keys(tx, provider))
        return [_shown(event, person) for event in events]

    return opens


def _shown(event: AuditEvent, person: Person) -> Mapping[str, object]:
    """An event as the person is shown it: what it was, and the part of it that is about them."""
    told: dict[str, Any] = MessageToDict(event, preserving_proto_field_name=True)
    clear = {name: told[name] for name in _CLEAR if name in told}
    categories = _categories(event.method)
    if categories:
        clear["categories"] = list(categories)
    own: dict[str, object] = {}
    if event.subject in person.names or not event.subject:
        own |= {name: _without_employees(event, told[name]) for name in _OF_SUBJECT if name in told}
    if event.actor and event.actor in person.names:
        own |= {name: told[name] for name in _OF_ACTOR if name in told}
    about_them = event.subject in person.names
    return {"clear": clear, "sealed": own, **({} if about_them else {"subject_ref": None})}


def _without_employees(event: AuditEvent, value: object) -> object:
    """A text of the event (JSON, or a name) in which no employee is named."""
    if not isinstance(value, str):
        return value
    acted = event.actor.partition("/")[2]
    try:
        return _blanked(json.loads(value), acted)
    except ValueError:
        return _blanked(value, acted)


def _blanked(value: Any, acted: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _LEFT_OUT if name in _NAMES_EMPLOYEES and one else _blanked(one, acted)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_blanked(one, acted) for one in value]
    return _LEFT_OUT if acted and isinstance(value, str) and acted in value else value


@cache
def _categories(method: str) -> tuple[str, ...]:
    """The categories of data that the answers of a method hold, as the contract says."""
    known = everything().methods.get(f"/{method}")
    return () if known is None else categories_of(known.response.DESCRIPTOR)
