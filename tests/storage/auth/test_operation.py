"""What the operator does to a whole organization: one event, and nothing old comes back."""

import asyncio
from uuid import UUID

import pytest

from auth import proving
from auth.background import own_call
from auth.commands import run
from auth.delivery import Delivery, Outbox
from auth.domain.messages import Channel, Message, Template
from auth.domain.refusals import InvalidCredentials, NotAMember, RefreshRefused, TokenInvalid
from auth.operation import (
    NoSuchRow,
    disable_account,
    end_sessions,
    reactivate_organization,
    release_address,
    revoke_key,
    suspend_organization,
    unlock_account,
)
from auth.outbox import outbox_text
from auth.posting import Post
from auth.signing import verifying_keys
from auth.storage.store import Tx
from auth.storage.users import Users
from core import clock
from core.ids import new_id
from core.truth import Key
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import Auth, anonymous


async def test_a_suspended_organization_accepts_no_token(auth: Auth) -> None:
    """Neither one that is out, nor one from a refresh or a log-in."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    before = auth.rows("SELECT value FROM auth_revision")[0]["value"]

    revision = await suspend_organization(auth.store, clinic.organization)

    assert revision == before + 1
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    await _cannot_renew(auth, made)
    with pytest.raises(NotAMember):
        await auth.log_in(clinic.email, organization=f"organizations/{clinic.organization}")
    assert list((await auth.log_in(clinic.email)).organizations) == []


async def test_what_was_dead_stays_dead_when_it_works_again(auth: Auth) -> None:
    """Epochs are revisions: only tokens from after the reactivation count."""
    clinic = await auth.clinic()
    old = await auth.log_in(clinic.email)
    await suspend_organization(auth.store, clinic.organization)

    await reactivate_organization(auth.store, clinic.organization)

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(old.access_token)
    await _cannot_renew(auth, old)
    new = await auth.log_in(clinic.email)
    assert (await auth.proving.prove(new.access_token)).roles == ("administrator",)


async def test_what_is_done_to_an_organization_stands_in_its_own_trail(auth: Auth) -> None:
    """Its auditor sees when the operator has shut it out and let it in, and freed an address."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "dr.leroy@hopital.test", "doctor")
    auth.rows("DELETE FROM medhub.audit_outbox")

    await suspend_organization(auth.store, clinic.organization)
    await reactivate_organization(auth.store, clinic.organization)
    await release_address(auth.store, "dr.leroy@hopital.test")

    acts = auth.rows(
        "SELECT entity, context->>'action' AS action FROM medhub.audit_outbox"
        " WHERE organization_id = %s ORDER BY seq",
        clinic.organization,
    )
    assert list(dict.fromkeys((row["entity"], row["action"]) for row in acts)) == [
        ("organization", "auth.organizations.suspend"),
        ("organization", "auth.organizations.reactivate"),
        ("membership", "auth.users.release"),
    ]


async def test_what_is_not_there_cannot_be_shut_out(auth: Auth) -> None:
    """Said plainly, and nothing is published."""
    before = auth.rows("SELECT value FROM auth_revision")

    with pytest.raises(NoSuchRow):
        await suspend_organization(auth.store, new_id())
    with pytest.raises(NoSuchRow):
        await reactivate_organization(auth.store, new_id())
    with pytest.raises(NoSuchRow):
        await disable_account(auth.store, "nobody@nowhere.test")

    assert auth.rows("SELECT value FROM auth_revision") == before


async def test_a_key_that_is_revoked_meanwhile_proves_nothing_later(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer speaks of no revision at which the key was already known to be bad."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    kid = auth.rows("SELECT kid FROM signing_key")[0]["kid"]
    revoked: list[int] = []

    async def then_revoked(tx: Tx) -> dict[str, Key]:
        keys = await verifying_keys(tx)
        if not revoked:
            revoking = asyncio.create_task(revoke_key(auth.store, auth.keyring, kid))
            revoked.append(await revoking)
        return keys

    monkeypatch.setattr(proving, "verifying_keys", then_revoked)

    assert (await auth.proving.prove(made.access_token)).revision < revoked[0]
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)


