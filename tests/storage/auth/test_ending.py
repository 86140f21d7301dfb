"""The end of sessions: each kind ends what it says, for good, and nothing else."""

import asyncio
from uuid import UUID

import pytest

from auth import operation
from auth.domain.refusals import NotAMember, RefreshRefused, TokenInvalid
from core.errors import NotFound
from core.ids import new_id
from medhub.auth.v1 import auth_service_pb2 as wire
from medhub.auth.v1 import session_service_pb2 as sessions
from tests.support.credentials import Auth, anonymous


async def _alive(auth: Auth, made: wire.LoginResponse) -> tuple[bool, bool]:
    """Whether its access token is accepted, and whether its session can be renewed."""
    try:
        await auth.proving.prove(made.access_token)
        accepted = True
    except TokenInvalid:
        accepted = False
    anonymous("RefreshToken")
    try:
        await auth.auth.RefreshToken(wire.RefreshTokenRequest(refresh_token=made.refresh_token))
    except RefreshRefused:
        return accepted, False
    return accepted, True


async def _listed(auth: Auth, made: wire.LoginResponse) -> list[str]:
    await auth.act(made.access_token, "ListSessions")
    answer = await auth.sessions.ListSessions(sessions.ListSessionsRequest())
    return [each.name for each in answer.sessions]


def _kinds(auth: Auth, revision: int) -> list[str]:
    rows = auth.rows(
        f"SELECT event->>'kind' AS kind FROM auth_event WHERE revision = {revision}"
        " ORDER BY ordinal"
    )
    return [row["kind"] for row in rows]


async def _member_of_two(auth: Auth) -> tuple[str, UUID, UUID]:
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    for clinic in (first, second):
        await auth.user(clinic.organization, "both@nurse.test", "nurse")
    return "both@nurse.test", first.organization, second.organization


async def test_all_of_ones_own_end_everywhere(auth: Auth) -> None:
    """In every organization, the current one too; another person's go on. One event."""
    email, first, second = await _member_of_two(auth)
    here = await auth.log_in(email, organization=f"organizations/{first}")
    there = await auth.log_in(email, organization=f"organizations/{second}")
    other = await auth.log_in(auth.clinics[0].email)
    await auth.act(here.access_token)

    answer = await auth.sessions.RevokeAllSessions(sessions.RevokeAllSessionsRequest())

    assert answer.ended == 2
    assert _kinds(auth, answer.auth_revision) == ["subject_epoch"]
    assert [await _alive(auth, each) for each in (here, there, other)] == [
        (False, False), (False, False), (True, True),
    ]  # fmt: skip


async def test_the_current_one_can_be_kept(auth: Auth) -> None:
    """The others are dead; of those at rest no server is told, since no token of theirs lives."""
    clinic = await auth.clinic()
    resting, live, current = [await auth.log_in(clinic.email) for _ in range(3)]
    old = "UPDATE refresh_token SET created_at = now() - interval '6 minutes' WHERE session_id ="
    auth.rows(f"{old} '{resting.session.removeprefix('sessions/')}'")
    await auth.act(current.access_token)

    answer = await auth.sessions.RevokeAllSessions(
        sessions.RevokeAllSessionsRequest(keep_current=True)
    )
    again = await auth.sessions.RevokeAllSessions(
        sessions.RevokeAllSessionsRequest(keep_current=True)
    )

    assert (answer.ended, again.ended) == (2, 0)
    assert _kinds(auth, answer.auth_revision) == ["session_revoked"]
    assert again.auth_revision == answer.auth_revision
    assert await _listed(auth, current) == [current.session]
    assert [await _alive(auth, each) for each in (resting, live, current)] == [
        (False, False), (False, False), (True, True),
    ]  # fmt: skip


async def test_a_log_in_at_the_same_moment_is_not_missed(auth: Auth) -> None:
    """What was opened before the end commits has ended too, or its opening came after."""
    clinic = await auth.clinic()
    current = await auth.log_in(clinic.email)
    await auth.act(current.access_token)

    async def end() -> int:
        answer = await auth.sessions.RevokeAllSessions(sessions.RevokeAllSessionsRequest())
        return answer.auth_revision

    ending = asyncio.create_task(end())
    opened = await asyncio.gather(*(asyncio.create_task(auth.log_in(clinic.email)) for _ in "123"))
    revision = await ending

    for made in opened:
        accepted, renewed = await _alive(auth, made)
        assert accepted or not renewed, f"dead at {revision}, and renewed all the same"


