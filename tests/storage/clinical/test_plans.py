"""The statements that every read and every message runs find their rows by an index."""

from typing import Any

import pytest

from clinical.storage import (
    care_links,
    encounters,
    endpoints,
    hl7_messages,
    observations,
    patient_lists,
    patients,
)
from core.database import Statement
from core.ids import new_id
from tests.support.clinics import Clinic, clinic, enter
from tests.support.plans import plan_of

__all__ = ["clinic"]

SOME = new_id()
NUMBER = {"system": "CHU-X", "value_index": bytes(32)}
WORDS = {"word": "martin", "word_end": "martio", "words": ["a"], "word_ends": ["b"]}
_BY_WORDS, _BY_NUMBER, _BY_DATE = (True, False, False), (False, False, True), (False, True, False)
HOT: list[tuple[str, Statement, dict[str, Any]]] = [
    ("a patient", patients.GET, {"id": SOME, "subject": SOME}),
    ("a patient to change", patients._LOCK_LINKED, {"ids": [SOME], "subject": SOME}),
    ("who holds a number", patients._HOLDERS, {"systems": ["X"], "indexes": [bytes(32)]}),
    ("my patients", patient_lists.FIRST, {"subject": SOME, "show_deleted": False, "limit": 50}),
    (
        "my patients by name",
        patient_lists._SEARCH[_BY_WORDS],
        {"subject": SOME, "limit": 50, **WORDS},
    ),
    ("patients by name", patient_lists._LOOKUP[_BY_WORDS], {"limit": 50, **WORDS}),
    ("patients by number", patient_lists._LOOKUP[_BY_NUMBER], {"limit": 50, **NUMBER}),
    (
        "patients by birth date",
        patient_lists._LOOKUP[_BY_DATE],
        {"limit": 50, "birth_date": "1980-05-17"},
    ),
    ("the links of a patient", care_links._FIRST, {"living": SOME, "limit": 50}),
    ("a stay", encounters.GET_LINKED, {"id": SOME, "subject": SOME}),
    ("a visit", encounters._LOCK_VISIT, {"living": SOME, "system": "X", "number": "1"}),
    ("the stays of a patient", encounters._FIRST, {"living": SOME, "limit": 50}),
    (
        "the results of a patient",
        observations._FIRST,
        {"living": SOME, "superseded": False, "code": "", "limit": 50},
    ),
    ("what results correct", observations._STANDING, {"orders": ["F1"], "living": SOME}),
    ("an endpoint", endpoints.TERMS, {"id": SOME}),
    ("a message of the queue", hl7_messages._CLAIM, {"id": SOME}),
    ("a message", hl7_messages._GET, {"id": SOME}),
]


@pytest.mark.parametrize(("what", "stmt", "values"), HOT, ids=[each[0] for each in HOT])
async def test_a_hot_statement_uses_an_index(
    clinic: Clinic, what: str, stmt: Statement, values: dict[str, Any]
) -> None:
    """Behind row-level security, as the app role; no table is read whole."""
    enter(new_id())

    plan = await plan_of(clinic.store.database, stmt, **values)

    assert [line.strip() for line in plan.splitlines() if "Seq Scan" in line] == []
    assert "Index" in plan
