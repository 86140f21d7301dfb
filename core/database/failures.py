"""What PostgreSQL reports, in the words of this platform.

Trouble of the moment (the server is away, full or too busy; a lock was not had) becomes
Unavailable, time that ran out becomes DeadlineExceeded, a broken constraint becomes
ConstraintViolated for the storage layer to name. Everything else is a fault in our code and
stays what it is, so that it ends as INTERNAL and is seen.

The codes are those of PostgreSQL's appendix A.
"""

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from core.errors import DeadlineExceeded, PersonErased, PersonRestricted, Refusal, Unavailable

RETRY_SOON = 0.05  # seconds; two transactions met, and the other one is done by then
RETRY_LATER = 1.0  # seconds; a server that restarts or a full pool needs about that long

_AWAY = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "26000"})
_AWAY_CLASSES = frozenset({"08", "53", "58"})
_CONFLICTS = frozenset({"40001", "40P01", "55P03", "40003"})
# What PostgreSQL says of a row that a restrictive policy does not let in, and what that means.
_POLICIES: dict[str, type[Refusal]] = {
    'row-level security policy "restricted"': PersonRestricted,
    'row-level security policy "erased"': PersonErased,
}
_STALE_PLAN = "cached plan must not change result type"


class OutcomeUnknown(Unavailable):
    """The answer to a commit was lost: the change may be there or not.

    The caller tries again with the same request_id and then learns which (AIP-155).
    """


class ConstraintViolated(Exception):
    """A row broke the constraint `name`. Storage says what that means; it never leaves it."""

    def __init__(self, name: str, sqlstate: str) -> None:
        super().__init__(f"{name} ({sqlstate})")
        self.name = name
        self.sqlstate = sqlstate


def translate(error: Exception) -> Exception:
    """The exception to raise for one of psycopg's; the error itself when it is our fault."""
    if isinstance(error, PoolTimeout | TooManyRequests | PoolClosed):
        return Unavailable(retry_after=RETRY_LATER)
    if not isinstance(error, psycopg.Error):
        return error
    state = error.sqlstate
    if state is None:
        lost = isinstance(error, psycopg.OperationalError)
        return Unavailable(retry_after=RETRY_LATER) if lost else error
    return _translate_state(error, state)


def _translate_state(error: psycopg.Error, state: str) -> Exception:
    if state in _CONFLICTS:
        return Unavailable(retry_after=RETRY_SOON)
    if state in _AWAY or state[:2] in _AWAY_CLASSES:
        return Unavailable(retry_after=RETRY_LATER)
    if isinstance(error, pg.QueryCanceled):
        return DeadlineExceeded()
    if state.startswith("23"):
        return ConstraintViolated(error.diag.constraint_name or "", state)
    if state == "42501":
        return _refused_by_policy(error)
    if is_stale_plan(error):
        return Unavailable(retry_after=RETRY_SOON)
    return error


def _refused_by_policy(error: psycopg.Error) -> Exception:
    said = error.diag.message_primary or ""
    refusals = (refusal() for policy, refusal in _POLICIES.items() if policy in said)
    return next(refusals, error)


def is_stale_plan(error: psycopg.Error) -> bool:
    """Whether a prepared statement outlived the shape of its table (a migration ran).

    The connection that holds it has to be replaced; a fresh one plans anew.
    """
    return error.sqlstate == "0A000" and _STALE_PLAN in (error.diag.message_primary or "")


def is_unprepared(error: psycopg.Error) -> bool:
    """Whether a connection's prepared statements are no more what they were."""
    return is_stale_plan(error) or error.sqlstate == "26000"


def is_disconnection(error: psycopg.Error) -> bool:
    """Whether the connection is gone, and others of the same pool probably with it."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in {"57P01", "57P02", "57P03"} or error.sqlstate[:2] == "08"
