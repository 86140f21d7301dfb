"""The receipt of an organization's destruction in one service: a signed note.

It is signed by a key that the service has for this alone, which is handed over with the export: who
keeps it can prove later what was destroyed.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import psycopg

from core.crypto.keyring import KeyProvider
from core.crypto.note_keys import NoteSigner
from core.crypto.seal import new_key
from core.ids import new_id

HEADING = "medhub destruction receipt v1"

_KEY = "SELECT id, seed FROM medhub.offboarding_key ORDER BY id DESC LIMIT 1"
_ADD_KEY = "INSERT INTO medhub.offboarding_key (id, verifier_key, seed) VALUES (%s, %s, %s)"


def signer(
    connection: psycopg.Connection[tuple[object, ...]], service: str, keyring: KeyProvider
) -> NoteSigner:
    """The service's key for such receipts, made where there is none; as the owner."""
    found = connection.execute(_KEY).fetchone()
    if found is not None:
        key, seed = UUID(str(found[0])), bytes(found[1])  # type: ignore[call-overload]  # bytea
        return NoteSigner(_name(service, key), keyring.unwrap(seed, _purpose(service, key)))
    key, secret = new_id(), new_key()
    made = NoteSigner(_name(service, key), secret)
    wrapped = keyring.wrap(secret, _purpose(service, key))
    connection.execute(_ADD_KEY, (key, made.verifier.vkey, wrapped))
    return made


def text_of(
    service: str, organization: UUID, export: bytes, at: datetime, destroyed: Mapping[str, int]
) -> str:
    """What is signed, a fact a line: whose data, by which export, when, and how many rows."""
    lines = [
        HEADING,
        f"organization {organization}",
        f"service {service}",
        f"export {export.hex()}",
        f"destroyed {at.isoformat()}",
        *(f"rows {service}.{table} {count}" for table, count in sorted(destroyed.items())),
    ]
    return "".join(f"{line}\n" for line in lines)


def _name(service: str, key: UUID) -> str:
    return f"medhub/{service}/offboardings/{key}"


def _purpose(service: str, key: UUID) -> bytes:
    return f"medhub/{service}/offboarding-key/".encode() + key.bytes
