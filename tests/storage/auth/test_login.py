"""Log-in against a real database."""

import asyncio

import pytest

from auth import hashing, password_proof
from auth.domain.lockout import FREE_ATTEMPTS
from auth.domain.refusals import InvalidCredentials, NotAMember, TokenInvalid
from auth.hashing import matches
from auth.operation import disable_account
from auth.password_proof import PasswordProof
from auth.servicers.auth import Authentication
from auth.signing import Signer
from core import clock, identity
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import PASSWORD, Auth, anonymous


async def test_the_only_organization_is_chosen(auth: Auth) -> None:
    """Who belongs to one organization and names none works in it."""
    clinic = await auth.clinic()

    made = await auth.log_in(clinic.email.upper())

    assert made.organization == f"organizations/{clinic.organization}"
    assert [each.display_name for each in made.organizations] == ["Clinique du Parc"]
    proven = await auth.proving.prove(made.access_token)
    assert proven.roles == ("administrator",)
    assert proven.claims.subject == clinic.administrator
    assert made.session == f"sessions/{proven.claims.session}"


async def test_of_several_organizations_none_is_chosen(auth: Auth) -> None:
    """A person of two organizations gets a token without one, and can switch."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    await auth.user(second.organization, first.email, "doctor")

    made = await auth.log_in(first.email)
    await auth.act(made.access_token, "SwitchOrganization")
    moved = await auth.auth.SwitchOrganization(
        wire.SwitchOrganizationRequest(organization=f"organizations/{second.organization}")
    )

    assert made.organization == ""
    assert [each.display_name for each in made.organizations] == ["Alpha", "Beta"]
    proven = await auth.proving.prove(moved.credentials.access_token)
    assert (proven.claims.organization, proven.roles) == (second.organization, ("doctor",))
    assert moved.credentials.session == made.session


async def test_a_foreign_organization_is_refused_after_the_password(auth: Auth) -> None:
    """NOT_A_MEMBER tells nothing to who does not know the password."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    foreign = f"organizations/{second.organization}"

    with pytest.raises(NotAMember):
        await auth.log_in(first.email, organization=foreign)
    with pytest.raises(InvalidCredentials):
        await auth.log_in(first.email, "not-the-password-at-all", organization=foreign)


