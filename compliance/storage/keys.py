"""Keys of persons and of months, wrapped by the service's keyring, and their destruction."""

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import LargeBinary, Text, Uuid, any_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from compliance.domain.keys import ORGANIZATION, KeyDestroyed, KeyName, KeyWanted, SealingKey
from compliance.storage.offboarding import is_gone
from compliance.storage.tables import forgotten_subject, month_key, subject_key
from core.crypto.keyring import KeyProvider
from core.crypto.seal import combine, derive, new_key
from core.database import Row, Transaction, statement
from core.ids import new_id

_PURPOSE = "audit-event"

_PAIRS = (
    bindparam("subjects", type_=ARRAY(Text)),
    bindparam("classes", type_=ARRAY(Text)),
)
_SUBJECTS = statement(
    text("""
        SELECT k.id, k.subject, k.retention_class, k.subject_ref, k.wrapped
        FROM unnest(:subjects, :classes) AS wanted (subject, retention_class)
        JOIN subject_key k ON k.subject = wanted.subject
            AND k.retention_class = wanted.retention_class
    """).bindparams(*_PAIRS)
)
_SUBJECTS_BY_ID = statement(
    select(subject_key.c.id, subject_key.c.retention_class, subject_key.c.wrapped).where(
        subject_key.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
    )
)
_ADD_SUBJECT = statement(
    upsert(subject_key)
    .values(
        organization_id=bindparam("organization_id"),
        id=bindparam("id"),
        subject=bindparam("subject"),
        retention_class=bindparam("retention_class"),
        subject_ref=bindparam("subject_ref"),
        wrapped=bindparam("wrapped"),
    )
    .on_conflict_do_nothing()
)
_REFERENCE = statement(
    select(subject_key.c.subject_ref).where(
        subject_key.c.subject == bindparam("subject"),
        subject_key.c.retention_class == bindparam("retention_class"),
    )
)
_OWN = select(subject_key.c.id, subject_key.c.wrapped).where(
    subject_key.c.subject == ORGANIZATION,
    subject_key.c.retention_class == bindparam("retention_class"),
)
_OWN_SHARED = statement(_OWN.with_for_update(read=True))
_OWN_ALONE = statement(_OWN.with_for_update())
_DESTROY = statement(
    update(subject_key)
    .where(
        subject_key.c.subject == bindparam("person"),
        subject_key.c.retention_class == bindparam("of_class"),
    )
    .values(subject=None, wrapped=None, destroyed_at=bindparam("at"))
    .returning(subject_key.c.id)
)
_SUBJECT_BY_ID = statement(
    select(subject_key.c.subject, subject_key.c.retention_class).where(
        subject_key.c.id == bindparam("key_id")
    )
)
_FORGET = statement(
    upsert(forgotten_subject)
    .values(
        organization_id=bindparam("organization_id"),
        subject_index=bindparam("subject_index"),
        retention_class=bindparam("retention_class"),
    )
    .on_conflict_do_nothing()
)
_FORGOTTEN = statement(
    select(forgotten_subject.c.subject_index).where(
        forgotten_subject.c.subject_index == any_(bindparam("indexes", type_=ARRAY(LargeBinary))),
        forgotten_subject.c.retention_class == bindparam("retention_class"),
    )
)
_MONTHS = statement(
    text("""
        SELECT k.retention_class, k.month, k.wrapped
        FROM unnest(:classes, :months) AS wanted (retention_class, month)
        JOIN month_key k ON k.retention_class = wanted.retention_class
            AND k.month = wanted.month
    """).bindparams(bindparam("classes", type_=ARRAY(Text)), bindparam("months", type_=ARRAY(Text)))
)
_ADD_MONTH = statement(
    upsert(month_key)
    .values(
        organization_id=bindparam("organization_id"),
        retention_class=bindparam("retention_class"),
        month=bindparam("month"),
        wrapped=bindparam("wrapped"),
    )
    .on_conflict_do_nothing()
)
_DESTROY_MONTH = statement(
    update(month_key)
    .where(
        month_key.c.retention_class == bindparam("of_class"),
        month_key.c.month == bindparam("of_month"),
        month_key.c.wrapped.is_not(None),
    )
    .values(wrapped=None, destroyed_at=bindparam("at"))
)

