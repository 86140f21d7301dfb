"""Nobody learns by a log-in whether an account exists: the same work is done for every address."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from auth import hashing, operation
from auth.domain import lockout
from auth.domain.lockout import FREE_ATTEMPTS, MOST_FROM_ADDRESS
from auth.domain.refusals import InvalidCredentials, Overloaded
from auth.hashing import matches
from auth.password_proof import PasswordProof
from core import clock
from core.database import Transaction
from tests.support.credentials import PASSWORD, Auth, anonymous

WRONG = "wrong-password-here-17"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done: each statement that is sent, each hash by its parameters."""
    done: list[Any] = []

    def watched(name: str) -> Callable[..., Any]:
        go = getattr(Transaction, name)

        async def run(self: Transaction, statement: Any, *args: Any, **values: Any) -> Any:
            done.append(id(statement))
            return await go(self, statement, *args, **values)

        return run

    def counted(kept: str, password: str) -> bool:
        done.append(kept.rpartition("$")[0].rpartition("$")[0])
        return matches(kept, password)

    for name in ("one", "all", "run"):
        monkeypatch.setattr(Transaction, name, watched(name))
    monkeypatch.setattr(hashing, "matches", counted)
    return done


async def test_the_same_work_is_done_whoever_it_is(
    auth: Auth, work: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, shut out, locked and wrong: the same statements, one hash, the same refusal.

    A locked lane also waits for attempts under way, whether its address has an account or not.
    """
    monkeypatch.setattr("auth.password_proof.WAIT_SECONDS", 0.0)
    clinic = await auth.clinic()
    for word in ("disabled", "locked", "wrong"):
        await auth.user(clinic.organization, f"{word}@parc.test", "nurse")
    await operation.disable_account(auth.store, "disabled@parc.test")
    seen: dict[str, tuple[list[Any], tuple[Any, ...]]] = {}
    with clock.frozen(clock.now()):
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(InvalidCredentials):
                await auth.log_in("locked@parc.test", WRONG)
        for word in ("locked", "unknown", "disabled", "wrong", "again unknown"):
            # Some refusals are recorded with their count; each begins a minute of its own.
            auth.rows("DELETE FROM refusal_count")
            work.clear()
            password = PASSWORD if word in ("locked", "disabled") else WRONG
            with pytest.raises(InvalidCredentials) as refused:
                await auth.log_in(f"{word.replace(' ', '-')}@parc.test", password)
            told = (refused.value.reason, refused.value.metadata, refused.value.retry_after)
            seen[word] = (list(work), told)

    assert len({repr(each) for each in seen.values()}) == 1, seen
    hashes = [each for each in seen["wrong"][0] if isinstance(each, str)]
    assert len(hashes) == 1
    assert hashes[0].startswith("$argon2id$")


async def test_an_address_that_guesses_is_held_by_all_workers(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However its attempts are spread, and whoever they are at; for the rest of a minute."""
    monkeypatch.setattr("auth.password_proof.MOST_FROM_ADDRESS", 6)
    clinic = await auth.clinic()
    workers = [PasswordProof(auth.store, auth.hashing, auth.signer) for _ in range(2)]
    now = clock.now().replace(second=10)

    with clock.frozen(now):
        for number in range(6):
            anonymous("Login")
            await workers[number % 2].attempt(f"{number}@nowhere.test", WRONG)
        for worker in workers:
            with pytest.raises(Overloaded) as refused:
                await worker.attempt(clinic.email, PASSWORD)
            assert refused.value.retry_after == 50.0
    with clock.frozen(now + timedelta(seconds=50)):
        attempted = await workers[0].attempt(clinic.email, PASSWORD)

    assert attempted.proven
    assert lockout.MOST_FROM_ADDRESS == MOST_FROM_ADDRESS == 200


async def test_a_held_address_lengthens_no_accounts_delay(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its further attempts are not even counted."""
    monkeypatch.setattr("auth.password_proof.MOST_FROM_ADDRESS", 2)
    clinic = await auth.clinic()
    with clock.frozen(clock.now()):
        for _ in range(2):
            with pytest.raises(InvalidCredentials):
                await auth.log_in(clinic.email, WRONG)
        before = auth.rows("SELECT failures FROM login_attempt")

        for _ in range(5):
            with pytest.raises(Overloaded):
                await auth.log_in(clinic.email, WRONG)

    assert auth.rows("SELECT failures FROM login_attempt") == before
