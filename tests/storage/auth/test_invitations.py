"""Invitations against a real database: who accepts them, and what they are before that."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from auth.background import own_call
from auth.domain.activations import ACTIVATION_LIFE
from auth.domain.refusals import (
    ActivationRefused,
    AlreadyAMember,
    EscalationRefused,
    InvalidCredentials,
    NotAMember,
    OrganizationCreationClosed,
    PasswordTooCommon,
)
from core import clock
from core.errors import EtagMismatch
from core.identity import Caller, Kind
from medhub.auth.v1 import auth_service_pb2 as auth_wire
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from tests.storage.auth.test_organizations import founding
from tests.support.credentials import OTHER_PASSWORD, PASSWORD, Auth, Clinic, anonymous, enter

ACTIVE = membership_pb2.MEMBERSHIP_STATE_ACTIVE
SUSPENDED = membership_pb2.MEMBERSHIP_STATE_SUSPENDED
INVITED = membership_pb2.MEMBERSHIP_STATE_INVITED
ZOE = "zoe@parc.test"
ONCE = "5d0d1d5a-0f0e-4a54-8f0a-3a2b1c0d9e8f"


async def invite(auth: Auth, clinic: Clinic, email: str, *roles: str) -> membership_pb2.Membership:
    """An invitation of the clinic."""
    await auth.act_as_administrator(clinic)
    made = membership_pb2.Membership(email=email, display_name="Dr. Zoé Blanc", roles=roles)
    return await auth.memberships.CreateMembership(wire.CreateMembershipRequest(membership=made))


async def get(auth: Auth, clinic: Clinic, name: str) -> membership_pb2.Membership:
    """The membership as its organization sees it."""
    await auth.act_as_administrator(clinic)
    return await auth.memberships.GetMembership(wire.GetMembershipRequest(name=name))


async def suspend(auth: Auth, held: membership_pb2.Membership) -> membership_pb2.Membership:
    """Suspend it as the caller."""
    return await auth.memberships.SuspendMembership(
        wire.SuspendMembershipRequest(name=held.name, etag=held.etag)
    )


async def reactivate(auth: Auth, held: membership_pb2.Membership) -> membership_pb2.Membership:
    """Reactivate it as the caller."""
    return await auth.memberships.ReactivateMembership(
        wire.ReactivateMembershipRequest(name=held.name, etag=held.etag)
    )


async def activate(auth: Auth, token: str, password: str = OTHER_PASSWORD) -> str:
    """Accept with a first password; the user's name."""
    anonymous("ActivateAccount")
    answer = await auth.auth.ActivateAccount(
        auth_wire.ActivateAccountRequest(activation_token=token, password=password)
    )
    return answer.user


async def accept(auth: Auth, token: str, access_token: str) -> str:
    """Accept as the owner of an access token; the name of the organization."""
    await auth.act(access_token, "AcceptMembership")
    answer = await auth.auth.AcceptMembership(
        auth_wire.AcceptMembershipRequest(activation_token=token)
    )
    return answer.organization.display_name


def told(auth: Auth) -> int:
    """How many changes of memberships every server was told."""
    [row] = auth.rows(
        "SELECT count(*) AS n FROM auth_event WHERE event->>'kind' = 'membership_changed'"
    )
    return int(row["n"])


