"""A database of an earlier version is taken over."""

from core.database.migrations import migrate
from tests.support.clinics import clinic
from tests.support.hl7_desks import HL7, hl7
from tests.support.hl7_messages import GLUCOSE, adt, obx, oru

__all__ = ["clinic", "hl7"]

# What versions since have added, taken away again, as the superuser may.
_EARLIER = """
    SET session_replication_role = replica;
    ALTER TABLE observation DROP COLUMN order_system, DROP COLUMN sent_status;
    UPDATE medhub.alembic_version SET version_num = '0007';
"""


async def test_results_of_before_can_be_corrected(hl7: HL7) -> None:
    """Nobody knows any more which laboratory they came from: the number and code decide."""
    await hl7.send(adt("A28"))
    await hl7.send(oru((obx(1, "NM", GLUCOSE, "7.1"),)))
    database = hl7.clinic.database
    assert database.urls.owner is not None
    database.rows(_EARLIER)

    migrate("clinical", database.urls.owner)

    await hl7.send(oru((obx(1, "NM", GLUCOSE, "7.3", status="C"),), control_id="2"))
    standing = "SELECT quantity FROM observation WHERE superseded_by_id IS NULL"
    assert database.rows(standing) == [{"quantity": "7.3"}]
