"""Receipts of erasure: what was done, signed by the service that did it, and kept beside its rows.

A receipt is a signed note (c2sp.org/signed-note): a text that people can read, and a line with an
Ed25519 signature over it, which anybody can verify without medhub. It names the request and nobody.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import LargeBinary, MetaData, Text, Uuid, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from core.crypto.keyring import KeyProvider
from core.crypto.note_keys import NoteSigner
from core.crypto.seal import new_key
from core.crypto.signed_notes import signed
from core.database import Reach, Transaction, column, statement, tenant_table
from core.ids import id_from, new_id
from medhub.subject.v1 import erasure_pb2 as wire

HEADING = "medhub erasure receipt v1"
RECEIPT, KEY = "erasure_receipt", "receipt_key"

_FIELD = "medhub.subject.v1.ErasureReceipt"
_KEPT_WORD = {
    wire.ERASURE_ACTION_DELETE: "deleted",
    wire.ERASURE_ACTION_DESTROY_KEY: "unreadable",
    wire.ERASURE_ACTION_KEEP: "kept",
}


def receipt_tables(metadata: MetaData) -> None:
    """Declare what a service keeps of the erasures it has done, and the key it signs them with."""
    tenant_table(
        RECEIPT,
        metadata,
        column("request_id", Uuid, field=f"{_FIELD}.request", primary_key=True),
        column("plan_digest", LargeBinary, field=f"{_FIELD}.plan_digest", primary_key=True),
        column("persons", ARRAY(Uuid), internal="Whom it was about, to redo it after a restore."),
        column("erased", ARRAY(Text), internal="Tables from which rows went, for the same."),
        column("executed_at", TIMESTAMP(timezone=True), field=f"{_FIELD}.execute_time"),
        column("receipt", LargeBinary, field=f"{_FIELD}.note"),
        subject=None,
        collection="erasureReceipts",
        capture=False,
        reason="The act is recorded, with the digest of its receipt.",
        reach=Reach(where={"patient": "{t}.persons && :people"}),
    )
    tenant_table(
        KEY,
        metadata,
        column("id", Uuid, internal="Names the key; the newest signs.", primary_key=True),
        column("verifier_key", Text, field=f"{_FIELD}.verifier_key"),
        column("seed", LargeBinary, internal="Ed25519 seed, wrapped by the keyring.", secret=True),
        subject=None,
        collection="receiptKeys",
    )


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of an erasure: enough to do it again after a restore, and its proof."""

    request_id: UUID
    plan_digest: bytes
    persons: tuple[UUID, ...]
    # Tables from which rows went, by their names in the service.
    erased: tuple[str, ...]
    executed_at: datetime
    receipt: bytes


class Receipts:
    """The receipts of one service."""

    def __init__(self, service: str, metadata: MetaData, keyring: KeyProvider) -> None:
        receipt, key = metadata.tables[RECEIPT], metadata.tables[KEY]
        self._service = service
        self._keyring = keyring
        self._add = statement(insert(receipt))
        self._get = statement(
            select(receipt.c.receipt).where(
                receipt.c.request_id == bindparam("request", type_=Uuid),
                receipt.c.plan_digest == bindparam("plan", type_=LargeBinary),
            )
        )
        self._key = statement(select(key.c.id, key.c.seed).order_by(key.c.id.desc()).limit(1))
        self._add_key = statement(insert(key))

    async def of(self, tx: Transaction, request: str, plan: bytes) -> wire.ErasureReceipt | None:
        """The receipt of a plan that was executed before."""
        row = await tx.one(self._get, request=_request_id(request), plan=plan)
        return None if row is None else wire.ErasureReceipt.FromString(row.receipt)

    async def sign(
        self,
        tx: Transaction,
        receipt: wire.ErasureReceipt,
        persons: tuple[UUID, ...],
        erased: tuple[str, ...],
    ) -> None:
        """Complete a receipt with its proof, and keep it."""
        signer = await self._signer(tx)
        receipt.note = signed(text_of(receipt, tx.organization), signer)
        receipt.verifier_key = signer.verifier.vkey
        record = Record(
            request_id=_request_id(receipt.request),
            plan_digest=receipt.plan_digest,
            persons=persons,
            erased=erased,
            executed_at=receipt.execute_time.ToDatetime(tzinfo=UTC),
            receipt=receipt.SerializeToString(),
        )
        await self.keep(tx, record)

    async def keep(self, tx: Transaction, record: Record) -> None:
        """Keep what was done, here or before a restore."""
        await tx.run(
            self._add,
            request_id=record.request_id,
            plan_digest=record.plan_digest,
            persons=list(record.persons),
            erased=list(record.erased),
            executed_at=record.executed_at,
            receipt=record.receipt,
        )

    async def knows(self, tx: Transaction, record: Record) -> bool:
        """Whether it is kept already."""
        asked = {"request": record.request_id, "plan": record.plan_digest}
        return await tx.one(self._get, **asked) is not None

    async def _signer(self, tx: Transaction) -> NoteSigner:
        """The organization's key at this service, made where there is none."""
        row = await tx.one(self._key)
        if row is not None:
            seed = self._keyring.unwrap(row.seed, self._purpose(tx, row.id))
            return NoteSigner(self._name(row.id), seed)
        key, seed = new_id(), new_key()
        signer = NoteSigner(self._name(key), seed)
        wrapped = self._keyring.wrap(seed, self._purpose(tx, key))
        await tx.run(self._add_key, id=key, verifier_key=signer.verifier.vkey, seed=wrapped)
        return signer

    def _name(self, key: UUID) -> str:
        return f"medhub/{self._service}/erasures/{key}"

    def _purpose(self, tx: Transaction, key: UUID) -> bytes:
        if tx.organization is None:
            raise LookupError("a receipt belongs to an organization")
        return f"medhub/{self._service}/receipt-key/".encode() + tx.organization.bytes + key.bytes


def is_unreadable(receipt: wire.ErasureReceipt) -> bool:
    """Whether keys went without which what the service still holds cannot be read."""
    return any(table.action == wire.ERASURE_ACTION_DESTROY_KEY for table in receipt.tables)


def text_of(receipt: wire.ErasureReceipt, organization: UUID | None) -> str:
    """What is signed, a fact a line."""
    lines = [
        HEADING,
        f"organization {organization}",
        f"service {receipt.service}",
        f"request {receipt.request}",
        f"plan {receipt.plan_digest.hex()}",
        f"executed {receipt.execute_time.ToJsonString()}",
        f"outcome {wire.ErasureOutcome.Name(receipt.outcome).removeprefix('ERASURE_OUTCOME_')}",
        *(_line_of(table) for table in receipt.tables),
        *(f"destroyed {key}" for key in receipt.destroyed_keys),
    ]
    return "".join(f"{line}\n" for line in lines)


def _line_of(table: wire.ErasedTable) -> str:
    """`kept clinical.patient 1 fr.csp.r1112-7 until 2046-11-01T00:00:00Z`."""
    line = f"{_KEPT_WORD[table.action]} {table.table} {table.count}"
    if not table.retention:
        return line
    until = f" until {table.keep_until.ToJsonString()}" if table.HasField("keep_until") else ""
    return f"{line} {table.retention}{until}"


def _request_id(request: str) -> UUID:
    collection = request.partition("/")[0]
    return id_from(request, collection, field="occasion.request")
