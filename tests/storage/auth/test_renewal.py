"""Refresh tokens against a real database: once, in turns, and derived."""

import asyncio

import pytest

from auth.background import own_call
from auth.domain.messages import Template
from auth.domain.refusals import NotAMember, RefreshRefused, TokenInvalid
from auth.posting import Post
from core import clock
from core.ids import new_id
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import Auth, anonymous

FIRST = "0a8a6a2e-5b1c-4a5e-9a8b-0e1f2a3b4c5d"
SECOND = "1b9b7b3f-6c2d-4b6f-8b9c-1f2a3b4c5d6e"


async def refresh(auth: Auth, token: str, request_id: str = "") -> wire.RefreshTokenResponse:
    """Refresh as a client does: nobody is proven but by the token."""
    anonymous("RefreshToken")
    return await auth.auth.RefreshToken(
        wire.RefreshTokenRequest(refresh_token=token, request_id=request_id)
    )


async def test_a_token_is_followed_by_its_successor(auth: Auth) -> None:
    """Each use gives a new pair of the same session."""
    made = await auth.log_in((await auth.clinic()).email)

    second = await refresh(auth, made.refresh_token)
    third = await refresh(auth, second.refresh_token)

    assert len({made.refresh_token, second.refresh_token, third.refresh_token}) == 3
    proven = await auth.proving.prove(third.access_token)
    assert f"sessions/{proven.claims.session}" == made.session


async def test_a_lost_answer_can_be_asked_for_again(auth: Auth) -> None:
    """The same request_id gets the same successor while that is unused."""
    made = await auth.log_in((await auth.clinic()).email)

    second = await refresh(auth, made.refresh_token, FIRST)
    again = await refresh(auth, made.refresh_token, FIRST)

    assert again.refresh_token == second.refresh_token
    assert (await refresh(auth, again.refresh_token)).refresh_token


async def test_twins_with_one_request_id_get_one_successor(auth: Auth) -> None:
    """A client that refreshes twice at once, with one request_id, is no thief."""
    made = await auth.log_in((await auth.clinic()).email)

    both = await asyncio.gather(*(refresh(auth, made.refresh_token, FIRST) for _ in range(2)))

    assert both[0].refresh_token == both[1].refresh_token


async def test_of_two_parties_neither_goes_on(auth: Auth) -> None:
    """Two different uses at once: one gets tokens, and both lose the session."""
    made = await auth.log_in((await auth.clinic()).email)

    answers = await asyncio.gather(
        refresh(auth, made.refresh_token, FIRST),
        refresh(auth, made.refresh_token, SECOND),
        return_exceptions=True,
    )

    issued = [each for each in answers if isinstance(each, wire.RefreshTokenResponse)]
    assert len(issued) == 1
    assert [type(each) for each in answers if each not in issued] == [RefreshRefused]
    with pytest.raises(RefreshRefused):
        await refresh(auth, issued[0].refresh_token)
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)


async def test_a_spent_token_ends_its_session_and_is_told(auth: Auth) -> None:
    """Reuse is an act in the trail and an event on the stream, although the call is refused."""
    made = await auth.log_in((await auth.clinic()).email)
    await refresh(auth, made.refresh_token, FIRST)

    with pytest.raises(RefreshRefused):
        await refresh(auth, made.refresh_token, SECOND)

    assert "auth.refresh_reuse" in [act for act, _ in auth.acts()]
    events = auth.rows("SELECT event->>'kind' AS kind FROM auth_event ORDER BY revision DESC")
    assert events[0]["kind"] == "session_revoked"


async def test_the_person_is_told_of_a_session_that_reuse_has_ended(auth: Auth) -> None:
    """Once: the session has ended then, whoever presents which token."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    await refresh(auth, made.refresh_token, FIRST)

    for _ in range(2):
        with pytest.raises(RefreshRefused):
            await refresh(auth, made.refresh_token, SECOND)

    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        [row] = auth.rows("SELECT id, content FROM message")
        told = await Post(auth.keyring).open(tx, row["id"].bytes, bytes(row["content"]))
    assert (told.to, told.template) == (clinic.email, Template.SESSION_ENDED_BY_REUSE)


async def test_a_repeat_comes_too_late_after_the_successor_was_used(auth: Auth) -> None:
    """A repeated request_id is no way back once the successor is spent."""
    made = await auth.log_in((await auth.clinic()).email)
    second = await refresh(auth, made.refresh_token, FIRST)
    await refresh(auth, second.refresh_token)

    with pytest.raises(RefreshRefused):
        await refresh(auth, made.refresh_token, FIRST)


async def test_an_unknown_or_old_token_is_refused(auth: Auth) -> None:
    """Both are refused alike, and an old one ends nothing."""
    made = await auth.log_in((await auth.clinic()).email)
    auth.rows("UPDATE refresh_token SET expires_at = now()")

    with pytest.raises(RefreshRefused):
        await refresh(auth, "nobody-made-this")
    with pytest.raises(RefreshRefused):
        await refresh(auth, made.refresh_token)
    assert (await auth.proving.prove(made.access_token)).roles == ("administrator",)


async def test_a_logged_out_session_is_dead(auth: Auth) -> None:
    """Logging out kills both tokens, and twice is as good as once."""
    made = await auth.log_in((await auth.clinic()).email)
    await auth.act(made.access_token, "Logout")

    first = await auth.auth.Logout(wire.LogoutRequest())
    second = await auth.auth.Logout(wire.LogoutRequest())

    assert first.auth_revision == second.auth_revision
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    with pytest.raises(RefreshRefused):
        await refresh(auth, made.refresh_token)


async def test_the_old_refresh_token_is_spent_by_a_switch(auth: Auth) -> None:
    """After a switch only the new refresh token is good."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.user(second.organization, first.email, "nurse")
    made = await auth.log_in(first.email)
    await auth.act(made.access_token, "SwitchOrganization")

    moved = await auth.auth.SwitchOrganization(
        wire.SwitchOrganizationRequest(organization=f"organizations/{second.organization}")
    )

    assert (await refresh(auth, moved.credentials.refresh_token)).access_token
    with pytest.raises(RefreshRefused):
        await refresh(auth, made.refresh_token)


async def test_nobody_switches_to_where_they_do_not_belong(auth: Auth) -> None:
    """A foreign organization and one that does not exist are refused alike."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    made = await auth.log_in(first.email)
    await auth.act(made.access_token, "SwitchOrganization")

    for organization in (second.organization, new_id()):
        with pytest.raises(NotAMember):
            await auth.auth.SwitchOrganization(
                wire.SwitchOrganizationRequest(organization=f"organizations/{organization}")
            )


async def test_a_token_carries_a_revision_that_was_issued(auth: Auth) -> None:
    """`rev` is the revision of the snapshot that the token was made from."""
    made = await auth.log_in((await auth.clinic()).email)

    proven = await auth.proving.prove(made.access_token)

    assert proven.claims.revision == auth.rows("SELECT value FROM auth_revision")[0]["value"]
    assert (proven.claims.expires_at - clock.now()).total_seconds() <= 300
