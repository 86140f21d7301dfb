"""Destroying what a service holds of an organization, as the owner of its database.

No server can: the triggers that record what is deleted, and that guard the books, stand aside for
the owner alone. Keys go first, so whatever is still there a moment later cannot be read; then the
rows, some at a time, so that other organizations wait for nothing. Broken off, it is repeated, and
goes on where it stopped.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from sqlalchemy import Table

from core import clock
from core.crypto.keyring import KeyProvider
from core.crypto.signed_notes import signed
from core.offboarding import receipts
from core.offboarding.belongings import Belonging, Belongings

ACTION = "organization.data.destroy"
ROWS_AT_A_TIME = 10_000
"""Deleted in one transaction: a second or so, for which nobody waits."""

VACUUM_FROM = 10_000
"""Rows deleted of one table, from which on what is left of them in indexes is cleared at once."""

CONNECT_SECONDS = 10
LOCK_TIMEOUT = "10s"
"""Longest wait for a row that a server holds: an organization that is suspended holds none."""

# One destruction in a database at a time.
_TURN = "SELECT pg_advisory_lock(hashtext('medhub.offboarding'))"
_SETTINGS = """SELECT set_config('medhub.destroying', 'on', false),
    set_config('medhub.context', %s, false), set_config('lock_timeout', %s, false)"""
_STATE = """SELECT export_digest, suspended_at, begun_at, destroyed_at, destroyed, receipt
    FROM medhub.offboarding WHERE organization_id = %s"""
_EXPORTED = """INSERT INTO medhub.offboarding
        (organization_id, export_digest, suspended_at, exported_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (organization_id) DO UPDATE SET export_digest = EXCLUDED.export_digest,
        suspended_at = EXCLUDED.suspended_at, exported_at = EXCLUDED.exported_at
    WHERE medhub.offboarding.begun_at IS NULL"""
_WAITING = """SELECT (SELECT count(*) FROM medhub.audit_outbox WHERE organization_id = %(of)s)
    + (SELECT count(*) FROM medhub.fact_outbox WHERE organization_id = %(of)s)"""
_BEGIN = "UPDATE medhub.offboarding SET begun_at = %s WHERE organization_id = %s"
_COUNT = """UPDATE medhub.offboarding SET destroyed = destroyed
    || jsonb_build_object(%(table)s::text,
                          COALESCE((destroyed ->> %(table)s)::bigint, 0) + %(count)s)
    WHERE organization_id = %(of)s RETURNING destroyed"""
_END = "UPDATE medhub.offboarding SET destroyed_at = %s, receipt = %s WHERE organization_id = %s"
_RECORD = "SELECT medhub.record_act(%s, NULL, '', %s, %s::jsonb)"
# What the owner keeps beside the tables: remembered requests, and records with their numbers.
_BESIDE = (
    "medhub.request_key",
    "medhub.audit_outbox",
    "medhub.fact_outbox",
    "medhub.relay_counter",
)

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


class NotReady(Exception):
    """Nothing was destroyed; the text says why."""


@dataclass(frozen=True, slots=True)
class Offboarding:
    """What a service knows of an organization that leaves."""

    export_digest: bytes
    suspended_at: datetime
    begun_at: datetime | None
    destroyed_at: datetime | None
    destroyed: dict[str, int]
    receipt: bytes | None


class Destruction:
    """The owner's part in one service's database."""

    def __init__(self, owner_url: str, belongings: Belongings, keyring: KeyProvider) -> None:
        self._url = owner_url
        self._belongings = belongings
        self._service = belongings.service
        self._keyring = keyring

    def verifier_key(self) -> str:
        """The public key that will sign the receipt; made where there is none yet."""
        with self._connected() as connection, connection.transaction():
            return receipts.signer(connection, self._service, self._keyring).verifier.vkey

    def waiting(self, organization: UUID) -> int:
        """How many records of the organization have not left for the trail and for analytics."""
        with self._connected() as connection:
            return int(_one(connection, _WAITING, {"of": organization})[0])

    def state(self, organization: UUID) -> Offboarding | None:
        """How far it is; None where nothing was handed over."""
        with self._connected() as connection:
            return _state(connection, organization)

    def exported(self, organization: UUID, digest: bytes, suspended_at: datetime) -> None:
        """Keep that everything was handed over, by this digest. Raises NotReady when it began."""
        with self._connected() as connection, connection.transaction():
            values = (organization, digest, suspended_at, clock.now())
            if not connection.execute(_EXPORTED, values).rowcount:
                raise NotReady(f"{self._service}: the destruction has begun")

    def begin(self, organization: UUID, digest: bytes) -> None:
        """From here on there is no way back, and nothing is destroyed yet.

        Every service begins before one destroys: an organization that leaves is not let in again
        meanwhile. Raises NotReady.
        """
        with self._connected() as connection, connection.transaction():
            found = self._handed_over(connection, organization, digest)
            if found.begun_at is None:
                if _one(connection, _WAITING, {"of": organization})[0]:
                    raise NotReady(f"{self._service}: records are on their way to the trail")
                connection.execute(_BEGIN, (clock.now(), organization))

    def destroy(self, organization: UUID, digest: bytes) -> bytes:
        """Destroy everything that was handed over by this digest; the receipt.

        Whoever asks again is given the first one. Raises NotReady where it has not begun.
        """
        with self._connected() as connection:
            connection.execute(_TURN)
            found = self._handed_over(connection, organization, digest)
            if found.receipt is not None:
                return found.receipt
            if found.begun_at is None:
                raise NotReady(f"{self._service}: the destruction has not begun")
            self._empty_all(connection, organization)
            return self._end(connection, organization, digest)

    def redo(self, organization: UUID, known: Offboarding) -> bool:
        """Destroy again what a backup has brought back; False where the backup knows of it."""
        with self._connected() as connection:
            connection.execute(_TURN)
            found = _state(connection, organization)
            if found is not None and found.receipt is not None:
                return False
            with connection.transaction():
                now = clock.now()
                values = (organization, known.export_digest, known.suspended_at, now)
                connection.execute(_EXPORTED, values)
                connection.execute(_BEGIN, (now, organization))
            self._empty_all(connection, organization)
            with connection.transaction():
                self._sweep(connection, organization)
                connection.execute(_END, (known.destroyed_at, known.receipt, organization))
                self._record(connection, organization, {"after": "restore"})
        return True

    def _handed_over(
        self, connection: Connection, organization: UUID, digest: bytes
    ) -> Offboarding:
        found = _state(connection, organization)
        if found is None or found.export_digest != digest:
            raise NotReady(f"{self._service} has handed over nothing by this digest")
        return found

    def _in_order(self) -> list[Belonging]:
        """Keys first; then what refers to a row before the row."""
        tables = self._belongings.tables()[::-1]
        first = [one for one in tables if one.table.name in self._belongings.keys]
        return [*first, *(one for one in tables if one not in first)]

    def _empty_all(self, connection: Connection, organization: UUID) -> None:
        for belonging in self._in_order():
            self._empty(connection, belonging, organization)

    def _empty(self, connection: Connection, belonging: Belonging, organization: UUID) -> None:
        table = belonging.table
        asked, gone, whole = _deleting(belonging), ROWS_AT_A_TIME, 0
        while gone == ROWS_AT_A_TIME:
            with connection.transaction():
                gone = connection.execute(asked, {"organization_id": organization}).rowcount
                counted = {"table": table.name, "count": gone, "of": organization}
                connection.execute(_COUNT, counted)
            whole += gone
        if whole >= VACUUM_FROM:
            # For each row that goes next, PostgreSQL looks for rows of this table that refer to it.
            connection.execute(f"VACUUM public.{table.name}")

    def _end(self, connection: Connection, organization: UUID, digest: bytes) -> bytes:
        """Nothing is left: sign for it, and let the platform's trail know."""
        with connection.transaction():
            self._sweep(connection, organization)
            now = clock.now()
            destroyed = _one(connection, _STATE, (organization,))[4]
            text = receipts.text_of(self._service, organization, digest, now, destroyed)
            note = signed(text, receipts.signer(connection, self._service, self._keyring))
            connection.execute(_END, (now, note, organization))
            self._record(connection, organization, {"export": digest.hex()})
        return note

    def _sweep(self, connection: Connection, organization: UUID) -> None:
        """What the owner keeps beside the tables; and a look at each table. Raises NotReady."""
        for table in _BESIDE:
            connection.execute(f"DELETE FROM {table} WHERE organization_id = %s", (organization,))  # noqa: S608 - constants
        for belonging in self._belongings.tables():
            if _one(connection, _left(belonging), {"organization_id": organization})[0]:
                name = f"{self._service}.{belonging.table.name}"
                raise NotReady(f"{name}: rows were added meanwhile; try again")

    def _record(self, connection: Connection, organization: UUID, detail: dict[str, str]) -> None:
        """The act, in the platform's own trail: the organization's is gone."""
        named = f"organizations/{organization}"
        connection.execute(_RECORD, (ACTION, named, json.dumps(detail)))

    def _connected(self) -> Connection:
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_SECONDS)
        context = {
            "actor": None,
            "actor_kind": "operator",
            "session": None,
            "method": f"{self._service}.offboard",
            "action": ACTION,
            "purpose": "operation",
            "trace": "",
            "peer": "",
            "on_behalf": None,
        }
        connection.execute(_SETTINGS, (json.dumps(context), LOCK_TIMEOUT))
        return connection


