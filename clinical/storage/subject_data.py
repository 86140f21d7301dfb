"""What clinical holds of persons: how it knows them, and how it opens what it has sealed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, Protocol

from clinical.storage.entitlement import living
from clinical.storage.retention import TERMS
from clinical.storage.sealing import open_ack, open_raw, open_snapshot, open_value
from clinical.storage.tables import metadata
from core.crypto.organization_keys import OrganizationKey, OrganizationKeys
from core.database import Transaction
from core.subject.holdings import Holdings
from core.subject.person import Person

_Row = Mapping[str, Any]


class _Opens(Protocol):
    """Whom the rows are shown to makes no difference: the key is the organization's."""

    async def __call__(
        self, tx: Transaction, rows: Sequence[_Row], person: Person | None = None, /
    ) -> Sequence[Mapping[str, object]]:
        """For each row, in its order, the values to show in place of what is stored."""


# A merge makes one person of several patients: whoever is asked about, it is all of them.
_SAME_PERSON: Final = f"""SELECT DISTINCT m.id FROM patient p
    JOIN patient m ON m.id = {living("p")} OR m.survivor_id = {living("p")}
    WHERE p.id = ANY (:people)"""  # noqa: S608 - constants of these modules alone

# A row that refers to a patient shares this lock, so none is added while the patient is erased.
_LOCK: Final = "SELECT p.id FROM patient p WHERE p.id = ANY (:people) ORDER BY p.id FOR UPDATE"


def holdings(keys: OrganizationKeys) -> Holdings:
    """The tables of clinical, for the subject contract."""
    return Holdings(
        "clinical",
        metadata,
        registers={"patient": _SAME_PERSON},
        opens=opens(keys),
        terms=TERMS,
        locks={"patient": _LOCK},
    )


def opens(keys: OrganizationKeys) -> dict[str, _Opens]:
    """By table, how what it holds sealed is opened: for a person, or for the organization."""

    def opening(opened: Callable[[OrganizationKey, _Row], Mapping[str, object]]) -> _Opens:
        async def opened_rows(
            tx: Transaction, rows: Sequence[_Row], _person: Person | None = None
        ) -> list[Mapping[str, object]]:
            key = await keys.of(tx)
            return [opened(key, row) for row in rows]

        return opened_rows

    return {
        "patient_identifier": opening(_identifier),
        "patient_revision": opening(_revision),
        "hl7_bytes": opening(_bytes),
    }


def _identifier(key: OrganizationKey, row: _Row) -> Mapping[str, object]:
    return {"value": open_value(key, row["patient_id"], row["value"])}


def _revision(key: OrganizationKey, row: _Row) -> Mapping[str, object]:
    return {"snapshot": asdict(open_snapshot(key, row["patient_id"], row["snapshot"]))}


def _bytes(key: OrganizationKey, row: _Row) -> Mapping[str, object]:
    message = row["message_id"]
    return {
        "raw": open_raw(key, message, row["raw"]),
        "ack": open_ack(key, message, row["ack"]),
        "application_ack": open_ack(key, message, row["application_ack"]),
    }
