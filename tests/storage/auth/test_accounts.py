"""What people do with their own account, against a real database."""

import asyncio
from typing import Any

import pytest

from auth import bootstrap
from auth.domain.messages import MOST_ASKED, Template
from auth.domain.refusals import (
    InvalidCredentials,
    LastAdministrator,
    ReauthenticationFailed,
    TokenInvalid,
    TooManyCodes,
)
from core.errors import EtagMismatch, InvalidField, NotFound, Refusal
from core.ids import name_of
from medhub.auth.v1 import (
    account_pb2,
    membership_pb2,
    membership_service_pb2,
)
from medhub.auth.v1 import account_service_pb2 as wire
from medhub.auth.v1.auth_service_pb2 import ActivateAccountRequest
from tests.storage.auth.test_organizations import dashboard
from tests.support.credentials import OTHER_PASSWORD, PASSWORD, Auth, anonymous
from tests.support.own_accounts import (
    ANA,
    NEW,
    ask_change,
    ask_reset,
    change_address,
    invitation,
    reset,
    templates,
    verify_email,
)
from tests.support.second_factors import challenged, verify, with_app


async def test_a_password_is_changed_by_who_knows_it(auth: Auth) -> None:
    """Other sessions end where so asked, this one stays; a message tells the person."""
    clinic = await auth.clinic()
    other = await auth.log_in(clinic.email)
    own = await auth.log_in(clinic.email)
    await auth.act(own.access_token, "ChangePassword")
    request = wire.ChangePasswordRequest(
        current_password=PASSWORD, new_password=OTHER_PASSWORD, end_other_sessions=True
    )

    await auth.accounts.ChangePassword(request)

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(other.access_token)
    await auth.proving.prove(own.access_token)
    assert Template.PASSWORD_CHANGED in await templates(auth, clinic.email)
    assert (await auth.log_in(clinic.email, OTHER_PASSWORD)).access_token


async def test_the_same_password_is_no_change(auth: Auth) -> None:
    """Who asks for one believes afterwards that the old one opens nothing any more."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "ChangePassword")

    with pytest.raises(InvalidField):
        await auth.accounts.ChangePassword(
            wire.ChangePasswordRequest(current_password=PASSWORD, new_password=PASSWORD)
        )

    assert Template.PASSWORD_CHANGED not in await templates(auth, clinic.email)


async def test_a_wrong_current_password_counts_as_a_guess(auth: Auth) -> None:
    """It is counted before it is refused, in the lane of log-ins, and changes nothing."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "ChangePassword")
    request = wire.ChangePasswordRequest(current_password="wrong", new_password=OTHER_PASSWORD)

    for _ in range(2):
        with pytest.raises(ReauthenticationFailed):
            await auth.accounts.ChangePassword(request)

    assert auth.rows("SELECT failures FROM login_attempt") == [{"failures": 2}]
    assert (await auth.log_in(clinic.email)).access_token


async def test_an_address_changes_once_the_new_one_is_proven(auth: Auth) -> None:
    """Until then nothing changes; the old address is told."""
    clinic = await auth.clinic()
    await ask_change(auth, clinic.email, NEW)
    assert (await auth.log_in(clinic.email)).access_token

    await verify_email(auth, await auth.mailed(NEW, Template.CONFIRM_NEW_EMAIL))

    assert (await auth.log_in(NEW)).access_token
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email)
    assert Template.EMAIL_CHANGED in await templates(auth, clinic.email)