async def test_unknown_and_wrong_look_alike(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same refusal, and both cost one Argon2id of the same parameters."""
    clinic = await auth.clinic()
    checked: list[str] = []

    def counted(kept: str, password: str) -> bool:
        checked.append(kept.rpartition("$")[0].rpartition("$")[0])
        return matches(kept, password)

    monkeypatch.setattr(hashing, "matches", counted)
    for email in ("nobody@nowhere.test", clinic.email):
        with pytest.raises(InvalidCredentials) as refused:
            await auth.log_in(email, "wrong-password-here")
        assert refused.value.metadata == {}

    unknown, wrong = checked
    assert unknown == wrong
    assert wrong.startswith("$argon2id$")


async def test_a_lane_is_locked_for_a_while(auth: Auth) -> None:
    """While a delay lasts even the right password is not looked at, and does not make it longer."""
    clinic = await auth.clinic()
    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email, "wrong-password-here")
    auth.rows("UPDATE login_attempt SET failures = 30, open_at = now() + interval '10 minutes'")

    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email)

    assert auth.rows("SELECT failures, admitted FROM login_attempt") == [
        {"failures": 30, "admitted": False}
    ]


@pytest.mark.parametrize("many", [12, 18])
async def test_an_honest_client_logs_in_many_times_at_once(auth: Auth, many: int) -> None:
    """More than go undelayed: they wait for the first to succeed, at whichever worker."""
    clinic = await auth.clinic()
    signer = Signer(auth.keyring)
    proof = PasswordProof(auth.store, auth.hashing, signer)
    other = Authentication(auth.store, auth.hashing, signer, auth.proving, proof)

    async def log_in(number: int) -> str:
        anonymous("Login")
        worker = other if number % 2 else auth.auth
        made = await worker.Login(wire.LoginRequest(email=clinic.email, password=PASSWORD))
        return made.session

    made = await asyncio.gather(*(asyncio.create_task(log_in(n)) for n in range(many)))

    assert len(set(made)) == many
    assert auth.rows("SELECT failures FROM login_attempt") == []


async def test_a_guesser_gains_nothing_by_guessing_at_once(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many guess together, no more passwords are looked at than go undelayed."""
    monkeypatch.setattr(password_proof, "WAIT_SECONDS", 0.5)
    clinic = await auth.clinic()
    looked_at: list[str] = []

    def counted(kept: str, password: str) -> bool:
        looked_at.append(kept)
        return matches(kept, password)

    monkeypatch.setattr(hashing, "matches", counted)
    [kept] = auth.rows("SELECT password_hash FROM app_user")

    many = FREE_ATTEMPTS + 10
    # No delay ends meanwhile, however slow the machine.
    with clock.frozen(clock.now()):
        guesses = (asyncio.create_task(_refused(auth, clinic.email)) for _ in range(many))
        await asyncio.gather(*guesses)

    assert looked_at.count(kept["password_hash"]) == FREE_ATTEMPTS
    assert len(looked_at) == many


async def test_a_delay_ends(auth: Auth) -> None:
    """A lane opens again by itself, and a success forgets the failures."""
    clinic = await auth.clinic()
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(InvalidCredentials):
            await auth.log_in(clinic.email, "wrong-password-here")

    auth.rows("UPDATE login_attempt SET open_at = now() - interval '1 second'")
    await auth.log_in(clinic.email)

    assert auth.rows("SELECT failures FROM login_attempt") == []


async def test_strangers_do_not_lock_out_a_known_device(auth: Auth) -> None:
    """An address that the account has logged in from is counted by itself."""
    clinic = await auth.clinic()
    await auth.log_in(clinic.email)
    for _ in range(FREE_ATTEMPTS + 2):
        anonymous("Login")
        identity.call().peer = "203.0.113.66"
        wrong = wire.LoginRequest(email=clinic.email, password="wrong-password-here")
        with pytest.raises(InvalidCredentials):
            await auth.auth.Login(wrong)

    made = await auth.log_in(clinic.email)

    assert made.access_token


async def test_refusals_are_in_the_trail_and_cannot_fill_it(auth: Auth) -> None:
    """The first and the tenth refusal of a minute are written, with the count."""
    clinic = await auth.clinic()
    await asyncio.gather(*(_refused(auth, clinic.email) for _ in range(10)))

    counted = [detail for act, detail in auth.acts() if act == "auth.login"]

    assert [detail["outcome"] for detail in counted] == ["INVALID_CREDENTIALS"] * len(counted)
    assert {detail["count"] for detail in counted} <= {1, 10}
    assert 1 <= len(counted) <= 4


async def test_a_success_is_an_audited_act_of_the_organization(auth: Auth) -> None:
    """The trail of the organization says who logged in, in which session."""
    clinic = await auth.clinic()

    made = await auth.log_in(clinic.email)

    acts = auth.rows(
        "SELECT organization_id, subject, subject_kind, resource, after, context->>'actor' AS actor"
        " FROM medhub.audit_outbox WHERE operation = 'auth.login'"
    )
    assert acts == [
        {
            "organization_id": clinic.organization,
            "subject": clinic.administrator,
            "subject_kind": "user",
            "resource": made.session,
            "after": {"outcome": "OK"},
            "actor": str(clinic.administrator),
        }
    ]


async def test_no_secret_is_kept_in_clear(auth: Auth) -> None:
    """Neither the password nor a token stands anywhere in the database."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)

    kept = "\n".join(
        str(auth.rows(f"SELECT * FROM {table}"))
        for table in ("app_user", "session", "refresh_token", "medhub.audit_outbox", "signing_key")
    )

    assert PASSWORD not in kept
    assert made.refresh_token not in kept
    assert "$argon2id$" not in str(auth.rows("SELECT * FROM medhub.audit_outbox"))


async def test_a_disabled_account_is_refused_like_a_wrong_password(auth: Auth) -> None:
    """Its password is not looked at and its tokens are dead."""
    clinic = await auth.clinic()
    made = await auth.log_in(clinic.email)

    await disable_account(auth.store, clinic.email.upper())

    with pytest.raises(InvalidCredentials):
        await auth.log_in(clinic.email)
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made.access_token)


async def _refused(auth: Auth, email: str) -> None:
    with pytest.raises(InvalidCredentials):
        await auth.log_in(email, "wrong-password-here")