async def test_a_members_sessions_end_in_the_organization_alone(auth: Auth) -> None:
    """What they have open elsewhere goes on, and they may log in again."""
    email, first, second = await _member_of_two(auth)
    here = await auth.log_in(email, organization=f"organizations/{first}")
    there = await auth.log_in(email, organization=f"organizations/{second}")
    colleague = await auth.log_in(auth.clinics[0].email)
    member = auth.rows(
        f"SELECT id FROM membership WHERE email = '{email}' AND organization_id = '{first}'"
    )[0]["id"]
    await auth.act_as_administrator(auth.clinics[0])

    answer = await auth.sessions.RevokeMemberSessions(
        sessions.RevokeMemberSessionsRequest(name=f"memberships/{member}")
    )

    assert _kinds(auth, answer.auth_revision) == ["membership_epoch"]
    assert [await _alive(auth, each) for each in (here, there, colleague)] == [
        (False, False), (True, True), (True, True),
    ]  # fmt: skip
    again = await auth.log_in(email, organization=f"organizations/{first}")
    assert await _alive(auth, again) == (True, True)


async def test_another_organizations_member_is_not_found(auth: Auth) -> None:
    """Nor is one that does not exist."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    theirs = auth.rows(
        f"SELECT id FROM membership WHERE organization_id = '{second.organization}'"
    )[0]["id"]
    await auth.act_as_administrator(first)

    for member in (theirs, new_id()):
        with pytest.raises(NotFound):
            await auth.sessions.RevokeMemberSessions(
                sessions.RevokeMemberSessionsRequest(name=f"memberships/{member}")
            )


async def test_an_organizations_sessions_end_by_one_event(auth: Auth) -> None:
    """No row of a session is touched, and none of them can be used, seen or moved any more."""
    email, first, second = await _member_of_two(auth)
    people = [f"n{each}@alpha.test" for each in range(5)]
    for person in people:
        await auth.user(first, person, "nurse")
    here = [await auth.log_in(each) for each in people]
    here.append(await auth.log_in(email, organization=f"organizations/{first}"))
    there = await auth.log_in(email, organization=f"organizations/{second}")
    await auth.act_as_administrator(auth.clinics[0])

    answer = await auth.sessions.RevokeOrganizationSessions(
        sessions.RevokeOrganizationSessionsRequest()
    )

    assert _kinds(auth, answer.auth_revision) == ["organization_epoch"]
    assert auth.rows("SELECT id FROM session WHERE revoked_at IS NOT NULL") == []
    assert [await _alive(auth, each) for each in here] == [(False, False)] * 6
    assert await _alive(auth, there) == (True, True)
    assert await _listed(auth, there) == [there.session]
    again = await auth.log_in(email, organization=f"organizations/{first}")
    assert await _alive(auth, again) == (True, True)


async def test_a_session_that_has_moved_ends_with_where_it_is(auth: Auth) -> None:
    """It ends with the organization it works in, and not with one that it has left."""
    email, first, second = await _member_of_two(auth)
    made = await auth.log_in(email, organization=f"organizations/{first}")
    await auth.act(made.access_token)
    moved = await auth.auth.SwitchOrganization(
        wire.SwitchOrganizationRequest(organization=f"organizations/{second}")
    )
    await auth.act_as_administrator(auth.clinics[0])
    await auth.sessions.RevokeOrganizationSessions(sessions.RevokeOrganizationSessionsRequest())
    assert (await auth.proving.prove(moved.credentials.access_token)).roles == ("nurse",)

    await auth.act_as_administrator(auth.clinics[1])
    await auth.sessions.RevokeOrganizationSessions(sessions.RevokeOrganizationSessionsRequest())

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(moved.credentials.access_token)
    session = UUID(made.session.removeprefix("sessions/"))
    user = UUID(made.user.removeprefix("users/"))
    with pytest.raises(NotAMember):
        await auth.auth._renewal.switch(session, user, first)


async def test_everything_ends_everywhere(auth: Auth) -> None:
    """Sessions of all organizations and of none, and tokens of programs; log-in works again."""
    email, first, _ = await _member_of_two(auth)
    homeless = await auth.log_in(email)
    made = [homeless, *[await auth.log_in(clinic.email) for clinic in auth.clinics]]
    assert not homeless.organization

    revision = await operation.end_everything(auth.store)

    assert _kinds(auth, revision) == ["global_epoch"]
    assert [await _alive(auth, each) for each in made] == [(False, False)] * 3
    again = await auth.log_in(email, organization=f"organizations/{first}")
    assert await _alive(auth, again) == (True, True)
    assert await _listed(auth, again) == [again.session]


async def test_a_session_shows_the_device_in_words(auth: Auth) -> None:
    """As the client named itself at the log-in."""
    clinic = await auth.clinic()
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    anonymous("Login", agent=firefox)
    made = await auth.auth.Login(
        wire.LoginRequest(email=clinic.email, password="bright-kestrel-orbit-41")
    )
    await auth.act(made.access_token, "ListSessions")

    answer = await auth.sessions.ListSessions(sessions.ListSessionsRequest())

    assert [each.device for each in answer.sessions] == ["Firefox on Windows"]
