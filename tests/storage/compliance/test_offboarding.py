"""Of an organization that has left nothing is taken in any more."""

from uuid import UUID

import pytest

from compliance.domain.keys import AUDIT, KeyDestroyed, KeyWanted
from compliance.servicers.appending import append
from compliance.storage.store import Store
from core.ids import new_id
from tests.support.audit import arrivals, events
from tests.support.postgres import ServiceDatabase

_LEFT = """INSERT INTO medhub.offboarding
    (organization_id, export_digest, suspended_at, exported_at, begun_at)
    VALUES (%s, '', now(), now(), now())"""


def _left(compliance: ServiceDatabase) -> UUID:
    organization = new_id()
    compliance.rows(_LEFT, organization)
    return organization


async def test_a_late_event_makes_no_new_log(store: Store, compliance: ServiceDatabase) -> None:
    """It is dropped and answered, so that the relay's other events go on."""
    left, other = _left(compliance), new_id()

    indexes = await append(store, arrivals([*events(left, [1]), *events(other, [1])]))

    logs = compliance.rows("SELECT organization_id FROM audit_log")
    assert indexes == [-1, 0]
    assert [row["organization_id"] for row in logs] == [other]


async def test_no_new_key_is_made(store: Store, compliance: ServiceDatabase) -> None:
    """The link from a person to a reference would be all that is left of them."""
    left = _left(compliance)

    async with store.begin_for(left) as tx:
        with pytest.raises(KeyDestroyed):
            await tx.keys.provision([KeyWanted(f"patients/{new_id()}", AUDIT, "2026-11")])

    assert compliance.rows("SELECT 1 FROM subject_key") == []