async def test_memberships_show_the_address_that_the_account_has(auth: Auth) -> None:
    """In every organization; the old one may be invited, an invitation to the new one is void."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    ana = await auth.user(clinic.organization, "ana@parc.test", "nurse")
    await bootstrap.user(auth.store, other.organization, "ana@parc.test", "Ana", PASSWORD, [])
    await auth.act_as_administrator(other)
    await auth.memberships.CreateMembership(invitation(NEW, "doctor"))

    await change_address(auth, "ana@parc.test", NEW)

    for place in (clinic, other):
        await auth.act_as_administrator(place)
        listed = await auth.memberships.ListMemberships(
            membership_service_pb2.ListMembershipsRequest()
        )
        shown = {each.user: each.email for each in listed.memberships}
        assert shown == {
            name_of("users", place.administrator): place.email,
            name_of("users", ana): NEW,
        }
    again = await auth.memberships.CreateMembership(invitation("ana@parc.test", "nurse"))
    assert again.state == membership_pb2.MEMBERSHIP_STATE_INVITED


async def test_an_invitation_elsewhere_keeps_the_address_it_was_sent_to(auth: Auth) -> None:
    """It is the organization's, and nobody has accepted it."""
    clinic, other = await auth.clinic(), await auth.clinic("Clinique du Lac")
    await auth.user(clinic.organization, "ana@parc.test", "nurse")
    await auth.act_as_administrator(other)
    made = await auth.memberships.CreateMembership(invitation("ana@parc.test", "nurse"))

    await change_address(auth, "ana@parc.test", NEW)

    await auth.act_as_administrator(other)
    kept = await auth.memberships.GetMembership(
        membership_service_pb2.GetMembershipRequest(name=made.name)
    )
    assert (kept.email, kept.etag) == ("ana@parc.test", made.etag)


async def test_an_address_that_is_taken_is_not_told_to_who_wants_it(auth: Auth) -> None:
    """Neither when it is asked for nor later: its owner gets a mail."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, NEW, "nurse")
    await auth.act((await auth.log_in(clinic.email)).access_token, "ChangeEmail")

    await auth.accounts.ChangeEmail(
        wire.ChangeEmailRequest(current_password=PASSWORD, new_email=NEW)
    )

    assert await templates(auth, NEW) == [Template.ACCOUNT_EXISTS]


async def test_one_account_asks_for_so_many_links(auth: Auth) -> None:
    """Whether the addresses are taken or not; its log-ins are not slowed by it."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, NEW, "nurse")
    await auth.act((await auth.log_in(clinic.email)).access_token, "ChangeEmail")
    for number in range(MOST_ASKED):
        address = NEW if number % 2 else f"someone{number}@parc.test"
        await auth.accounts.ChangeEmail(
            wire.ChangeEmailRequest(current_password=PASSWORD, new_email=address)
        )

    for address in (NEW, "nobody@parc.test"):
        with pytest.raises(TooManyCodes):
            await auth.accounts.ChangeEmail(
                wire.ChangeEmailRequest(current_password=PASSWORD, new_email=address)
            )

    assert await templates(auth, "nobody@parc.test") == []
    assert auth.rows("SELECT failures FROM login_attempt") == []


async def test_an_account_is_updated_by_its_etag(auth: Auth) -> None:
    """What the mask names changes; a stale etag, a wrong zone and a fixed field are refused."""
    clinic = await auth.clinic()
    await auth.act((await auth.log_in(clinic.email)).access_token, "UpdateAccount")
    held = await auth.accounts.GetAccount(wire.GetAccountRequest())

    async def update(*paths: str, **fields: Any) -> account_pb2.Account:
        request = wire.UpdateAccountRequest(account=account_pb2.Account(**fields))
        request.update_mask.paths.extend(paths)
        return await auth.accounts.UpdateAccount(request)

    dark = account_pb2.Preference(key="theme", value="dark")
    saved = await update(
        etag=held.etag, language="de", time_zone="Europe/Berlin", preferences=[dark]
    )
    cleared = await update("preferences", etag=saved.etag, language="fr")

    assert (saved.language, saved.time_zone, list(saved.preferences)) == (
        "de",
        "Europe/Berlin",
        [dark],
    )
    assert (cleared.language, list(cleared.preferences)) == ("de", [])
    assert cleared == await auth.accounts.GetAccount(wire.GetAccountRequest())
    refusals: list[tuple[type[Refusal], tuple[str, ...], dict[str, Any]]] = [
        (EtagMismatch, (), {"etag": held.etag, "language": "fr"}),
        (InvalidField, (), {"etag": cleared.etag, "time_zone": "Europe/Atlantis"}),
        (InvalidField, (), {"etag": cleared.etag, "time_zone": "right/Europe/Paris"}),
        (InvalidField, ("password_hash",), {"etag": cleared.etag}),
        (InvalidField, ("email",), {"etag": cleared.etag, "email": NEW}),
        (InvalidField, ("language", "create_time"), {"etag": cleared.etag, "language": "fr"}),
        (InvalidField, (), {"etag": cleared.etag, "display_name": "A\nB"}),
        (InvalidField, (), {"etag": cleared.etag, "preferences": [dark, dark]}),
    ]
    for refusal, paths, fields in refusals:
        with pytest.raises(refusal):
            await update(*paths, **fields)


