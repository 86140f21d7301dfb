"""Invitations that are sent again, taken back or too old, and memberships that end for good."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auth.domain.messages import Template
from auth.domain.refusals import (
    ActivationRefused,
    EscalationRefused,
    LastAdministrator,
    NotInvited,
    TokenInvalid,
    TooManyInvitations,
)
from auth.offering import Offering
from auth.posting import Post
from auth.servicers.memberships import Memberships
from core import clock
from core.database.pages import PageTokens
from core.errors import EtagMismatch, NotFound
from medhub.auth.v1 import auth_service_pb2, membership_pb2
from medhub.auth.v1 import membership_service_pb2 as wire
from tests.storage.auth.test_memberships import _with, invitation, of_user
from tests.support.credentials import OTHER_PASSWORD, Auth, Clinic, anonymous, enter
from tests.support.mails import kept_messages
from tests.support.postgres import PAGE_KEY

EXPIRED = membership_pb2.MEMBERSHIP_STATE_EXPIRED


async def activate(auth: Auth, token: str) -> None:
    """Accept with a new account."""
    anonymous("ActivateAccount")
    await auth.auth.ActivateAccount(
        auth_service_pb2.ActivateAccountRequest(activation_token=token, password=OTHER_PASSWORD)
    )


async def resend(auth: Auth, held: membership_pb2.Membership) -> membership_pb2.Membership:
    """Invite anew."""
    return await auth.memberships.ResendInvitation(
        wire.ResendInvitationRequest(name=held.name, etag=held.etag)
    )


async def remove(auth: Auth, held: membership_pb2.Membership) -> int:
    """End for good; the revision from which it is so."""
    answer = await auth.memberships.RemoveMembership(
        wire.RemoveMembershipRequest(name=held.name, etag=held.etag)
    )
    return answer.auth_revision


async def test_a_new_token_voids_the_old(auth: Auth) -> None:
    """Also that of an invitation that was too old to be accepted, which is shown as such."""
    clinic = await auth.clinic()
    caller = await auth.act_as_administrator(clinic)
    first = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "nurse"))

    with clock.frozen(clock.now() + timedelta(days=7)):
        shown = await auth.memberships.GetMembership(wire.GetMembershipRequest(name=first.name))
        second = await resend(auth, shown)
        with pytest.raises(ActivationRefused):
            await activate(auth, first.activation_token)
        await activate(auth, second.activation_token)

    assert (shown.state, shown.invitation_expire_time) == (EXPIRED, first.invitation_expire_time)
    assert second.state == membership_pb2.MEMBERSHIP_STATE_INVITED
    assert second.activation_token not in ("", first.activation_token)
    enter(caller, "ResendInvitation")
    held = await auth.memberships.GetMembership(wire.GetMembershipRequest(name=first.name))
    assert not held.HasField("invitation_expire_time")
    with pytest.raises(NotInvited):
        await resend(auth, held)
    with pytest.raises(EtagMismatch):
        await resend(auth, first)


async def test_who_holds_less_does_not_send_an_invitation_again(auth: Auth) -> None:
    """Whoever has the new token can take its roles."""
    caller = await auth.act_as_administrator(await auth.clinic())
    made = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "administrator"))
    enter(_with(caller, "auth.memberships.create"), "ResendInvitation")

    with pytest.raises(EscalationRefused):
        await resend(auth, made)


async def test_an_invitation_is_taken_back(auth: Auth) -> None:
    """Its token is dead, and the address may be invited again; what was accepted is not one."""
    clinic = await auth.clinic()
    caller = await auth.act_as_administrator(clinic)
    made = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "nurse"))
    request = wire.RevokeInvitationRequest(name=made.name, etag=made.etag)

    await auth.memberships.RevokeInvitation(request)

    with pytest.raises(ActivationRefused):
        await activate(auth, made.activation_token)
    enter(caller, "RevokeInvitation")
    with pytest.raises(NotFound):
        await auth.memberships.RevokeInvitation(request)
    again = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "nurse"))
    administrator = await of_user(auth, clinic.administrator)
    request.name, request.etag = administrator.name, administrator.etag
    with pytest.raises(NotInvited):
        await auth.memberships.RevokeInvitation(request)
    assert again.name != made.name


async def test_a_membership_ends_for_good(auth: Auth) -> None:
    """Its tokens and sessions are dead; the account lives, and may be invited again."""
    clinic = await auth.clinic()
    doctor = await auth.user(clinic.organization, "doc@parc.test", "doctor")
    made = await auth.log_in("doc@parc.test")
    await auth.act_as_administrator(clinic)

    revision = await remove(auth, await of_user(auth, doctor))

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    told = auth.rows("SELECT event FROM auth_event WHERE revision = %s ORDER BY ordinal", revision)
    assert [each["event"]["kind"] for each in told] == ["membership_changed", "membership_epoch"]
    assert told[0]["event"]["ended"]
    again = await auth.memberships.CreateMembership(invitation("doc@parc.test", "nurse"))
    alone = await auth.log_in("doc@parc.test")
    caller = await auth.act(alone.access_token, "AcceptMembership")
    await auth.auth.AcceptMembership(
        auth_service_pb2.AcceptMembershipRequest(activation_token=again.activation_token)
    )
    assert caller.organization is None
    assert (await auth.log_in("doc@parc.test")).organization


async def test_two_administrators_who_remove_each_other_at_once(auth: Auth) -> None:
    """One succeeds, one is refused, and one stays; also by themselves."""
    clinic = await auth.clinic()
    for turn in range(4):
        other = await auth.user(clinic.organization, f"two{turn}@parc.test", "administrator")
        await auth.act_as_administrator(clinic)
        first, second = await of_user(auth, clinic.administrator), await of_user(auth, other)

        outcomes = await asyncio.gather(
            remove(auth, first), remove(auth, second), return_exceptions=True
        )

        assert sorted(type(each).__name__ for each in outcomes) == ["LastAdministrator", "int"]
        left = auth.rows("SELECT user_id, id FROM membership WHERE roles = '{administrator}'")
        assert len(left) == 1
        if left[0]["user_id"] != clinic.administrator:
            email = f"two{turn}@parc.test"
            clinic = Clinic(clinic.organization, left[0]["user_id"], email)
    await auth.act_as_administrator(clinic)
    with pytest.raises(LastAdministrator):
        await remove(auth, await of_user(auth, clinic.administrator))


async def test_an_invitation_is_accepted_or_taken_back_never_both(auth: Auth) -> None:
    """At once: either the person is in and the refusal says so, or the token is dead."""
    clinic = await auth.clinic()
    for turn in range(4):
        caller = await auth.act_as_administrator(clinic)
        made = await auth.memberships.CreateMembership(invitation(f"z{turn}@parc.test", "nurse"))
        request = wire.RevokeInvitationRequest(name=made.name, etag=made.etag)
        found = await auth.auth._invitations.find(made.activation_token)
        enter(caller, "RevokeInvitation")

        outcomes = await asyncio.gather(
            auth.memberships.RevokeInvitation(request),
            auth.auth._invitations.activate(found, "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA"),
            return_exceptions=True,
        )

        refused = [each for each in outcomes if isinstance(each, BaseException)]
        assert len(refused) == 1
        assert isinstance(refused[0], ActivationRefused | NotInvited | EtagMismatch)


def _mailing(auth: Auth) -> Memberships:
    """The service, where mail leaves."""
    offering = Offering(auth.signer, Post(auth.keyring), mailed=True)
    return Memberships(auth.store, PageTokens(PAGE_KEY), offering)


async def test_where_mail_is_sent_only_the_address_gets_the_token(auth: Auth) -> None:
    """The organization is told none, also when it repeats its request."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    mailing = _mailing(auth)

    made = await mailing.CreateMembership(invitation("zoe@parc.test", "nurse"))
    again = await mailing.ResendInvitation(
        wire.ResendInvitationRequest(name=made.name, etag=made.etag)
    )

    assert (made.activation_token, again.activation_token) == ("", "")
    sent = await kept_messages(auth.store, auth.keyring)
    assert [(each.to, each.template) for each in sent] == [
        ("zoe@parc.test", Template.INVITATION)
    ] * 2
    with pytest.raises(ActivationRefused):
        await activate(auth, sent[0].values["token"])
    await activate(auth, sent[1].values["token"])


