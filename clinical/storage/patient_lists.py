"""Lists of patients: pages of those linked to the caller, and searches."""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from clinical.domain.patients import Patient
from clinical.storage.entitlement import LINKED_PATIENTS, OPEN_PATIENTS, Question, question, row_of
from clinical.storage.patient_rows import COLUMNS, IDENTIFIERS, patient_of
from clinical.storage.patients import GetKey
from clinical.storage.sealing import index_of
from clinical.storage.sql import sql
from core.database import Row, Statement, Transaction

MOST_IDENTITIES: Final = 20
"""Identities shown at most: more are not a match but a list, and each is recorded."""

MOST_CANDIDATES: Final = 500
"""Rows that a lookup scores; a name and a birth date leave far fewer."""

# Behind every character that can follow in C collation: the end of a range of one beginning.
_LAST: Final = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Who is looked for: what is "" or empty is not asked. All that is asked must fit."""

    words: tuple[str, ...] = ()
    birth_date: str = ""
    identifier: tuple[str, str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is asked."""
        return not (self.words or self.birth_date or self.identifier)


def _list(mine: str, behind: str, more: str = "") -> str:
    """The page is cut before anything else of its patients is read."""
    return f"""SELECT {COLUMNS}{more and f", p.{more}"} FROM (
        SELECT p.*{more and f", mine.{more}"} FROM ({mine}) mine
        CROSS JOIN LATERAL {row_of("mine")} p
        WHERE p.survivor_id IS NULL AND (p.deleted_at IS NULL OR :show_deleted) {behind}
        ORDER BY p.id DESC LIMIT :limit) p {IDENTIFIERS}
    ORDER BY p.id DESC"""


def _listed(behind: str, **types: Any) -> Question:
    return question(
        _list(f"{LINKED_PATIENTS} GROUP BY 1", behind),
        _list(OPEN_PATIENTS, behind, "granted"),
        person="id",
        show_deleted=Boolean,
        limit=Integer,
        **types,
    )


FIRST: Final = _listed("")
NEXT: Final = _listed("AND mine.id < :after_id", after_id=Uuid)

# Each criterion gives candidates from an index of its own; text in C collation, bytes and
# equality only, since row-level security keeps other operators away from indexes.
_BY_WORDS: Final = """SELECT k.patient_id FROM patient_search_key k
    WHERE k.key >= :word AND k.key < :word_end AND NOT EXISTS (
        SELECT FROM unnest(:words, :word_ends) AS w(begins, ends)
        WHERE NOT EXISTS (SELECT FROM patient_search_key o WHERE o.patient_id = k.patient_id
            AND o.key >= w.begins AND o.key < w.ends))"""
_BY_DATE: Final = "SELECT b.id FROM patient b WHERE b.birth_date = :birth_date"
_BY_IDENTIFIER: Final = """SELECT x.patient_id FROM patient_identifier x
    WHERE x.system = :system AND x.value_index = :value_index AND x.is_held"""

_WORD_TYPES: Final[dict[str, Any]] = {
    "word": Text,
    "word_end": Text,
    "words": ARRAY(Text),
    "word_ends": ARRAY(Text),
}
_NUMBER_TYPES: Final[dict[str, Any]] = {"system": Text, "value_index": LargeBinary}


def _candidates(*, words: bool, date: bool, number: bool) -> tuple[str, dict[str, Any]]:
    """The ids that fit all that is asked, and the types of the parameters."""
    parts: list[str] = []
    types: dict[str, Any] = {}
    for asked, part, part_types in (
        (number, _BY_IDENTIFIER, _NUMBER_TYPES),
        (date, _BY_DATE, {"birth_date": Text}),
        (words, _BY_WORDS, _WORD_TYPES),
    ):
        if asked:
            parts.append(part)
            types.update(part_types)
    return " INTERSECT ".join(f"({part})" for part in parts), types