def _state(connection: Connection, organization: UUID) -> Offboarding | None:
    row = connection.execute(_STATE, (organization,)).fetchone()
    return None if row is None else Offboarding(*row)


def _one(connection: Connection, asked: str, values: Any) -> tuple[Any, ...]:
    row = connection.execute(asked, values).fetchone()
    if row is None:
        raise LookupError("a row was meant to be there")
    return tuple(row)


def _deleting(belonging: Belonging) -> str:
    """Some of the rows; all at once where they refer to each other."""
    name, where = belonging.table.name, _condition(belonging)
    if _refers_to_itself(belonging.table):
        return f"DELETE FROM public.{name} t0 WHERE {where}"  # noqa: S608 - declared
    return f"""DELETE FROM public.{name} WHERE ctid = ANY (ARRAY(
        SELECT t0.ctid FROM public.{name} t0 WHERE {where} LIMIT {ROWS_AT_A_TIME}))"""  # noqa: S608 - declared


def _left(belonging: Belonging) -> str:
    return f"SELECT EXISTS (SELECT FROM public.{belonging.table.name} t0 WHERE {_condition(belonging)})"  # noqa: E501, S608 - declared


def _condition(belonging: Belonging) -> str:
    return belonging.where.replace(":organization_id", "%(organization_id)s")


def _refers_to_itself(table: Table) -> bool:
    return any(one.referred_table is table for one in table.foreign_key_constraints)