async def test_a_deactivated_account_opens_by_a_reset(auth: Auth) -> None:
    """Nobody logs in meanwhile, and its memberships stay."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, ANA, "nurse")
    made = await auth.log_in(ANA)
    await auth.act(made.access_token, "DeactivateAccount")

    await auth.accounts.DeactivateAccount(wire.DeactivateAccountRequest(current_password=PASSWORD))

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(ANA)
    await ask_reset(auth, ANA)
    await reset(auth, await auth.mailed(ANA, Template.RESET_PASSWORD))
    again = await auth.log_in(ANA, OTHER_PASSWORD)
    assert again.organization == name_of("organizations", clinic.organization)


async def test_a_deleted_account_leaves_its_id_alone(auth: Auth) -> None:
    """No name, no address, no password, no membership; the address is free again."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    user = await auth.user(first.organization, ANA, "nurse")
    await auth.user(second.organization, ANA, "doctor")
    made = await auth.log_in(ANA)
    await auth.act(made.access_token, "DeleteAccount")

    await auth.accounts.DeleteAccount(wire.DeleteAccountRequest(current_password=PASSWORD))

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(ANA)
    kept = "\n".join(
        str(auth.rows(f"SELECT * FROM {table}"))
        for table in ("app_user", "membership", "session", "account_activity", "mail_token")
    )
    assert "moreau" not in kept.lower()
    assert "192.0.2.7" not in kept
    assert str(user) in kept
    assert await auth.user(first.organization, ANA, "nurse") != user


