"""What compliance holds of organizations: their trail whole, with its proofs."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict

from compliance.servicers.opening import opened
from compliance.storage.events import leaf_of
from compliance.storage.keys import Keys
from compliance.storage.tables import metadata
from core.crypto.keyring import KeyProvider
from core.database import Transaction
from core.offboarding.belongings import Belongings, OpensWhole

_COPY = "A package holds copies of what the services hold themselves."


def belongings(keys: KeyProvider) -> Belongings:
    """The tables of compliance, for an organization that leaves."""
    return Belongings(
        "compliance",
        metadata,
        belongs={"access_work": "{t}.organization_id = :organization_id"},
        keys=("subject_key", "month_key", "log_key"),
        opens={"audit_event": _opening(keys)},
        withheld={"access_package_part.content": _COPY},
    )


def _opening(provider: KeyProvider) -> OpensWhole:
    async def opens(
        tx: Transaction, rows: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, object]]:
        # The clear part and the digest stay as they are stored: they are the leaf, which proves.
        events = await opened([leaf_of(row) for row in rows], Keys(tx, provider))
        return [
            {"sealed": MessageToDict(event, preserving_proto_field_name=True)} for event in events
        ]

    return opens
