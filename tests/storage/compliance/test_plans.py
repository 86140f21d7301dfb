"""The statements that a long log is read by, planned as the app role behind row-level security."""

from datetime import UTC, datetime

import pytest

from compliance.servicers.appending import append
from compliance.storage import events as statements
from compliance.storage import keys, logs, tiles
from compliance.storage.store import Store
from core.database import Database
from core.ids import new_id
from tests.support.audit import arrivals, events
from tests.support.plans import plan_of
from tests.support.postgres import as_caller

LATEST = datetime(9999, 12, 31, tzinfo=UTC)
SEARCH = {
    "any_source": True,
    "source": "",
    "any_method": True,
    "method": "",
    "any_kind": True,
    "kind": 0,
    "start": datetime(1970, 1, 1, tzinfo=UTC),
    "end": LATEST,
    "before": LATEST,
    "before_leaf": 2**63 - 1,
    "limit": 51,
}


@pytest.fixture
async def tenant(db: Database, store: Store) -> None:
    """An organization with a log, in the call."""
    organization = new_id()
    await append(store, arrivals(events(organization, range(1, 300))))
    as_caller(organization=organization)


@pytest.mark.usefixtures("tenant")
async def test_pages_come_in_the_order_of_an_index(db: Database) -> None:
    """Neither the whole trail nor a person's is read and sorted for one page."""
    page = await plan_of(db, statements._PAGE, **SEARCH)
    person = await plan_of(db, statements._PAGE_OF_PERSON, person=new_id(), **SEARCH)

    assert "ix_audit_event_occurred_at_leaf_index" in page
    assert "ix_audit_event_subject_ref_occurred_at_leaf_index" in person
    assert "ix_audit_event_actor_ref_occurred_at_leaf_index" in person
    assert "Sort  (" not in page + person
    assert "Seq Scan" not in page + person


@pytest.mark.usefixtures("tenant")
async def test_single_things_are_found_by_their_keys(db: Database) -> None:
    """Events by id, leaves by index, tiles by place, keys by id: none scans a table."""
    plans = [
        await plan_of(db, statements._GET, id=new_id()),
        await plan_of(db, statements._HELD, ids=[new_id()]),
        await plan_of(db, statements._BUNDLE, start=0, end=256),
        await plan_of(db, tiles._READ, levels=[0, 1], indexes=[1, 0]),
        await plan_of(db, logs._NEWEST),
        await plan_of(db, keys._SUBJECTS_BY_ID, ids=[new_id()]),
        await plan_of(db, keys._SUBJECTS, subjects=["patients/1"], classes=["audit"]),
        await plan_of(db, keys._REFERENCE, subject="patients/1", retention_class="audit"),
    ]

    assert [plan for plan in plans if "Seq Scan" in plan] == []
