"""Who may open which record, as SQL beside the rows it opens.

A caller is entitled by a live care link that names them, their practitioner or one of that
practitioner's units; a link to any patient of a merge opens the one that lives on. There are two
spellings of one rule: one asks it of a patient at hand, the other lists a caller's patients.
Both are built from the same pieces, and a test holds them equal. `:subject` is the caller.

What is read may be opened by a grant of auth instead, for the patient or any merged into them:
`:granted` are the patients of those that the call takes, at most core's MOST_GRANTS. Few callers
hold one, so each such question is there twice, and who holds none asks the shorter.
"""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from clinical.storage.sql import sql
from core.database import Row, Statement
from core.identity import Call

_LIVE: Final = "l.started_at <= now() AND (l.ended_at IS NULL OR l.ended_at > now())"

# The caller's own practitioner: at most one, by the unique index on user_id.
_PRACTITIONER: Final = "(SELECT r.id FROM practitioner r WHERE r.user_id = :subject)"

_UNITS: Final = f"""(SELECT w.unit_id FROM practitioner_unit w
    WHERE w.practitioner_id = {_PRACTITIONER})"""


def living(patient: str) -> str:
    """The patient that a row (an alias) lives on as.

    Not COALESCE: PostgreSQL takes it for an operation that may leak values, and such a condition
    may use no index under row-level security; CASE may.
    """
    return (
        f"CASE WHEN {patient}.survivor_id IS NULL THEN {patient}.id ELSE {patient}.survivor_id END"
    )


def row_of(found: str) -> str:
    """The patient whose id a row (an alias) has found, as a lateral subquery.

    OFFSET 0 holds it as it is written: one look into the index for each that was found. Left to
    itself the planner may walk through all patients of the organization to save a sort.
    """
    return f"(SELECT one.* FROM patient one WHERE one.id = {found}.id OFFSET 0)"


def is_linked(patient: str) -> str:
    """Whether the caller may open the row of `patient` (an alias) or what it was merged into.

    It starts from the patient and goes by index to the patient's links, however many patients the
    caller has; LIMIT keeps the planner from starting at the caller's links.
    """
    return f"""EXISTS (SELECT 1 FROM (
        SELECT m.id FROM patient m WHERE m.id = {living(patient)}
        UNION ALL SELECT m.id FROM patient m WHERE m.survivor_id = {living(patient)}) merged
    CROSS JOIN LATERAL (SELECT 1 FROM care_link l WHERE l.patient_id = merged.id AND {_LIVE}
        AND (l.user_id = :subject OR l.practitioner_id = {_PRACTITIONER} OR l.unit_id IN {_UNITS})
        LIMIT 1) link)"""


# The living patients whom the caller may open. It starts from the caller's links, so its cost is
# the caller's own patients and not the organization's.
LINKED_PATIENTS: Final = f"""SELECT {living("m")} AS id
    FROM (SELECT l.patient_id FROM care_link l WHERE l.user_id = :subject AND {_LIVE}
          UNION SELECT l.patient_id FROM care_link l
          WHERE l.practitioner_id = {_PRACTITIONER} AND {_LIVE}
          UNION SELECT l.patient_id FROM care_link l
          WHERE l.unit_id = ANY (ARRAY{_UNITS}) AND {_LIVE}) o (id)
    CROSS JOIN LATERAL {row_of("o")} m"""


def granted(patient: str) -> str:
    """The first of `:granted` that opens the row of `patient` (an alias); NULL when none does."""
    return f"""(SELECT m.id FROM patient m WHERE m.id = ANY (:granted)
        AND (m.id = {living(patient)} OR m.survivor_id = {living(patient)})
        ORDER BY array_position(:granted, m.id) LIMIT 1)"""


def how_opened(patient: str) -> str:
    """A lateral row `o` for `patient` (an alias): `is_linked`, or else what of `:granted` opens."""
    return f"""LATERAL (SELECT l.is_linked,
            CASE WHEN NOT l.is_linked THEN {granted(patient)} END AS granted
        FROM (SELECT {is_linked(patient)} AS is_linked OFFSET 0) l) o"""


# The living patients whom links or grants open; `granted` is NULL where a link does.
OPEN_PATIENTS: Final = f"""SELECT every.id,
        CASE WHEN NOT bool_or(every.granted IS NULL) THEN
            (array_agg(every.granted ORDER BY array_position(:granted, every.granted)))[1]
            END AS granted
    FROM (SELECT linked.id, NULL::uuid AS granted FROM ({LINKED_PATIENTS}) linked
          UNION ALL SELECT {living("m")}, m.id FROM patient m WHERE m.id = ANY (:granted)) every
    GROUP BY every.id"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question for what the caller may read: of who holds no grant, and of who does.

    The latter's rows say in `granted` which of the patients in `:granted` has opened them. Both
    have in `person` the patient whose record it is.
    """

    linked: Statement
    granted: Statement
    person: str

    async def one(
        self, ask: Callable[..., Awaitable[Row | None]], call: Call, **params: Any
    ) -> Row | None:
        """The only row, as `ask` reads it for the caller of `call`."""
        if not call.grants:
            return await ask(self.linked, subject=call.caller.subject, **params)
        row = await ask(self.granted, **self._with_grants(call, params))
        if row is not None:
            self._note(call, row)
        return row

    async def all(
        self, ask: Callable[..., Awaitable[list[Row]]], call: Call, **params: Any
    ) -> list[Row]:
        """All rows, as `ask` reads them for the caller of `call`."""
        if not call.grants:
            return await ask(self.linked, subject=call.caller.subject, **params)
        rows = await ask(self.granted, **self._with_grants(call, params))
        for row in rows:
            self._note(call, row)
        return rows

    def _with_grants(self, call: Call, params: dict[str, Any]) -> dict[str, Any]:
        patients = [grant.patient for grant in call.grants]
        return {"subject": call.caller.subject, "granted": patients, **params}

    def _note(self, call: Call, row: Row) -> None:
        """For the trail: it is the grant that opened the record, by whichever id it is asked for.

        What a colleague gave comes first in the call, so an emergency is told where nothing else
        opened the record.
        """
        if row.granted is None:
            return
        grant = next(each for each in call.grants if each.patient == row.granted)
        for person in (row.granted, getattr(row, self.person)):
            call.opened[person] = grant


def question(linked: str, granted: str, person: str, **types: Any) -> Question:
    """A question from its two texts; `types` are those of their parameters."""
    return Question(
        sql(linked, subject=Uuid, **types),
        sql(granted, subject=Uuid, granted=ARRAY(Uuid), **types),
        person,
    )