def _search(kind: tuple[bool, bool, bool], *, is_next: bool) -> Question:
    ids, types = _candidates(words=kind[0], date=kind[1], number=kind[2])
    behind = "AND (p.birth_name, p.id) > (:after_birth_name, :after_id)" if is_next else ""
    after = {"after_birth_name": Text, "after_id": Uuid} if is_next else {}
    fit = f"""SELECT DISTINCT COALESCE(c.survivor_id, c.id) AS id FROM patient c
            WHERE c.id IN ({ids})"""
    page = f"""CROSS JOIN LATERAL {row_of("found")} p {IDENTIFIERS}
        WHERE p.deleted_at IS NULL {behind}
        ORDER BY p.birth_name, p.id LIMIT :limit"""
    return question(
        f"SELECT {COLUMNS} FROM ({fit} INTERSECT {LINKED_PATIENTS}) found {page}",
        f"""SELECT {COLUMNS}, found.granted FROM (SELECT mine.id, mine.granted
            FROM ({OPEN_PATIENTS}) mine JOIN ({fit}) fit ON fit.id = mine.id) found {page}""",
        person="id",
        limit=Integer,
        **types,
        **after,
    )


def _lookup(kind: tuple[bool, bool, bool]) -> Statement:
    ids, types = _candidates(words=kind[0], date=kind[1], number=kind[2])
    return sql(
        f"""SELECT {COLUMNS} FROM (
            SELECT DISTINCT COALESCE(c.survivor_id, c.id) AS id FROM patient c
            WHERE c.id IN ({ids})) found
        CROSS JOIN LATERAL {row_of("found")} p {IDENTIFIERS}
        WHERE p.deleted_at IS NULL
        ORDER BY p.birth_name, p.id LIMIT :limit""",
        limit=Integer,
        **types,
    )


_KINDS: Final = [
    (words, date, number)
    for words, date, number in product((False, True), repeat=3)
    if words or date or number
]
_SEARCH: Final[Mapping[tuple[bool, bool, bool], Question]] = {
    kind: _search(kind, is_next=False) for kind in _KINDS
}
_SEARCH_NEXT: Final[Mapping[tuple[bool, bool, bool], Question]] = {
    kind: _search(kind, is_next=True) for kind in _KINDS
}
_LOOKUP: Final[Mapping[tuple[bool, bool, bool], Statement]] = {
    kind: _lookup(kind) for kind in _KINDS
}


class PatientLists:
    """Lists of patients in one transaction."""

    def __init__(self, tx: Transaction, key: GetKey) -> None:
        self._tx = tx
        self._key = key

    async def page(self, *, limit: int, show_deleted: bool, after: UUID | None) -> list[Patient]:
        """Living patients whom a link or a grant opens to the caller, newest first."""
        asked: dict[str, Any] = {"show_deleted": show_deleted, "limit": limit}
        if after is None:
            rows = await FIRST.all(self._tx.all, self._tx.call, **asked)
        else:
            rows = await NEXT.all(self._tx.all, self._tx.call, after_id=after, **asked)
        return await self._patients(rows)

    async def search(
        self, criteria: Criteria, *, limit: int, after: tuple[str, UUID] | None
    ) -> list[Patient]:
        """Those of them who fit, by birth name and then by id."""
        asked = {**await self._parameters(criteria), "limit": limit}
        kind = _kind(criteria)
        if after is None:
            rows = await _SEARCH[kind].all(self._tx.all, self._tx.call, **asked)
        else:
            last = {"after_birth_name": after[0], "after_id": after[1]}
            rows = await _SEARCH_NEXT[kind].all(self._tx.all, self._tx.call, **asked, **last)
        return await self._patients(rows)

    async def lookup(self, criteria: Criteria) -> list[Patient]:
        """Patients of the organization who fit, linked or not, by birth name; unscored."""
        asked = await self._parameters(criteria)
        rows = await self._tx.all(_LOOKUP[_kind(criteria)], limit=MOST_CANDIDATES, **asked)
        return await self._patients(rows)

    async def _parameters(self, criteria: Criteria) -> dict[str, Any]:
        asked: dict[str, Any] = {}
        if criteria.words:
            ends = [word + _LAST for word in criteria.words]
            asked |= {"word": criteria.words[0], "word_end": ends[0]}
            asked |= {"words": list(criteria.words[1:]), "word_ends": ends[1:]}
        if criteria.birth_date:
            asked["birth_date"] = criteria.birth_date
        if criteria.identifier:
            system, value = criteria.identifier
            asked |= {"system": system, "value_index": index_of(await self._key(), value)}
        return asked

    async def _patients(self, rows: Sequence[Row]) -> list[Patient]:
        if not rows:
            return []
        key = await self._key()
        return [patient_of(row, key) for row in rows]


def _kind(criteria: Criteria) -> tuple[bool, bool, bool]:
    return bool(criteria.words), bool(criteria.birth_date), criteria.identifier is not None
