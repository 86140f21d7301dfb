"""Rows of the outbox become parts of events."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from core.audit.parts import (
    MAX_FIELD,
    MAX_FIELDS,
    MAX_JSON,
    Part,
    actor_part,
    associated,
    clear_part,
    forgotten_actor_part,
    subject_part,
)
from core.database.outbox import Entry
from medhub.event.v1.audit_event_pb2 import ActorPart, ClearPart, EventKind, Outcome, SubjectPart

ORGANIZATION, EVENT, PATIENT, USER, SESSION = (UUID(int=n) for n in range(1, 6))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONTEXT: dict[str, Any] = {
    "actor": str(USER),
    "actor_kind": "user",
    "session": str(SESSION),
    "method": "medhub.clinical.v1.PatientService/UpdatePatient",
    "action": "clinical.patients.write",
    "purpose": "care",
    "trace": "0af7",
    "peer": "192.0.2.1",
    "on_behalf": None,
}
CHANGE = Entry(
    seq=9,
    id=EVENT,
    organization_id=ORGANIZATION,
    occurred_at=NOON,
    kind="change",
    context=CONTEXT,
    entity="patient",
    operation="update",
    subject=PATIENT,
    subject_kind="patient",
    resource=f"patients/{PATIENT}",
    before={"name": "Curie"},
    after={"name": "Joliot", "email": None},
    source_seq=4,
)


def _clear(entry: Entry) -> ClearPart:
    return clear_part(entry, "clinical", subject_ref="s", actor_ref="a")


def test_a_change_names_its_fields_and_nobody() -> None:
    """The clear part of a change, whole."""
    expected = ClearPart(
        event_id=str(EVENT),
        organization_id=str(ORGANIZATION),
        source="clinical",
        source_seq=4,
        kind=EventKind.EVENT_KIND_CHANGE,
        method="medhub.clinical.v1.PatientService/UpdatePatient",
        action="clinical.patients.write",
        outcome=Outcome.OUTCOME_SUCCESS,
        purpose="care",
        entity="patient",
        operation="update",
        fields=["email", "name"],
        subject_ref="s",
        actor_ref="a",
        count=1,
    )
    expected.occurred_time.FromDatetime(NOON)

    assert _clear(CHANGE) == expected


def test_the_same_row_gives_the_same_bytes() -> None:
    """A repeat is recognised by its clear part, so nothing in it may depend on the moment."""
    other = replace(CHANGE, after={"email": None, "name": "Joliot"})

    assert _clear(CHANGE).SerializeToString() == _clear(other).SerializeToString()


def test_values_stand_in_the_subject_part() -> None:
    """Before and after are JSON with sorted names."""
    assert subject_part(CHANGE) == SubjectPart(
        subject=f"patients/{PATIENT}",
        resource=f"patients/{PATIENT}",
        before='{"name":"Curie"}',
        after='{"email":null,"name":"Joliot"}',
    )


def test_who_acted_stands_in_the_actor_part() -> None:
    """Names of the user and the session, the address and the trace."""
    assert actor_part(CHANGE) == ActorPart(
        actor=f"users/{USER}", session=f"sessions/{SESSION}", peer="192.0.2.1", trace="0af7"
    )


def test_a_forgotten_actor_leaves_the_trace_alone() -> None:
    """Neither name nor session nor address is kept."""
    assert forgotten_actor_part(CHANGE) == ActorPart(trace="0af7")


def test_a_service_acts_under_its_account() -> None:
    """A caller of kind service is a service account."""
    entry = replace(CHANGE, context={**CONTEXT, "actor_kind": "service"})

    assert actor_part(entry).actor == f"serviceAccounts/{USER}"


def test_nobody_acts_without_a_name() -> None:
    """Where no caller was known, only the address is told."""
    entry = replace(CHANGE, context={"actor": None, "actor_kind": "anonymous", "peer": "192.0.2.1"})

    assert actor_part(entry) == ActorPart(peer="192.0.2.1")


def test_an_act_is_named_by_itself() -> None:
    """An act says what was done, and has no operation on a row."""
    entry = replace(
        CHANGE, kind="act", entity="", operation="auth.session.login", before=None, after={"aal": 2}
    )

    clear = _clear(entry)

    assert (clear.action, clear.operation) == ("auth.session.login", "")
    assert list(clear.fields) == []
    assert subject_part(entry).detail == '{"aal":2}'


@pytest.mark.parametrize(
    ("kind", "detail", "outcome", "count"),
    [
        ("access", {"outcome": "OK"}, Outcome.OUTCOME_SUCCESS, 1),
        ("access", {"outcome": "NOT_FOUND"}, Outcome.OUTCOME_REFUSED, 1),
        ("refusal", {"reason": "UNAUTHENTICATED", "count": 40}, Outcome.OUTCOME_REFUSED, 40),
        ("access", None, Outcome.OUTCOME_SUCCESS, 1),
    ],
)
def test_the_outcome_and_the_count_are_told_in_clear(
    kind: str, detail: dict[str, Any] | None, outcome: Outcome, count: int
) -> None:
    """What was refused shows without any key, and how often."""
    clear = _clear(replace(CHANGE, kind=kind, before=None, after=detail))

    assert (clear.outcome, clear.count) == (outcome, count)


def test_an_emergency_shows_in_clear() -> None:
    """Break-glass and a stale proof of identity are nobody's secret."""
    entry = replace(
        CHANGE,
        kind="access",
        before=None,
        after={"break_glass": True, "categories": ["identity"]},
        context={**CONTEXT, "auth_degraded": True},
    )

    clear = _clear(entry)

    assert (clear.break_glass, clear.auth_degraded) == (True, True)
    assert list(clear.fields) == ["identity"]


def test_what_is_too_large_is_cut_to_what_a_leaf_holds() -> None:
    """No row, whatever its columns, makes a clear part that the log would refuse."""
    wide = {f"{n:04}" + "é" * 200: n for n in range(500)}
    words = dict.fromkeys(("method", "action", "purpose"), "x\0" * 5000)
    entry = replace(CHANGE, before=None, after=wide, entity="e" * 5000, context=words)

    clear = _clear(entry)

    assert len(clear.fields) == MAX_FIELDS
    assert max(len(field.encode()) for field in clear.fields) <= MAX_FIELD
    assert "\0" not in clear.method
    assert len(clear.SerializeToString()) < 8 * 1024


def test_enormous_values_are_left_out() -> None:
    """Values beyond a message's size are told by their size, so that the event still passes."""
    part = subject_part(replace(CHANGE, after={"text": "x" * (MAX_JSON + 1)}))

    assert part.after == f'{{"left_out_bytes":{MAX_JSON + 12}}}'


def test_parts_are_bound_to_their_event_and_role() -> None:
    """Another event, organization, key or part has other associated data."""
    same = {"event_id": "e", "organization": "o", "key": "k"}
    bound = {
        associated(Part.SUBJECT, **same),
        associated(Part.ACTOR, **same),
        *(associated(Part.SUBJECT, **{**same, name: "x"}) for name in same),
    }

    assert len(bound) == 5
