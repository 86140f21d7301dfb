"""What clinical holds of organizations: all of it, but how its work is spread."""

from clinical.storage.subject_data import opens
from clinical.storage.tables import metadata
from core.crypto.organization_keys import OrganizationKeys
from core.offboarding.belongings import Belongings


def belongings(keys: OrganizationKeys) -> Belongings:
    """The tables of clinical, for an organization that leaves."""
    return Belongings(
        "clinical",
        metadata,
        belongs={"hl7_work": "{t}.organization_id = :organization_id"},
        keys=("organization_key",),
        opens=opens(keys),
    )
