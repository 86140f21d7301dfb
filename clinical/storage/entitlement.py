"""Who may open which record, as SQL beside the rows it opens.

A caller is entitled by a live care link that names them, their practitioner or one of that
practitioner's units; a link to any patient of a merge opens the one that lives on. There are two
spellings of one rule: one asks it of a patient at hand, the other lists a caller's patients.
Both are built from the same pieces, and a test holds them equal. `:subject` is the caller.
"""

# ruff: noqa: S608 - the text of statements is made of constants of these modules alone.

from typing import Final

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
