"""PostgreSQL's trouble in our words: come back, too late, or our own fault."""

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolTimeout, TooManyRequests

from core.database.failures import ConstraintViolated, is_disconnection, translate
from core.errors import DeadlineExceeded, Unavailable


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("the connection is lost"),
        errors.AdminShutdown(),
        errors.CrashShutdown(),
        errors.CannotConnectNow(),
        errors.ConnectionFailure(),
        errors.DiskFull(),
        errors.OutOfMemory(),
        errors.TooManyConnections(),
        errors.IoError(),
        errors.LockNotAvailable(),
        errors.SerializationFailure(),
        errors.DeadlockDetected(),
        errors.IdleInTransactionSessionTimeout(),
        PoolTimeout(),
        TooManyRequests(),
    ],
)
def test_trouble_of_the_moment_says_when_to_come_back(error: Exception) -> None:
    """Whatever passes by itself is Unavailable, with a time to wait."""
    refusal = translate(error)

    assert isinstance(refusal, Unavailable)
    assert refusal.retry_after is not None


def test_a_cancelled_statement_ran_out_of_time() -> None:
    """Statements are cancelled by their timeout alone."""
    assert isinstance(translate(errors.QueryCanceled()), DeadlineExceeded)


@pytest.mark.parametrize(
    "error", [errors.UniqueViolation(), errors.ForeignKeyViolation(), errors.CheckViolation()]
)
def test_a_broken_constraint_is_for_storage_to_name(error: psycopg.Error) -> None:
    """It is no refusal, so it cannot reach a caller unnamed."""
    translated = translate(error)

    assert isinstance(translated, ConstraintViolated)
    assert translated.sqlstate == error.sqlstate


@pytest.mark.parametrize(
    "error",
    [
        errors.UndefinedTable(),
        errors.InsufficientPrivilege(),
        errors.FeatureNotSupported(),
        psycopg.ProgrammingError("wrong use"),
        ValueError("not the database's"),
    ],
)
def test_our_own_fault_stays_what_it_is(error: Exception) -> None:
    """It ends as INTERNAL and is seen."""
    assert translate(error) is error


def test_a_lost_connection_is_told_from_a_full_disk() -> None:
    """Only the former says something about the other connections."""
    assert is_disconnection(errors.AdminShutdown())
    assert is_disconnection(psycopg.OperationalError())
    assert not is_disconnection(errors.DiskFull())