async def test_a_squatted_address_is_freed_for_whose_it_is(auth: Auth) -> None:
    """The squatter is out everywhere; the person is invited, and makes an account of their own."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    address = "dr.leroy@hopital.test"
    squatter = await auth.user(clinic.organization, address, "doctor")
    made = await auth.log_in(address)

    await release_address(auth.store, address.upper())

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(address)
    held = auth.rows("SELECT user_id, suspended_at IS NULL AS active FROM membership ORDER BY id")
    assert held[1] == {"user_id": None, "active": False}
    other = await auth.clinic("Clinique des Lilas")
    person = await auth.user(other.organization, address, "nurse")
    assert person != squatter
    assert (await auth.log_in(address)).user == f"users/{person}"
    acts = auth.rows(
        "SELECT entity, context->>'action' AS action FROM medhub.audit_outbox"
        " WHERE context->>'action' = 'auth.users.release' ORDER BY seq"
    )
    assert [row["entity"] for row in acts] == ["membership", "app_user"]


async def test_freeing_an_address_may_be_repeated(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off before its end, it has freed nothing yet, and the next attempt does."""
    clinic = await auth.clinic()

    async def lost(_users: Users, _key: UUID) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(Users, "release", lost)
        with pytest.raises(ConnectionError):
            await release_address(auth.store, clinic.email)
    assert auth.rows("SELECT email FROM app_user") == [{"email": clinic.email}]

    await release_address(auth.store, clinic.email)

    (left,) = auth.rows("SELECT email FROM app_user")
    assert left["email"] == f"{clinic.administrator}@released.invalid"
    with pytest.raises(NoSuchRow):
        await release_address(auth.store, clinic.email)


async def test_the_commands_reach_them(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator runs them, with nothing but the address of the database."""
    clinic = await auth.clinic()
    monkeypatch.setenv("MEDHUB_AUTH_DATABASE_APP_URL", auth.store._database.url)
    name = f"organizations/{clinic.organization}"
    account, _ = await auth.service(None, "service")

    done = [
        await asyncio.to_thread(run, ["operate", *command])
        for command in (
            ["suspend-organization", name],
            ["reactivate-organization", name],
            ["disable-account", clinic.email],
            ["disable-account", "nobody@nowhere.test"],
            ["release-address", clinic.email],
            ["release-address", clinic.email],
            ["disable-server", f"serviceAccounts/{account}"],
            ["disable-server", f"serviceAccounts/{account}"],
            ["begin-history"],
        )
    ]

    assert done == [0, 0, 0, 1, 0, 1, 0, 1, 0]
    assert auth.rows("SELECT suspended_at FROM organization") == [{"suspended_at": None}]


async def test_a_locked_account_is_let_in_again(auth: Auth) -> None:
    """With its memberships, past who guessed at it, and without its sessions of before."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    await disable_account(auth.store, clinic.email)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email)

    await unlock_account(auth.store, auth.signer, clinic.email)

    assert (await auth.log_in(clinic.email)).organization
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    await _cannot_renew(auth, made)
    with pytest.raises(NoSuchRow):
        await unlock_account(auth.store, auth.signer, "nobody@nowhere.test")


async def test_who_was_locked_by_an_earlier_version_gets_no_session_back(auth: Auth) -> None:
    """Such a lock left the sessions in the database as they were."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)
    async with auth.store.begin_as(own_call("Disable", "auth.users.disable")) as tx:
        await tx.users.disable(clinic.administrator, clock.now())

    await unlock_account(auth.store, auth.signer, clinic.email)

    await _cannot_renew(auth, made)


async def test_a_person_is_logged_out_everywhere(auth: Auth) -> None:
    """Tokens and refresh tokens are dead; a log-in is as ever."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)

    await end_sessions(auth.store, clinic.email)

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)
    await _cannot_renew(auth, made)
    assert (await auth.log_in(clinic.email)).access_token


async def test_the_outbox_shows_content_of_what_development_keeps_alone(auth: Auth) -> None:
    """What waits for a real provider opens something, and is not the operator's to read."""
    post = Post(auth.keyring)
    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        for code in ("271828", "314159"):
            await post.send(
                tx,
                Message(
                    Channel.EMAIL, "ana@clinic.test", Template.EMAIL_CODE, "en", {"code": code}
                ),
            )
    delivery = Delivery(auth.store, post, dict.fromkeys(Channel, Outbox()))
    await delivery.send_next()

    shown = await outbox_text(auth.store, post)

    assert [code in shown for code in ("271828", "314159")].count(True) == 1
    assert shown.count("ana@clinic.test") == 1
    assert "QUEUED  EMAIL  EMAIL_CODE" in shown
    assert "only the newest" not in shown


async def test_an_outbox_that_shows_no_more_says_so(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are shown, and that there may be others."""
    post = Post(auth.keyring)
    async with auth.store.begin_as(own_call("Test", "auth.test")) as tx:
        for _ in range(3):
            made = Message(Channel.EMAIL, "a@b.test", Template.EMAIL_CODE, "en", {"code": "271828"})
            await post.send(tx, made)
    for module in ("auth.outbox", "auth.storage.messages"):
        monkeypatch.setattr(f"{module}.MOST_SHOWN", 2)

    shown = await outbox_text(auth.store, post)

    assert shown.count("EMAIL_CODE") == 2
    assert shown.endswith("only the newest 2 are shown")


async def _cannot_renew(auth: Auth, made: wire.LoginResponse) -> None:
    anonymous("RefreshToken")
    with pytest.raises(RefreshRefused):
        await auth.auth.RefreshToken(wire.RefreshTokenRequest(refresh_token=made.refresh_token))
