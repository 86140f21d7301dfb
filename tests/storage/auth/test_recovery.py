"""A forgotten password, against a real database."""

import asyncio

import pytest

from auth.domain.messages import Template
from auth.domain.refusals import (
    InvalidCredentials,
    ResetRefused,
    TokenInvalid,
)
from auth.operation import disable_account
from tests.support.credentials import OTHER_PASSWORD, Auth
from tests.support.mails import kept_messages
from tests.support.own_accounts import (
    ask_reset,
    reset,
    templates,
)


async def test_a_reset_ends_all_sessions_and_opens_none(auth: Auth) -> None:
    """The old password, every token and every refresh are dead; a log-in is as ever."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    await ask_reset(auth, clinic.email.upper())

    await reset(auth, await auth.mailed(clinic.email, Template.RESET_PASSWORD))

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    assert auth.rows("SELECT count(*) AS n FROM session WHERE revoked_at IS NULL") == [{"n": 0}]
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email)
    assert (await auth.log_in(clinic.email, OTHER_PASSWORD)).access_token
    assert Template.PASSWORD_CHANGED in await templates(auth, clinic.email)


async def test_a_reset_works_once_also_when_two_calls_race(auth: Auth) -> None:
    """One token, one password."""
    clinic = await auth.clinic()
    await ask_reset(auth, clinic.email)
    token = await auth.mailed(clinic.email, Template.RESET_PASSWORD)

    results = await asyncio.gather(
        *(asyncio.create_task(reset(auth, token)) for _ in range(4)), return_exceptions=True
    )

    assert sum(isinstance(each, int) for each in results) == 1
    assert all(isinstance(each, int | ResetRefused) for each in results)


async def test_what_cannot_be_reset_is_refused_alike(auth: Auth) -> None:
    """Too old, of an account that the operator has shut, never made."""
    clinic = await auth.clinic()
    await ask_reset(auth, clinic.email)
    first = await auth.mailed(clinic.email, Template.RESET_PASSWORD)
    auth.rows("UPDATE mail_token SET expires_at = now()")
    await ask_reset(auth, clinic.email)
    second = await auth.mailed(clinic.email, Template.RESET_PASSWORD)
    await disable_account(auth.store, clinic.email)

    for token in (first, second, "made up"):
        with pytest.raises(ResetRefused):
            await reset(auth, token)


async def test_asking_for_a_reset_writes_to_an_account_alone(auth: Auth) -> None:
    """An address of nobody gets no mail, and leaves a row that nobody can use."""
    await ask_reset(auth, "nobody@nowhere.test")

    assert await kept_messages(auth.store, auth.keyring) == []
    assert auth.rows("SELECT used_at IS NULL AS usable FROM mail_token") == [{"usable": False}]


async def test_a_reset_opens_the_lane_that_strangers_closed(auth: Auth) -> None:
    """Whoever has proven the account by mail is not shut out by who guessed at it."""
    clinic = await auth.clinic()
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email, "wrong-password-here")
    auth.rows("UPDATE login_attempt SET failures = 30, open_at = now() + interval '10 minutes'")
    await ask_reset(auth, clinic.email)

    await reset(auth, await auth.mailed(clinic.email, Template.RESET_PASSWORD))

    assert (await auth.log_in(clinic.email, OTHER_PASSWORD)).access_token