async def test_a_membership_ends_with_the_account_as_one_that_is_removed(auth: Auth) -> None:
    """It is neither found nor listed nor counted, and nobody can bring it back."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    made = await auth.memberships.CreateMembership(invitation(ANA, "nurse"))
    anonymous("ActivateAccount")
    user = await auth.auth.ActivateAccount(
        ActivateAccountRequest(activation_token=made.activation_token, password=PASSWORD)
    )
    await auth.act((await auth.log_in(ANA)).access_token, "DeleteAccount")

    answer = await auth.accounts.DeleteAccount(wire.DeleteAccountRequest(current_password=PASSWORD))

    await auth.act_as_administrator(clinic)
    listed = await auth.memberships.ListMemberships(membership_service_pb2.ListMembershipsRequest())
    assert [each.email for each in listed.memberships] == [clinic.email]
    counted = await dashboard(auth, clinic.organization)
    assert (counted.active_members, counted.suspended_members) == (1, 0)
    for act in ("Get", "Reactivate", "Remove"):
        asked = getattr(membership_service_pb2, f"{act}MembershipRequest")
        with pytest.raises(NotFound):
            await getattr(auth.memberships, f"{act}Membership")(asked(name=made.name))
    assert auth.rows("SELECT 1 FROM activation") == []
    [told] = auth.rows(
        "SELECT event FROM auth_event WHERE revision = %s"
        " AND event->>'kind' = 'membership_changed'", answer.auth_revision
    )  # fmt: skip
    assert (told["event"]["subject"], told["event"]["ended"]) == (user.user[6:], True)
    [trail] = auth.rows(
        "SELECT operation, subject FROM medhub.audit_outbox"
        " WHERE entity = 'membership' AND resource = %s ORDER BY seq DESC LIMIT 1", made.name
    )  # fmt: skip
    assert (trail["operation"], f"users/{trail['subject']}") == ("delete", user.user)


async def test_the_last_administrator_does_not_go(auth: Auth) -> None:
    """An organization keeps somebody who administers it, in each of several."""
    alone, shared = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.user(shared.organization, alone.email, "administrator")
    await auth.act((await auth.log_in(alone.email)).access_token, "DeleteAccount")

    with pytest.raises(LastAdministrator):
        await auth.accounts.DeleteAccount(wire.DeleteAccountRequest(current_password=PASSWORD))
    with pytest.raises(LastAdministrator):
        await auth.accounts.DeactivateAccount(
            wire.DeactivateAccountRequest(current_password=PASSWORD)
        )

    assert len((await auth.log_in(alone.email)).organizations) == 2


@pytest.mark.parametrize("go", ["DeleteAccount", "DeactivateAccount"])
async def test_of_two_administrators_who_go_at_once_one_stays(auth: Auth, go: str) -> None:
    """They take turns at the organization; the second one is the last."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, ANA, "administrator")
    request: Any = {
        "DeleteAccount": wire.DeleteAccountRequest,
        "DeactivateAccount": wire.DeactivateAccountRequest,
    }[go]
    tokens = [(await auth.log_in(email)).access_token for email in (ANA, clinic.email)]

    async def leave(token: str) -> None:
        await auth.act(token, go)
        await getattr(auth.accounts, go)(request(current_password=PASSWORD))

    results = await asyncio.gather(
        *(asyncio.create_task(leave(token)) for token in tokens), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in results) == ["LastAdministrator", "NoneType"]


async def test_people_see_what_was_done_with_their_account(auth: Auth) -> None:
    """Newest first, page by page, by act and time; nobody else's."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, ANA, "nurse")
    await auth.log_in(ANA)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email, "wrong-password-here")
    made = await auth.log_in(clinic.email)
    await auth.act(made.access_token, "ChangePassword")
    await auth.accounts.ChangePassword(
        wire.ChangePasswordRequest(current_password=PASSWORD, new_password=OTHER_PASSWORD)
    )

    first = await auth.accounts.ListAccountActivity(wire.ListAccountActivityRequest(page_size=2))
    rest = await auth.accounts.ListAccountActivity(
        wire.ListAccountActivityRequest(page_size=2, page_token=first.next_page_token)
    )
    log_ins = await auth.accounts.ListAccountActivity(
        wire.ListAccountActivityRequest(act="auth.login", end_time=first.activities[1].time)
    )

    seen = [(each.act, each.outcome) for each in [*first.activities, *rest.activities]]
    assert seen == [
        ("auth.changepassword", "OK"),
        ("auth.login", "OK"),
        ("auth.login", "INVALID_CREDENTIALS"),
    ]
    assert {each.peer for each in first.activities} == {"192.0.2.7"}
    assert rest.next_page_token == ""
    assert [each.outcome for each in log_ins.activities] == ["INVALID_CREDENTIALS"]


async def test_the_dashboard_shows_it_all(auth: Auth) -> None:
    """Account, sessions, factors, organizations and the last acts."""
    clinic = await auth.clinic()
    app = await with_app(auth, (await auth.log_in(clinic.email)).access_token)
    challenge = await challenged(auth, clinic.email)
    made = (await verify(auth, challenge.token, app.factor, app.code())).session
    await auth.act(made.credentials.access_token, "GetAccountDashboard")

    shown = await auth.accounts.GetAccountDashboard(wire.GetAccountDashboardRequest())

    assert shown.account.email == clinic.email
    assert [each.current for each in shown.sessions] == [True, False]
    assert [each.display_name for each in shown.organizations] == ["Clinique du Parc"]
    assert [each.display_name for each in shown.factors] == ["Telephone"]
    assert "auth.login" in {each.act for each in shown.activities}