_Subject: TypeAlias = tuple[str, str]
"""A resource name, and a class of retention."""
_Month: TypeAlias = tuple[str, str]
"""A class of retention, and a month."""


class Keys:
    """The keys of the organization."""

    def __init__(self, tx: Transaction, provider: KeyProvider) -> None:
        self._tx = tx
        self._provider = provider

    async def provision(self, wanted: Sequence[KeyWanted]) -> list[SealingKey]:
        """The keys to seal under, in the order asked; those that are not there are made.

        Two relays that want one key at once get the same. Raises KeyDestroyed.
        """
        subjects = await self._provisioned({(w.subject, w.retention_class) for w in wanted})
        months = await self._months({(w.retention_class, w.month) for w in wanted})
        return [
            self._sealing_key(
                subjects[w.subject, w.retention_class], w, months[w.retention_class, w.month]
            )
            for w in wanted
        ]

    async def open(self, names: Iterable[str]) -> dict[str, bytes]:
        """The data keys of these names. One that is destroyed is left out."""
        parsed = {text: name for text in set(names) if (name := KeyName.parse(text))}
        ids = sorted({name.subject_key for name in parsed.values()})
        rows = await self._tx.all(_SUBJECTS_BY_ID, ids=ids) if ids else []
        living = {row.id: row for row in rows if row.wrapped is not None}
        known = {text: name for text, name in parsed.items() if name.subject_key in living}
        months = await self._held_months(
            {(living[n.subject_key].retention_class, n.month) for n in known.values()}
        )
        opened: dict[str, bytes] = {}
        for text_, name in known.items():
            row = living[name.subject_key]
            month = months.get((row.retention_class, name.month))
            if month is not None:
                opened[text_] = combine(self._subject_secret(row), month, _PURPOSE)
        return opened

    async def reference(self, subject: str, retention_class: str) -> UUID | None:
        """The random reference that stands for this person; None when there is none any more."""
        row = await self._tx.one(_REFERENCE, subject=subject, retention_class=retention_class)
        return None if row is None else UUID(str(row.subject_ref))

    async def destroy_subject_key(
        self, subject: str, retention_class: str, *, at: datetime
    ) -> UUID | None:
        """Forget a person for one class of retention, for ever; the id of the key destroyed.

        None where there was no key; none will be made then either. What was sealed under it
        stays, unreadable, and every leaf and proof stays true: the leaf is the clear part and a
        digest. What remains of the link from the person to their events is nothing.
        """
        if subject == ORGANIZATION:
            raise ValueError("the organization's own key is not a person's")
        own = await self._own_secret(retention_class, alone=True)
        await self._tx.run(
            _FORGET,
            subject_index=_index_of(own, subject),
            retention_class=retention_class,
        )
        row = await self._tx.one(_DESTROY, person=subject, of_class=retention_class, at=at)
        if row is None:
            return None
        await self._tx.record_act("compliance.keys.destroy", resource=f"subjectKeys/{row.id}")
        return UUID(str(row.id))

    async def destroy_again(self, key: UUID, *, at: datetime) -> bool:
        """Destroy a person's key by its id, as after a restore; False where it is gone already.

        A key of another organization, or one made after the backup, is not here: it is gone too.
        """
        row = await self._tx.one(_SUBJECT_BY_ID, key_id=key)
        if row is None or row.subject is None:
            return False
        await self.destroy_subject_key(row.subject, row.retention_class, at=at)
        return True

    async def destroy_month_key(self, retention_class: str, month: str, *, at: datetime) -> bool:
        """Let a month of one class of retention expire; False where it had already."""
        await self._months({(retention_class, month)}, refuse=False)
        if not await self._tx.run(_DESTROY_MONTH, of_class=retention_class, of_month=month, at=at):
            return False
        await self._tx.record_act(
            "compliance.keys.destroy", resource=f"monthKeys/{retention_class}/{month}"
        )
        return True

    async def _provisioned(self, wanted: set[_Subject]) -> dict[_Subject, Row]:
        held = await self._subjects(wanted)
        missing = wanted - held.keys()
        if missing:
            if await is_gone(self._tx):
                raise KeyDestroyed
            for retention_class in sorted({pair[1] for pair in missing}):
                own = await self._own_secret(retention_class)
                await self._refuse_forgotten(own, missing, retention_class)
            await self._add_subjects(missing)
            held = await self._subjects(wanted)
        if wanted - held.keys():
            raise KeyDestroyed
        return held

    async def _subjects(self, wanted: Iterable[_Subject]) -> dict[_Subject, Row]:
        pairs = sorted(wanted)
        rows = await self._tx.all(
            _SUBJECTS,
            subjects=[subject for subject, _ in pairs],
            classes=[retention_class for _, retention_class in pairs],
        )
        return {(row.subject, row.retention_class): row for row in rows}

    async def _add_subjects(self, missing: Iterable[_Subject]) -> None:
        """In one order, so that two relays that add the same persons cannot deadlock."""
        added = []
        for subject, retention_class in sorted(missing):
            row = new_id()
            added.append(
                {
                    "id": row,
                    "subject": subject,
                    "retention_class": retention_class,
                    "subject_ref": uuid4(),
                    "wrapped": self._provider.wrap(new_key(), self._purpose("subject", row.bytes)),
                }
            )
        await self._tx.run_many(_ADD_SUBJECT, added)

    async def _own_secret(self, retention_class: str, *, alone: bool = False) -> bytes:
        """The organization's own key, its row locked.

        Who makes a person's key shares the lock, who destroys one has it alone: so no key is
        made for a person between the moment that we look and the moment that they are forgotten.
        """
        locked = _OWN_ALONE if alone else _OWN_SHARED
        row = await self._tx.one(locked, retention_class=retention_class)
        if row is None:
            await self._add_subjects([(ORGANIZATION, retention_class)])
            row = await self._tx.one(locked, retention_class=retention_class)
        if row is None:
            raise LookupError("a key that was made is not there")
        return self._subject_secret(row)

    async def _refuse_forgotten(
        self, own: bytes, wanted: Iterable[_Subject], retention_class: str
    ) -> None:
        indexes = [_index_of(own, subject) for subject, of in wanted if of == retention_class]
        if await self._tx.all(_FORGOTTEN, indexes=indexes, retention_class=retention_class):
            raise KeyDestroyed

    async def _months(self, wanted: set[_Month], *, refuse: bool = True) -> dict[_Month, bytes]:
        """The keys of these months, made where there are none. Raises KeyDestroyed."""
        held = await self._held_months(wanted)
        missing = sorted(wanted - held.keys())
        if missing:
            await self._tx.run_many(_ADD_MONTH, [self._new_month(*pair) for pair in missing])
            held = await self._held_months(wanted)
        if refuse and wanted - held.keys():
            raise KeyDestroyed
        return held

    async def _held_months(self, wanted: Iterable[_Month]) -> dict[_Month, bytes]:
        pairs = sorted(set(wanted))
        if not pairs:
            return {}
        rows = await self._tx.all(
            _MONTHS, classes=[pair[0] for pair in pairs], months=[pair[1] for pair in pairs]
        )
        return {
            (row.retention_class, row.month): self._provider.unwrap(
                row.wrapped, self._month_purpose(row.retention_class, row.month)
            )
            for row in rows
            if row.wrapped is not None
        }

    def _new_month(self, retention_class: str, month: str) -> dict[str, object]:
        purpose = self._month_purpose(retention_class, month)
        wrapped = self._provider.wrap(new_key(), purpose)
        return {"retention_class": retention_class, "month": month, "wrapped": wrapped}

    def _sealing_key(self, row: Row, wanted: KeyWanted, month: bytes) -> SealingKey:
        return SealingKey(
            KeyName(row.id, wanted.month).text(),
            None if wanted.subject == ORGANIZATION else row.subject_ref,
            combine(self._subject_secret(row), month, _PURPOSE),
        )

    def _subject_secret(self, row: Row) -> bytes:
        return self._provider.unwrap(row.wrapped, self._purpose("subject", row.id.bytes))

    def _month_purpose(self, retention_class: str, month: str) -> bytes:
        return self._purpose("month", f"{retention_class}/{month}".encode())

    def _purpose(self, kind: str, which: bytes) -> bytes:
        organization = self._tx.organization
        if organization is None:
            raise LookupError("a key belongs to an organization or to the platform")
        return f"medhub/compliance/{kind}-key/".encode() + organization.bytes + which


def _index_of(own: bytes, subject: str) -> bytes:
    """A person as the list of the forgotten knows them: nobody without the key can ask it."""
    return hmac.digest(derive(own, "forgotten-subject"), subject.encode(), "sha256")