async def test_so_many_invitations_are_sent_of_one_organization_and_one_person(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever they are for, and also again; others are not held up, and later it may go on."""
    monkeypatch.setattr("auth.posting.MOST_INVITED", 2)
    mailing, clinic, other = _mailing(auth), await auth.clinic(), await auth.clinic("other")
    caller = await auth.act_as_administrator(clinic)
    first = await mailing.CreateMembership(invitation("one@parc.test", "nurse"))
    await mailing.CreateMembership(invitation("two@parc.test", "nurse"))

    with pytest.raises(TooManyInvitations):
        await mailing.CreateMembership(invitation("three@parc.test", "nurse"))
    with pytest.raises(TooManyInvitations):
        await mailing.ResendInvitation(
            wire.ResendInvitationRequest(name=first.name, etag=first.etag)
        )
    # The same person, in another organization.
    enter(replace(caller, organization=other.organization), "CreateMembership")
    with pytest.raises(TooManyInvitations):
        await mailing.CreateMembership(invitation("three@parc.test", "nurse"))
    await auth.act_as_administrator(other)
    await mailing.CreateMembership(invitation("three@parc.test", "nurse"))
    auth.rewrite("UPDATE message_count SET since = since - interval '1 hour'")
    await auth.act_as_administrator(clinic)
    await mailing.CreateMembership(invitation("three@parc.test", "nurse"))

    sent = await kept_messages(auth.store, auth.keyring)
    assert [each.to.partition("@")[0] for each in sent] == ["one", "two", "three", "three"]
