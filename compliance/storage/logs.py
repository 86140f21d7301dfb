"""The log of an organization: its size, its signing key, its checkpoints."""

import os
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.checkpoint import Checkpoint, origin_of, sign
from compliance.domain.tiles import RightEdge
from compliance.storage.offboarding import is_gone
from compliance.storage.tables import audit_log, checkpoint, log_key
from core.crypto.keyring import KeyProvider
from core.crypto.note_keys import NoteSigner
from core.crypto.seal import new_key
from core.database import Transaction, statement
from core.ids import new_id

_LOG_ID_SIZE = 16
"""Bytes: random, so that a public checkpoint tells nothing of whose log it is."""

_LOCK = statement(select(audit_log.c.log_id, audit_log.c.size).with_for_update())
_SIZE = statement(select(audit_log.c.size))
_CREATE = statement(
    upsert(audit_log)
    .values(organization_id=bindparam("organization_id"), log_id=bindparam("log_id"), size=0)
    .on_conflict_do_nothing()
)
_GROW = statement(update(audit_log).values(size=bindparam("new_size")))
_ADD_KEY = statement(insert(log_key))
_KEY = statement(select(log_key.c.id, log_key.c.seed).order_by(log_key.c.id.desc()).limit(1))
_PUBLISH = statement(insert(checkpoint))
_NEWEST = statement(
    select(checkpoint.c.size, checkpoint.c.root, checkpoint.c.note, checkpoint.c.verifier_key)
    .order_by(checkpoint.c.size.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Log:
    """A log that this transaction may append to: nobody else can until it ends."""

    origin: str
    size: int


@dataclass(frozen=True, slots=True)
class Published:
    """A signed checkpoint as it is published."""

    size: int
    root: bytes
    note: bytes
    verifier_key: str

    @property
    def origin(self) -> str:
        """The log's name: the note's first line."""
        return self.note.split(b"\n", 1)[0].decode()


class Logs:
    """The organization's log."""

    def __init__(self, tx: Transaction, keys: KeyProvider) -> None:
        self._tx = tx
        self._keys = keys

    async def lock(self) -> Log | None:
        """The log, made where there is none, and locked: appends to one log take turns.

        Several relays append at once; leaves have one order, so the row is the turnstile. None for
        an organization that has left: its log is gone, and there is no other.
        """
        row = await self._tx.one(_LOCK)
        if row is None:
            if await is_gone(self._tx):
                return None
            await self._create()
            row = await self._tx.one(_LOCK)
            if row is None:
                raise LookupError("a log that was made is not there")
        return Log(origin_of(row.log_id), row.size)

    async def publish(self, log: Log, edge: RightEdge) -> Published:
        """Sign and store the checkpoint of the grown log, in the transaction of its leaves."""
        signer = await self._signer(log.origin)
        stated = Checkpoint(log.origin, edge.size, edge.frontier().root())
        published = Published(stated.size, stated.root, sign(stated, signer), signer.verifier.vkey)
        await self._tx.run(
            _PUBLISH,
            size=published.size,
            root=published.root,
            note=published.note,
            verifier_key=published.verifier_key,
        )
        await self._tx.run(_GROW, new_size=edge.size)
        return published

    async def newest(self) -> Published | None:
        """The newest checkpoint; None while the log has no leaf."""
        row = await self._tx.one(_NEWEST)
        return None if row is None else Published(*row)

    async def size(self) -> int:
        """How many leaves the log has."""
        row = await self._tx.one(_SIZE)
        return 0 if row is None else int(row.size)

    async def _create(self) -> None:
        """Two firsts at once: one makes log and key, the other waits for its commit."""
        log_id = os.urandom(_LOG_ID_SIZE)
        if not await self._tx.run(_CREATE, log_id=log_id):
            return
        key, seed = new_id(), new_key()
        signer = NoteSigner(origin_of(log_id), seed)
        wrapped = self._keys.wrap(seed, self._purpose(key.bytes))
        await self._tx.run(_ADD_KEY, id=key, verifier_key=signer.verifier.vkey, seed=wrapped)

    async def _signer(self, origin: str) -> NoteSigner:
        row = await self._tx.one(_KEY)
        if row is None:
            raise LookupError("a log has no signing key")
        return NoteSigner(origin, self._keys.unwrap(row.seed, self._purpose(row.id.bytes)))

    def _purpose(self, key: bytes) -> bytes:
        organization = self._tx.organization
        if organization is None:
            raise LookupError("a log belongs to an organization or to the platform")
        return b"medhub/compliance/log-key/" + organization.bytes + key
