"""Rows of patients: reads behind care links, changes under locks."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from clinical.domain.identifiers import IdentifierTaken, PatientIdentifier
from clinical.domain.patients import Patient, Sex, Traits
from clinical.domain.registration import Holder, Known
from clinical.domain.search_keys import keys_of
from clinical.storage.entitlement import how_opened, is_linked, living, question
from clinical.storage.patient_rows import (
    COLUMNS,
    IDENTIFIERS,
    identifier_parameters,
    patient_of,
    trait_parameters,
)
from clinical.storage.sealing import index_of, lock_number, open_snapshot, seal_snapshot
from clinical.storage.sql import sql
from core.crypto.organization_keys import OrganizationKey
from core.database import ConstraintViolated, Transaction
from core.errors import NotFound, PersonRestricted
from core.ids import new_id

GetKey: TypeAlias = Callable[[], Awaitable[OrganizationKey]]

_TIME: Final = TIMESTAMP(timezone=True)
_TRAITS: Final[dict[str, Any]] = {
    "id": Uuid,
    **dict.fromkeys(
        (
            "birth_name",
            "used_name",
            "birth_given_names",
            "first_birth_given_name",
            "birth_date",
            "sex",
            "birth_place_code",
            "death_date",
            "identity_status",
        ),
        Text,
    ),
    "updated_at": _TIME,
    "deleted_at": _TIME,
    "revision": Integer,
}
_NUMBERS: Final[dict[str, Any]] = {
    "row_ids": ARRAY(Uuid),
    "positions": ARRAY(Integer),
    "systems": ARRAY(Text),
    "types": ARRAY(Text),
    "numbers": ARRAY(LargeBinary),
    "indexes": ARRAY(LargeBinary),
    "uses": ARRAY(Text),
    "helds": ARRAY(Boolean),
}

# The hot statement: whatever the caller is shown of one patient, and whether they may see it.
GET: Final = question(
    f"""SELECT {COLUMNS} FROM patient asked
    JOIN patient p ON p.id = {living("asked")} {IDENTIFIERS}
    WHERE asked.id = :id AND {is_linked("p")}""",
    f"""SELECT {COLUMNS}, o.granted FROM patient asked
    JOIN patient p ON p.id = {living("asked")} {IDENTIFIERS}
    CROSS JOIN {how_opened("p")}
    WHERE asked.id = :id AND (o.is_linked OR o.granted IS NOT NULL)""",
    person="id",
    id=Uuid,
)
_READ: Final = sql(f"SELECT {COLUMNS} FROM patient p {IDENTIFIERS} WHERE p.id = :id", id=Uuid)
# Rows are locked first and read by the next statement: only then are the identifiers those that
# the transaction which held the lock has left behind.
_LOCK: Final = sql("SELECT p.id FROM patient p WHERE p.id = :id FOR NO KEY UPDATE", id=Uuid)
_LOCK_LINKED: Final = sql(
    f"""SELECT p.id FROM patient p
    WHERE p.id = ANY (:ids) AND {is_linked("p")} ORDER BY p.id FOR NO KEY UPDATE OF p""",
    ids=ARRAY(Uuid),
    subject=Uuid,
)
# The keys come sorted, and unnest gives them in that order: two callers never wait crosswise.
_TAKE_LOCKS: Final = sql(
    "SELECT count(pg_advisory_xact_lock(k)) FROM unnest(:keys) AS k", keys=ARRAY(BigInteger)
)
_HOLDERS: Final = sql(
    f"""SELECT a.place, x.patient_id, v.id AS living, v.deleted_at IS NOT NULL AS is_deleted
    FROM unnest(:systems, :indexes) WITH ORDINALITY AS a(system, value_index, place)
    JOIN patient_identifier x ON x.system = a.system AND x.value_index = a.value_index AND x.is_held
    JOIN patient m ON m.id = x.patient_id
    JOIN patient v ON v.id = {living("m")}
    ORDER BY a.place""",
    systems=ARRAY(Text),
    indexes=ARRAY(LargeBinary),
)
DELETED: Final = sql(
    """SELECT 1 FROM unnest(:systems, :indexes) AS a(system, value_index)
    JOIN patient_identifier x ON x.system = a.system AND x.value_index = a.value_index
        AND NOT x.is_held
    JOIN patient m ON m.id = x.patient_id
    WHERE x.use <> 'OLD' AND m.deleted_at IS NOT NULL LIMIT 1""",
    systems=ARRAY(Text),
    indexes=ARRAY(LargeBinary),
)
_KNOWN: Final = sql(
    f"""SELECT a.place, v.id, v.birth_name, v.birth_date, v.sex
    FROM unnest(:systems, :indexes) WITH ORDINALITY AS a(system, value_index, place)
    JOIN patient_identifier x ON x.system = a.system AND x.value_index = a.value_index
    JOIN patient m ON m.id = x.patient_id
    JOIN patient v ON v.id = {living("m")}
    WHERE x.is_held OR (x.use <> 'OLD' AND m.deleted_at IS NOT NULL)
    ORDER BY a.place, x.is_held, x.id""",
    systems=ARRAY(Text),
    indexes=ARRAY(LargeBinary),
)
_ADD_ROWS: Final = """INSERT INTO patient_identifier (organization_id, id, patient_id, position,
        system, type, value, value_index, use, is_held)
    SELECT :organization_id, n.id, :id, n.position, n.system, n.type, n.value, n.value_index,
        n.use, n.is_held
    FROM unnest(:row_ids, :positions, :systems, :types, :numbers, :indexes, :uses, :helds)
        AS n(id, position, system, type, value, value_index, use, is_held)"""
_ADD_KEYS: Final = """INSERT INTO patient_search_key (organization_id, key, patient_id)
    SELECT :organization_id, k, :id FROM unnest(:keys) AS k"""
_ADD_REVISION: Final = """INSERT INTO patient_revision
    (organization_id, patient_id, revision, snapshot)
    VALUES (:organization_id, :id, :revision, :snapshot)"""
# One statement for the whole patient: one round trip, and the triggers of each table run once.
_ADD: Final = sql(
    f"""WITH made AS (
        INSERT INTO patient (organization_id, id, birth_name, used_name, birth_given_names,
            first_birth_given_name, birth_date, sex, birth_place_code, death_date,
            identity_status, created_at, updated_at, deleted_at, revision)
        VALUES (:organization_id, :id, :birth_name, :used_name, :birth_given_names,
            :first_birth_given_name, :birth_date, :sex, :birth_place_code, :death_date,
            :identity_status, :updated_at, :updated_at, :deleted_at, :revision)),
    numbered AS ({_ADD_ROWS}), keyed AS ({_ADD_KEYS}), kept AS ({_ADD_REVISION})
    INSERT INTO care_link (organization_id, id, patient_id, practitioner_id, user_id, kind,
        started_at)
    SELECT :organization_id, :link_id, :id, r.id, CASE WHEN r.id IS NULL THEN :registrar END,
        'REGISTRATION', LEAST(:updated_at, now())
    FROM (SELECT 1) AS one LEFT JOIN practitioner r ON r.user_id = :registrar
    WHERE :registrar IS NOT NULL""",
    organization_id=Uuid,
    **_TRAITS,
    **_NUMBERS,
    keys=ARRAY(Text),
    snapshot=LargeBinary,
    link_id=Uuid,
    registrar=Uuid,
)
_SAVE: Final = sql(
    f"""WITH kept AS ({_ADD_REVISION})
    UPDATE patient SET birth_name = :birth_name, used_name = :used_name,
        birth_given_names = :birth_given_names,
        first_birth_given_name = :first_birth_given_name, birth_date = :birth_date, sex = :sex,
        birth_place_code = :birth_place_code, death_date = :death_date,
        identity_status = :identity_status, updated_at = :updated_at, deleted_at = :deleted_at,
        revision = :revision
    WHERE id = :id""",
    organization_id=Uuid,
    **_TRAITS,
    snapshot=LargeBinary,
)
_DROP_ROWS: Final = sql(
    """DELETE FROM patient_identifier x WHERE x.patient_id = :id AND NOT EXISTS (
        SELECT FROM unnest(:systems, :types, :indexes, :uses) AS n(system, type, value_index, use)
        WHERE (n.system, n.type, n.value_index, n.use)
            = (x.system, x.type, x.value_index, x.use))""",
    id=Uuid,
    systems=ARRAY(Text),
    types=ARRAY(Text),
    indexes=ARRAY(LargeBinary),
    uses=ARRAY(Text),
)
_ADD_NEW_ROWS: Final = sql(
    f"""{_ADD_ROWS} WHERE NOT EXISTS (SELECT FROM patient_identifier x
        WHERE x.patient_id = :id AND (n.system, n.type, n.value_index, n.use)
            = (x.system, x.type, x.value_index, x.use))""",
    organization_id=Uuid,
    id=Uuid,
    **_NUMBERS,
)
_ORDER_ROWS: Final = sql(
    """UPDATE patient_identifier x SET position = n.position, is_held = n.is_held
    FROM unnest(:positions, :systems, :indexes, :uses, :helds)
        AS n(position, system, value_index, use, is_held)
    WHERE x.patient_id = :id AND x.system = n.system AND x.value_index = n.value_index
        AND x.use = n.use AND (x.position, x.is_held) <> (n.position, n.is_held)""",
    id=Uuid,
    positions=ARRAY(Integer),
    systems=ARRAY(Text),
    indexes=ARRAY(LargeBinary),
    uses=ARRAY(Text),
    helds=ARRAY(Boolean),
)
_DROP_KEYS: Final = sql(
    "DELETE FROM patient_search_key WHERE patient_id = :id AND NOT key = ANY (:keys)",
    id=Uuid,
    keys=ARRAY(Text),
)
_ADD_MORE_KEYS: Final = sql(
    f"{_ADD_KEYS} ON CONFLICT DO NOTHING", organization_id=Uuid, id=Uuid, keys=ARRAY(Text)
)
_REVISION: Final = sql(
    "SELECT snapshot FROM patient_revision WHERE patient_id = :id AND revision = :revision",
    id=Uuid,
    revision=Integer,
)

_HELD: Final = "ix_patient_identifier_system_value_index"


class Patients:
    """Patients in one transaction."""

    def __init__(self, tx: Transaction, key: GetKey) -> None:
        self._tx = tx
        self._key = key

    async def get(self, row: UUID) -> Patient:
        """The living patient behind `row`, if a link or a grant opens it. Raises NotFound."""
        found = await GET.one(self._tx.one, self._tx.call, id=row)
        if found is None:
            raise NotFound
        return patient_of(found, await self._key())

    async def lock(self, *rows: UUID) -> list[Patient]:
        """Patients linked to the caller, as they stand, locked in id order.

        Returned in the order asked for. Raises NotFound when one is not there for the caller.
        """
        locked = await self._tx.all(_LOCK_LINKED, ids=list(rows), subject=self._tx.subject)
        if len(locked) != len(set(rows)):
            raise NotFound
        return [await self._read(row) for row in rows]

    async def lock_any(self, *rows: UUID) -> list[Patient]:
        """Patients locked in id order, linked or not: for senders that speak for the hospital."""
        for row in sorted(set(rows)):
            if await self._tx.one(_LOCK, id=row) is None:
                raise NotFound
        return [await self._read(row) for row in rows]

    async def holders(self, identifiers: Sequence[PatientIdentifier]) -> dict[int, Holder]:
        """Who holds which of these, by place in the sequence."""
        found = await self._tx.all(_HOLDERS, **await self._asked(identifiers))
        return {row.place - 1: Holder(row.patient_id, row.living, row.is_deleted) for row in found}

    async def are_deleted(self, identifiers: Sequence[PatientIdentifier]) -> bool:
        """Whether a deleted patient would hold one of these."""
        return await self._tx.one(DELETED, **await self._asked(identifiers)) is not None

    async def known(self, identifiers: Sequence[PatientIdentifier]) -> dict[int, Known]:
        """Whose numbers these are, deleted patients' too, by place in the sequence."""
        found = await self._tx.all(_KNOWN, **await self._asked(identifiers))
        # Of several the last stays, which is the one who holds the number.
        return {
            row.place - 1: Known(
                row.id,
                Traits(birth_name=row.birth_name, birth_date=row.birth_date, sex=Sex(row.sex)),
            )
            for row in found
        }

    async def claim(self, identifiers: Sequence[PatientIdentifier]) -> None:
        """Make every other transaction that wants one of these wait for the end of this one."""
        key, organization = await self._key(), self._tx.organization
        if organization is None:
            raise LookupError("patients belong to an organization")
        locks = {
            lock_number(organization, one.system, index_of(key, one.value))
            for one in identifiers
            if one.in_use
        }
        if locks:
            self._tx.soon(_TAKE_LOCKS, keys=sorted(locks))

    async def add(self, patient: Patient, *, registrar: UUID | None, claimed: bool = False) -> None:
        """A new patient; `registrar` is linked to them. Raises IdentifierTaken.

        `claimed` says that this transaction has claimed the identifiers and found them free.
        """
        if not claimed:
            await self._check_free(patient)
        key = await self._key()
        with _held_by_nobody_hidden():
            await self._tx.run(
                _ADD,
                **trait_parameters(patient),
                **identifier_parameters(patient, key),
                keys=sorted(keys_of(patient.traits)),
                snapshot=seal_snapshot(key, patient),
                link_id=new_id(),
                registrar=registrar,
            )

    async def save(self, before: Patient, after: Patient) -> None:
        """A changed patient whose row this transaction has locked. Raises IdentifierTaken."""
        if after == before:
            return
        key = await self._key()
        if (after.identifiers, after.deleted_at) != (before.identifiers, before.deleted_at):
            await self._save_identifiers(after, key)
        if after.traits != before.traits:
            keys = sorted(keys_of(after.traits))
            await self._tx.run(_DROP_KEYS, id=after.id, keys=keys)
            await self._tx.run(_ADD_MORE_KEYS, id=after.id, keys=keys)
        snapshot = seal_snapshot(key, after)
        await self._tx.run(_SAVE, **trait_parameters(after), snapshot=snapshot)

    async def at_revision(self, row: UUID, revision: int) -> Patient:
        """The patient as an earlier call left it, for the answer to its repetition.

        Whoever may open the living patient may see it. Raises NotFound.
        """
        shown = await self.get(row)
        if (shown.id, shown.revision) == (row, revision):
            return shown
        found = await self._tx.one(_REVISION, id=row, revision=revision)
        if found is None:
            raise NotFound
        return open_snapshot(await self._key(), row, found.snapshot)

    async def _asked(self, identifiers: Sequence[PatientIdentifier]) -> dict[str, list[Any]]:
        key = await self._key()
        return {
            "systems": [one.system for one in identifiers],
            "indexes": [index_of(key, one.value) for one in identifiers],
        }

    async def _read(self, row: UUID) -> Patient:
        found = await self._tx.one(_READ, id=row)
        if found is None:
            raise NotFound
        return patient_of(found, await self._key())

    async def _check_free(self, patient: Patient) -> None:
        """Nobody else holds what this patient is to hold, until this transaction ends."""
        if patient.deleted_at is not None or not patient.identifiers:
            return
        await self.claim(patient.identifiers)
        for place, holder in (await self.holders(patient.identifiers)).items():
            if holder.patient != patient.id and patient.identifiers[place].in_use:
                raise IdentifierTaken(place, holder.patient)

    async def _save_identifiers(self, after: Patient, key: OrganizationKey) -> None:
        await self._check_free(after)
        rows = identifier_parameters(after, key)
        kept = {name: rows[name] for name in ("systems", "types", "indexes", "uses")}
        await self._tx.run(_DROP_ROWS, id=after.id, **kept)
        placed = {name: rows[name] for name in ("positions", "systems", "indexes", "uses", "helds")}
        with _held_by_nobody_hidden():
            await self._tx.run(_ADD_NEW_ROWS, id=after.id, **rows)
            await self._tx.run(_ORDER_ROWS, id=after.id, **placed)


@contextmanager
def _held_by_nobody_hidden() -> Iterator[None]:
    """A number that was found free and is not is that of a patient whose data are restricted."""
    try:
        yield
    except ConstraintViolated as broken:
        if broken.name == _HELD:
            raise PersonRestricted from broken
        raise
