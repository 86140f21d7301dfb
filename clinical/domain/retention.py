"""How long the law keeps a patient's record (CSP article R.1112-7, of health establishments).

Twenty years from the last stay or consultation; if that would end before the twenty-eighth
birthday, until then; and if the patient died within ten years of it, until ten years after the
death. A claim for damages suspends the term: medhub does not know of claims, so whoever confirms an
erasure has to.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

CLASS: Final = "fr.csp.r1112-7"
"""The class of retention in the contract."""

_TERM_YEARS, _AGE, _YEARS_AFTER_DEATH = 20, 28, 10


@dataclass(frozen=True, slots=True)
class Passage:
    """What is known of a patient's stays. Dates of birth and death are cut at their precision."""

    # The end of the last stay, or the latest finding of one; None: the patient never was here.
    last_at: datetime | None
    # A stay is planned or under way, so the term has not begun.
    is_open: bool
    birth_date: str = ""
    death_date: str = ""


def keeps_until(passage: Passage) -> datetime | None:
    """The end of the term; None where none has begun."""
    if passage.last_at is None:
        return None
    last = passage.last_at.astimezone(UTC)
    end = _years_after(last, _TERM_YEARS)
    born, died = _latest(passage.birth_date), _latest(passage.death_date)
    if born is not None:
        end = max(end, _years_after(born, _AGE))
    if died is not None and died < _years_after(last, _YEARS_AFTER_DEATH):
        end = _years_after(died, _YEARS_AFTER_DEATH)
    return end


def _latest(text: str) -> datetime | None:
    """The end of the day, month or year that a date names: a doubt never shortens a term."""
    if not text:
        return None
    year, month, day = (*(int(part) for part in text.split("-")), 0, 0)[:3]
    month = month or 12
    day = day or calendar.monthrange(year, month)[1]
    return datetime.combine(date(year, month, day), time.max, UTC)


def _years_after(moment: datetime, years: int) -> datetime:
    """The same day, or the first of March where a year has no 29th of February."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