async def sorted_kinds(*calls: Awaitable[object]) -> list[str]:
    """What calls at once end with, by name of its type."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return sorted(type(each).__name__ for each in answers)


async def test_a_new_address_gets_an_account_by_its_token(auth: Auth) -> None:
    """Invite, activate, log in: there is no account and no event before, and both after."""
    clinic = await auth.clinic()
    made = await invite(auth, clinic, ZOE, "doctor", "nurse")
    before = told(auth)

    with pytest.raises(InvalidCredentials):
        await auth.log_in(ZOE, OTHER_PASSWORD)
    assert auth.rows("SELECT 1 FROM app_user WHERE email = %s", ZOE) == []
    user = await activate(auth, made.activation_token)
    logged_in = await auth.log_in(ZOE, OTHER_PASSWORD)
    held = await get(auth, clinic, made.name)

    assert (made.state, made.user, made.etag) == (INVITED, "", "1")
    assert (held.state, held.user, held.etag) == (ACTIVE, user, "2")
    assert list(held.roles) == ["doctor", "nurse"]
    assert held.activation_token == ""
    assert logged_in.organization == f"organizations/{clinic.organization}"
    assert (before, told(auth)) == (1, 2)


async def test_the_answer_does_not_tell_whether_there_is_an_account(auth: Auth) -> None:
    """A known address and a new one: the same fields are set, in every answer and in the trail."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    known = await invite(auth, second, first.email.upper(), "nurse")
    new = await invite(auth, second, ZOE, "nurse")

    listed = await auth.memberships.ListMemberships(wire.ListMembershipsRequest())
    shown = [each for each in listed.memberships if each.state == INVITED]
    trail = auth.rows(
        "SELECT entity, subject, after - ARRAY['id', 'membership_id', 'expires_at', 'created_at',"
        " 'updated_at', 'invitation_expires_at'] AS after FROM medhub.audit_outbox"
        " WHERE context->>'action' = 'auth.test' AND entity <> '' ORDER BY seq"
    )

    assert [f.name for f, _ in known.ListFields()] == [f.name for f, _ in new.ListFields()]
    assert (known.user, new.user) == ("", "")
    assert [(each.user, each.activation_token) for each in shown] == [("", "")] * 2
    assert trail[: len(trail) // 2] == trail[len(trail) // 2 :]
    with pytest.raises(AlreadyAMember):
        await invite(auth, second, first.email)


async def test_an_invitation_counts_nowhere_until_it_is_accepted(auth: Auth) -> None:
    """Log-in, the list of one's organizations and the switch know nothing of it."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    made = await invite(auth, second, first.email, "administrator")
    there = f"organizations/{second.organization}"

    logged_in = await auth.log_in(first.email)
    await auth.act(logged_in.access_token)
    mine = await auth.auth.ListMyOrganizations(auth_wire.ListMyOrganizationsRequest())
    with pytest.raises(NotAMember):
        await auth.auth.SwitchOrganization(auth_wire.SwitchOrganizationRequest(organization=there))
    with pytest.raises(NotAMember):
        await auth.log_in(first.email, organization=there)
    accepted = await accept(auth, made.activation_token, logged_in.access_token)
    moved = await auth.auth.SwitchOrganization(
        auth_wire.SwitchOrganizationRequest(organization=there)
    )

    assert logged_in.organization == f"organizations/{first.organization}"
    assert [each.display_name for each in mine.organizations] == ["Alpha"]
    assert accepted == "Beta"
    proven = await auth.proving.prove(moved.credentials.access_token)
    assert proven.roles == ("administrator",)


async def test_who_takes_an_address_first_gets_into_no_other_organization(auth: Auth) -> None:
    """The account that Beta's administrator controls does not join Alpha by Alpha's invitation."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    taken = await invite(auth, beta, ZOE, "nurse")
    await activate(auth, taken.activation_token)
    theirs = (await auth.log_in(ZOE, OTHER_PASSWORD)).access_token

    meant = await invite(auth, alpha, ZOE, "administrator")
    again = await auth.log_in(ZOE, OTHER_PASSWORD)

    assert [each.display_name for each in again.organizations] == ["Beta"]
    with pytest.raises(ActivationRefused):
        await activate(auth, meant.activation_token)
    with pytest.raises(ActivationRefused):
        await accept(auth, taken.activation_token, theirs)
    assert (await get(auth, alpha, meant.name)).state == INVITED


async def test_the_other_invitation_of_a_new_address_stays_open(auth: Auth) -> None:
    """The first activation accepts its own; the second organization is joined by consent."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    first = await invite(auth, alpha, ZOE)
    second = await invite(auth, beta, ZOE)

    await activate(auth, first.activation_token)
    logged_in = await auth.log_in(ZOE, OTHER_PASSWORD)
    with pytest.raises(ActivationRefused):
        await activate(auth, second.activation_token)
    waiting = await get(auth, beta, second.name)
    accepted = await accept(auth, second.activation_token, logged_in.access_token)

    assert [each.display_name for each in logged_in.organizations] == ["Alpha"]
    assert waiting.state == INVITED
    assert accepted == "Beta"


async def test_an_invitation_is_accepted_by_its_own_address_only(auth: Auth) -> None:
    """Who has the token and another account is refused, and uses nothing up."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.user(alpha.organization, "yan@parc.test", "nurse")
    made = await invite(auth, beta, alpha.email)
    stranger = (await auth.log_in("yan@parc.test")).access_token
    _, key = await auth.service(alpha.organization, "integration")

    with pytest.raises(ActivationRefused):
        await accept(auth, made.activation_token, stranger)
    enter(Caller(kind=Kind.SERVICE, organization=alpha.organization), "AcceptMembership")
    with pytest.raises(ActivationRefused):
        await auth.auth.AcceptMembership(
            auth_wire.AcceptMembershipRequest(activation_token=made.activation_token)
        )

    assert key
    token = (await auth.log_in(alpha.email)).access_token
    assert await accept(auth, made.activation_token, token) == "Beta"


async def test_an_invitation_is_accepted_once_even_at_once(auth: Auth) -> None:
    """Of two in parallel one succeeds, by a new account and by an old one."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    fresh = await invite(auth, alpha, ZOE)
    known = await invite(auth, beta, alpha.email)
    token = (await auth.log_in(alpha.email)).access_token

    activated = await sorted_kinds(
        activate(auth, fresh.activation_token, OTHER_PASSWORD),
        activate(auth, fresh.activation_token, PASSWORD),
    )
    accepted = await sorted_kinds(
        accept(auth, known.activation_token, token), accept(auth, known.activation_token, token)
    )

    assert activated == accepted == ["ActivationRefused", "str"]
    assert told(auth) == 4
    for each in (fresh, known):
        with pytest.raises(ActivationRefused):
            await activate(auth, each.activation_token)


async def test_two_first_passwords_of_one_address_at_once(auth: Auth) -> None:
    """Two organizations invited it: one activation makes the account, the other is refused."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    made = [await invite(auth, clinic, ZOE) for clinic in (alpha, beta)]

    ended = await sorted_kinds(*(activate(auth, each.activation_token) for each in made))

    assert ended == ["ActivationRefused", "str"]
    assert auth.rows("SELECT count(*) AS n FROM membership WHERE email = %s"
                     " AND user_id IS NOT NULL", ZOE) == [{"n": 1}]  # fmt: skip


@pytest.mark.parametrize("attempt", range(5))
async def test_accepting_and_suspending_at_once(auth: Auth, attempt: int) -> None:
    """Either the token is dead, or the suspension has to look again: never both, never none."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    made = await invite(auth, beta, alpha.email)
    token = (await auth.log_in(alpha.email)).access_token

    async def suspend_as_administrator() -> membership_pb2.Membership:
        await auth.act_as_administrator(beta)
        await asyncio.sleep(attempt * 0.002)
        return await suspend(auth, made)

    ended = await asyncio.gather(
        accept(auth, made.activation_token, token),
        suspend_as_administrator(),
        return_exceptions=True,
    )
    held = await get(auth, beta, made.name)

    if isinstance(ended[0], ActivationRefused):
        assert (held.state, held.user) == (SUSPENDED, "")
    else:
        assert isinstance(ended[1], EtagMismatch)
        assert (held.state, held.user) == (ACTIVE, f"users/{alpha.administrator}")


async def test_nobody_joins_with_an_account_that_is_deleted_meanwhile(auth: Auth) -> None:
    """Neither by an invitation nor by founding: nobody could end such a membership."""
    alpha, beta = await auth.clinic("Alpha"), await auth.clinic("Beta")
    user = await auth.user(alpha.organization, ZOE, "nurse")
    made = await invite(auth, beta, ZOE, "doctor")
    token = (await auth.log_in(ZOE)).access_token

    async def found() -> None:
        await auth.act(token, "CreateOrganization")
        await auth.organizations.CreateOrganization(founding("Cabinet Blanc"))

    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        await tx.users.erase(user, clock.now())
        joining = asyncio.gather(
            accept(auth, made.activation_token, token), found(), return_exceptions=True
        )
        await waiting(auth, 2)

    ended = [type(each) for each in await joining]
    assert ended == [ActivationRefused, OrganizationCreationClosed]
    assert auth.rows("SELECT 1 FROM organization WHERE display_name = 'Cabinet Blanc'") == []
    assert (await get(auth, beta, made.name)).user == ""


async def waiting(auth: Auth, count: int) -> None:
    """Until so many transactions wait for a row that another one holds."""
    async with asyncio.timeout(60):
        while len(auth.rows(_WAITING)) < count:  # noqa: ASYNC110 - of the database
            await asyncio.sleep(0.01)


_WAITING = """SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


async def test_a_suspended_invitation_is_cancelled_and_can_be_made_anew(auth: Auth) -> None:
    """The old token stays dead; the new one works, and no server is told before it is used."""
    clinic = await auth.clinic()
    made = await invite(auth, clinic, ZOE, "nurse")
    roles = wire.SetMembershipRolesRequest(name=made.name, roles=["doctor"], etag=made.etag)
    changed = await auth.memberships.SetMembershipRoles(roles)
    before = told(auth)

    cancelled = await suspend(auth, changed)
    with pytest.raises(ActivationRefused):
        await activate(auth, made.activation_token)
    await auth.act_as_administrator(clinic)
    anew = await reactivate(auth, cancelled)
    with pytest.raises(ActivationRefused):
        await activate(auth, made.activation_token)
    quiet = told(auth)
    user = await activate(auth, anew.activation_token)
    held = await get(auth, clinic, made.name)

    assert (changed.state, changed.activation_token) == (INVITED, "")
    assert (cancelled.state, cancelled.user, cancelled.activation_token) == (SUSPENDED, "", "")
    assert anew.state == INVITED
    assert (held.state, held.user, list(held.roles)) == (ACTIVE, user, ["doctor"])
    assert before == quiet == 1


async def test_a_new_token_is_given_by_who_could_give_the_roles(auth: Auth) -> None:
    """Or who may only suspend would take the roles with the token."""
    clinic = await auth.clinic()
    made = await invite(auth, clinic, ZOE, "administrator")
    cancelled = await suspend(auth, made)
    caller = await auth.act_as_administrator(clinic)
    enter(
        Caller(
            kind=caller.kind,
            subject=caller.subject,
            organization=caller.organization,
            session=caller.session,
            permissions=frozenset({"auth.memberships.suspend"}),
        ),
        "Test",
    )

    with pytest.raises(EscalationRefused):
        await reactivate(auth, cancelled)

    assert (await get(auth, clinic, made.name)).state == SUSPENDED


async def test_an_invitation_expires(auth: Auth) -> None:
    """After a week its token is as dead as an unknown one."""
    made = await invite(auth, await auth.clinic(), ZOE)

    auth.rows("UPDATE activation SET expires_at = expires_at - %s", ACTIVATION_LIFE)

    assert timedelta(days=7) == ACTIVATION_LIFE
    with pytest.raises(ActivationRefused):
        await activate(auth, made.activation_token)


async def test_a_common_password_is_refused_before_the_token_is_used(auth: Auth) -> None:
    """Who chooses badly may choose again."""
    made = await invite(auth, await auth.clinic(), ZOE)

    with pytest.raises(PasswordTooCommon):
        await activate(auth, made.activation_token, "MotDePasse123456")

    assert await activate(auth, made.activation_token)


async def test_a_repeated_invitation_says_the_same_until_it_is_accepted(auth: Auth) -> None:
    """A retry gets the token again; after the acceptance it gets the membership without it."""
    clinic = await auth.clinic()
    caller = await auth.act_as_administrator(clinic)
    member = membership_pb2.Membership(email=ZOE, display_name="Zoé")
    request = wire.CreateMembershipRequest(membership=member, request_id=ONCE)
    enter(caller, "CreateMembership", request_id=ONCE, request_hash=b"same")

    made = await auth.memberships.CreateMembership(request)
    again = await auth.memberships.CreateMembership(request)
    user = await activate(auth, made.activation_token)
    enter(caller, "CreateMembership", request_id=ONCE, request_hash=b"same")
    late = await auth.memberships.CreateMembership(request)

    assert made == again
    assert (late.user, late.state, late.activation_token) == (user, ACTIVE, "")


async def test_the_operator_s_bootstrap_accepts_an_open_invitation(auth: Auth) -> None:
    """Its roles count, and the token of the invitation is dead."""
    clinic = await auth.clinic()
    made = await invite(auth, clinic, ZOE, "nurse")

    user = await auth.user(clinic.organization, ZOE.upper(), "doctor")
    held = await get(auth, clinic, made.name)

    assert (held.state, held.user, list(held.roles)) == (ACTIVE, f"users/{user}", ["doctor"])
    with pytest.raises(ActivationRefused):
        await activate(auth, made.activation_token)


async def test_the_operator_and_the_person_accept_at_once(auth: Auth) -> None:
    """They take turns, and there is one account and one membership."""
    clinic = await auth.clinic()
    made = await invite(auth, clinic, ZOE)

    await asyncio.gather(
        activate(auth, made.activation_token),
        auth.user(clinic.organization, ZOE, "doctor"),
        return_exceptions=True,
    )

    assert (await get(auth, clinic, made.name)).state == ACTIVE
    assert len(auth.rows("SELECT 1 FROM app_user WHERE email = %s", ZOE)) == 1


async def test_no_address_of_an_invitation_is_in_the_trail(auth: Auth) -> None:
    """Nobody's key can seal it there before there is an account."""
    await invite(auth, await auth.clinic(), ZOE)

    kept = str(auth.rows("SELECT before, after FROM medhub.audit_outbox"))

    assert ZOE not in kept
