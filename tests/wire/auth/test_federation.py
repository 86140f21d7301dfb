"""Sign-in with an organization's identity provider: both over real sockets."""

import asyncio
import secrets

import jwt
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text

from auth import bootstrap
from auth.background import own_call
from core import identity
from core.database import statement
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import federated_login_service_pb2 as logins
from medhub.auth.v1 import identity_provider_pb2 as messages
from medhub.auth.v1 import identity_provider_service_pb2 as providers
from medhub.auth.v1 import membership_pb2
from medhub.auth.v1 import membership_service_pb2 as memberships
from tests.support.auth_server import PASSWORD
from tests.support.federated import ADMIN, REFUSED, Hospital, hospital, provider, roles_of
from tests.support.openid_provider import REDIRECT

__all__ = ["hospital", "provider"]
NOT_LINKED = ("PERMISSION_DENIED", "IDENTITY_NOT_LINKED")
AWAY = ("UNAVAILABLE", "PROVIDER_UNREACHABLE")


async def test_a_person_enters_by_the_provider(hospital: Hospital) -> None:
    """First with a new account, then with the same; a session of the organization alone."""
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-7", "name": "Aïcha Morel", "amr": ["mfa"]}

    first = await hospital.sign_in(trusted)
    second = await hospital.sign_in(trusted)

    assert first.user == second.user
    assert first.session != second.session
    assert first.organization == f"organizations/{hospital.server.organization}"
    assert await roles_of(hospital.server, first.access_token) == ["nurse"]
    claims = jwt.decode(first.access_token, options={"verify_signature": False})
    assert (claims["amr"], claims["aal"]) == (["federated"], 1)


async def test_mfa_of_a_trusted_provider_counts(hospital: Hospital) -> None:
    """The organization says so; then the session has AAL2."""
    trusted = await hospital.trust(trusts_mfa=True)
    hospital.provider.person = {"sub": "u-7", "amr": ["pwd", "mfa"]}

    made = await hospital.sign_in(trusted)

    claims = jwt.decode(made.access_token, options={"verify_signature": False})
    assert (claims["amr"], claims["aal"]) == (["federated", "mfa"], 2)


async def test_all_halves_of_an_attempt_are_needed(hospital: Hospital) -> None:
    """A stolen code, another page's state, a browser without what the page kept, a mix-up."""
    trusted, found = await hospital.trust(), []
    for field in ("code", "state", "login_token", "issuer"):
        request, other = await hospital.returned(trusted), await hospital.returned(trusted)
        another = "https://another.example" if field == "issuer" else getattr(other, field)
        setattr(request, field, another)
        found.append(
            await hospital.server.refused("FederatedLoginService/FinishFederatedLogin", request)
        )

    assert found == [REFUSED] * 4


async def test_an_attempt_is_good_once(hospital: Hospital) -> None:
    """Also when it is finished twice at the same moment."""
    trusted = await hospital.trust()
    request = await hospital.returned(trusted)
    call = hospital.server.call

    twins = await asyncio.gather(
        *(call("FederatedLoginService/FinishFederatedLogin", request) for _ in range(2)),
        return_exceptions=True,
    )
    again = await hospital.server.refused("FederatedLoginService/FinishFederatedLogin", request)

    assert sum(isinstance(twin, logins.FinishFederatedLoginResponse) for twin in twins) == 1
    assert again == REFUSED


async def test_two_first_sign_ins_at_once_make_one_account(hospital: Hospital) -> None:
    """Of one person, in two browsers."""
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-9"}

    made = await asyncio.gather(*(hospital.sign_in(trusted) for _ in range(4)))

    assert len({each.user for each in made}) == 1


UNWELL = [
    ("/token", (500, {}, b"oops")),
    ("/keys", (500, {}, b"")),
    ("/keys", (200, {}, b"[" * 100_000)),
    ("/keys", (200, {}, b"x" * 300_000)),
    ("/keys", (302, {"location": "http://127.0.0.1:9/"}, b"")),
    ("/userinfo", (503, {}, b"")),
]


async def test_a_provider_that_is_not_well_is_unavailable(hospital: Hospital) -> None:
    """It fails, says nonsense, too much, or sends elsewhere; nobody is told to be unknown."""
    trusted, found = await hospital.trust(), []
    for path, answer in UNWELL:
        hospital.provider.answers = {path: answer}
        found.append(await hospital.refused(trusted))

    assert found == [AWAY] * len(UNWELL)


async def test_discovery_is_the_issuers_own(hospital: Hospital) -> None:
    """A document that speaks for another issuer is none, and no page is shown."""
    trusted = await hospital.trust()
    hospital.provider.answers["/.well-known/openid-configuration"] = (
        200, {"content-type": "application/json"}, b'{"issuer": "https://another.example"}',
    )  # fmt: skip
    request = logins.BeginFederatedLoginRequest(
        identity_provider=trusted.name, redirect_uri=REDIRECT
    )

    refused = await hospital.server.refused("FederatedLoginService/BeginFederatedLogin", request)

    assert refused == AWAY


async def test_nobody_is_sent_to_a_page_that_is_not_the_organizations(hospital: Hospital) -> None:
    """An open redirect would hand codes to whoever asks."""
    trusted = await hospital.trust()
    request = logins.BeginFederatedLoginRequest(
        identity_provider=trusted.name, redirect_uri=f"{REDIRECT}/else"
    )

    refused = await hospital.server.refused("FederatedLoginService/BeginFederatedLogin", request)

    assert refused == REFUSED


async def invite(hospital: Hospital, email: str) -> membership_pb2.Membership:
    """An invitation of the organization."""
    member = membership_pb2.Membership(email=email, display_name="Zoé", roles=["doctor"])
    answer: membership_pb2.Membership = await hospital.server.call(
        "MembershipService/CreateMembership",
        memberships.CreateMembershipRequest(membership=member),
        hospital.token,
    )
    return answer


async def test_an_invitation_is_found_by_an_address_that_is_vouched_for(
    hospital: Hospital,
) -> None:
    """And by no other; who is not invited does not enter."""
    trusted = await hospital.trust(provisioning=messages.PROVISIONING_INVITED)
    await invite(hospital, "zoe@parc.test")

    hospital.provider.person = {"sub": "u-1", "email": "zoe@parc.test"}
    unsaid = await hospital.refused(trusted)
    hospital.provider.person = {"sub": "u-2", "email": "else@parc.test", "email_verified": True}
    uninvited = await hospital.refused(trusted)
    hospital.provider.person = {"sub": "u-3", "email": "Zoe@Parc.test", "email_verified": True}
    entered = await hospital.sign_in(trusted)

    assert (unsaid, uninvited) == (NOT_LINKED, NOT_LINKED)
    assert await roles_of(hospital.server, entered.access_token) == ["doctor"]


async def test_an_invitation_that_is_over_lets_nobody_in(hospital: Hospital) -> None:
    """Neither anew nor as one of those whom the provider lets in; sent again, it does."""
    trusted = await hospital.trust()
    invited = await invite(hospital, "zoe@parc.test")
    hospital.provider.person = {"sub": "u-3", "email": "zoe@parc.test", "email_verified": True}

    identity.enter(own_call("Age", "auth.test"))
    async with hospital.server.store.begin_for(None, hospital.server.organization) as tx:
        over = "UPDATE membership SET invitation_expires_at = now() WHERE email = 'zoe@parc.test'"
        await tx._tx.run(statement(text(over)))
    refused = await hospital.refused(trusted)
    held = await hospital.server.call(
        "MembershipService/GetMembership",
        memberships.GetMembershipRequest(name=invited.name),
        hospital.token,
    )
    again = memberships.ResendInvitationRequest(name=held.name, etag=held.etag)
    await hospital.server.call("MembershipService/ResendInvitation", again, hospital.token)
    entered = await hospital.sign_in(trusted)

    assert refused == NOT_LINKED
    assert await roles_of(hospital.server, entered.access_token) == ["doctor"]


async def test_who_was_removed_comes_back_by_another_invitation(hospital: Hospital) -> None:
    """Not by themselves, also where the provider lets everybody in; then as the same person."""
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-3", "email": "zoe@parc.test", "email_verified": True}
    first = await hospital.sign_in(trusted)
    listed = await hospital.server.call(
        "MembershipService/ListMemberships", memberships.ListMembershipsRequest(), hospital.token
    )
    [held] = [one for one in listed.memberships if one.user == first.user]

    leaving = memberships.RemoveMembershipRequest(name=held.name, etag=held.etag)
    await hospital.server.call("MembershipService/RemoveMembership", leaving, hospital.token)
    alone = await hospital.refused(trusted)
    await invite(hospital, "zoe@parc.test")
    back = await hospital.sign_in(trusted)

    assert alone == REFUSED
    assert back.user == first.user
    assert await roles_of(hospital.server, back.access_token) == ["doctor"]


async def test_a_provider_never_enters_an_account_that_a_person_has(hospital: Hospital) -> None:
    """An organization's provider says any address it likes; it gets no account by that."""
    trusted = await hospital.trust()
    await hospital.server.member("nina@parc.test", "nurse")
    hospital.provider.person = {"sub": "u-5", "email": "nina@parc.test", "email_verified": True}

    assert await hospital.refused(trusted) == NOT_LINKED


async def test_an_address_of_elsewhere_gives_an_account_of_the_organizations_own(
    hospital: Hospital,
) -> None:
    """Somebody else on the platform has it, and keeps it: the new account takes no address."""
    other = await bootstrap.organization(hospital.server.store, "Second", test=True)
    await bootstrap.user(hospital.server.store, other, "ida@second.test", "I", PASSWORD, ["nurse"])
    theirs = await hospital.server.log_in("ida@second.test")
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-6", "email": "ida@second.test", "email_verified": True}

    made = await hospital.sign_in(trusted)
    after = await hospital.server.log_in("ida@second.test")

    assert made.user != theirs.user
    assert after.user == theirs.user
    assert len(after.organizations) == 1


async def test_a_person_ties_their_own_account(hospital: Hospital) -> None:
    """With a fresh log-in of their own; from then on the provider opens it, in this place alone."""
    server = hospital.server
    await server.member("nina@parc.test", "nurse")
    other = await bootstrap.organization(server.store, "Second", test=True)
    await bootstrap.user(server.store, other, "nina@parc.test", "N", PASSWORD, ["nurse"])
    here = f"organizations/{server.organization}"
    own = await server.call(
        "AuthService/Login",
        auth.LoginRequest(email="nina@parc.test", password=PASSWORD, organization=here),
    )
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-5"}
    await hospital.tie(trusted, own.access_token)

    federated = await hospital.sign_in(trusted)
    elsewhere = auth.SwitchOrganizationRequest(organization=f"organizations/{other}")
    switching = await server.refused(
        "AuthService/SwitchOrganization", elsewhere, federated.access_token
    )
    tying = await server.refused(
        "FederatedLoginService/BeginIdentityLink",
        logins.BeginIdentityLinkRequest(identity_provider=trusted.name, redirect_uri=REDIRECT),
        federated.access_token,
    )

    assert federated.user == own.user
    assert federated.organization == here
    assert switching == ("PERMISSION_DENIED", "NOT_A_MEMBER")
    # What the provider vouches for does not reach the person's account.
    assert tying[1] == "STEP_UP_REQUIRED"


async def test_roles_follow_the_groups(hospital: Hospital) -> None:
    """At each sign-in; and what a group gives, whoever configures it has to hold."""
    ward = messages.GroupRole(group="ward", role="nurse")
    chiefs = messages.GroupRole(group="chiefs", role="doctor")
    trusted = await hospital.trust(
        default_roles=[], groups_claim="groups", group_roles=[ward, chiefs]
    )
    hospital.provider.person = {"sub": "u-1", "groups": ["ward"]}
    first = await hospital.sign_in(trusted)
    before = await roles_of(hospital.server, first.access_token)
    hospital.provider.person = {"sub": "u-1", "groups": ["chiefs"]}
    second = await hospital.sign_in(trusted)

    assert before == ["nurse"]
    assert await roles_of(hospital.server, second.access_token) == ["doctor"]
    # The roles are the person's, whichever session.
    assert await roles_of(hospital.server, first.access_token) == ["doctor"]


async def test_a_directory_leaves_no_organization_without_an_administrator(
    hospital: Hospital,
) -> None:
    """The last one keeps the role that their groups do not give any more."""
    chiefs = messages.GroupRole(group="it", role="administrator")
    trusted = await hospital.trust(default_roles=[], groups_claim="groups", group_roles=[chiefs])
    hospital.provider.person = {"sub": "u-1", "groups": ["it"]}
    await hospital.sign_in(trusted)
    rows = await hospital.server.call(
        "MembershipService/ListMemberships", memberships.ListMembershipsRequest(), hospital.token
    )
    first = next(each for each in rows.memberships if each.email == ADMIN)
    await hospital.server.call(
        "MembershipService/SuspendMembership",
        memberships.SuspendMembershipRequest(name=first.name, etag=first.etag),
        hospital.token,
    )
    hospital.provider.person = {"sub": "u-1", "groups": []}

    last = await hospital.sign_in(trusted)

    assert await roles_of(hospital.server, last.access_token) == ["administrator"]


async def test_where_two_factors_are_demanded_the_providers_word_has_to_count_for_two(
    hospital: Hospital,
) -> None:
    """A sign-in opens the organization or nothing: no session beside it."""
    trusted = await hospital.trust(trusts_mfa=True)
    async with hospital.server.store.begin_as(own_call("Change", "auth.test")) as tx:
        await tx._tx.run(statement(text("UPDATE organization SET mfa_required = true")))
    hospital.provider.person = {"sub": "u-1", "amr": ["pwd"]}

    weak = await hospital.refused(trusted)
    hospital.provider.person = {"sub": "u-1", "amr": ["mfa"]}
    strong = await hospital.sign_in(trusted)

    assert weak == REFUSED
    assert strong.organization == f"organizations/{hospital.server.organization}"


async def test_a_disabled_provider_opens_and_renews_nothing(hospital: Hospital) -> None:
    """Enabled again, it does."""
    trusted = await hospital.trust()
    made = await hospital.sign_in(trusted)
    renewing = auth.RefreshTokenRequest(refresh_token=made.refresh_token)
    disabled = await hospital.server.call(
        "IdentityProviderService/DisableIdentityProvider",
        providers.DisableIdentityProviderRequest(name=trusted.name, etag=trusted.etag),
        hospital.token,
    )
    beginning = logins.BeginFederatedLoginRequest(
        identity_provider=trusted.name, redirect_uri=REDIRECT
    )

    begun = await hospital.server.refused("FederatedLoginService/BeginFederatedLogin", beginning)
    renewed = await hospital.server.refused("AuthService/RefreshToken", renewing)
    await hospital.server.call(
        "IdentityProviderService/EnableIdentityProvider",
        providers.EnableIdentityProviderRequest(name=trusted.name, etag=disabled.etag),
        hospital.token,
    )

    assert disabled.disabled
    assert begun == REFUSED
    assert renewed == ("UNAUTHENTICATED", "REFRESH_REFUSED")
    assert (await hospital.server.call("AuthService/RefreshToken", renewing)).access_token


async def test_the_secret_is_kept_and_never_shown(hospital: Hospital) -> None:
    """An update that does not name it leaves it; one with an empty one takes it away."""
    trusted = await hospital.trust()
    changed = await hospital.server.call(
        "IdentityProviderService/UpdateIdentityProvider",
        providers.UpdateIdentityProviderRequest(
            identity_provider=messages.IdentityProvider(
                name=trusted.name, etag=trusted.etag, display_name="Staff"
            )
        ),
        hospital.token,
    )
    works = await hospital.sign_in(trusted)
    without = await hospital.server.call(
        "IdentityProviderService/UpdateIdentityProvider",
        providers.UpdateIdentityProviderRequest(
            identity_provider=messages.IdentityProvider(name=trusted.name, etag=changed.etag),
            update_mask=FieldMask(paths=["client_secret"]),
        ),
        hospital.token,
    )

    assert (trusted.client_secret, changed.client_secret, without.client_secret) == ("", "", "")
    assert changed.display_name == "Staff"
    assert works.access_token
    assert await hospital.refused(trusted) == REFUSED


async def test_a_mask_names_what_can_be_changed_alone(hospital: Hospital) -> None:
    """Neither what the platform says of a provider nor what there is not."""
    trusted = await hospital.trust()
    for field in ("disabled", "issuer", "nonsense"):
        refused = await hospital.server.refused(
            "IdentityProviderService/UpdateIdentityProvider",
            providers.UpdateIdentityProviderRequest(
                identity_provider=trusted, update_mask=FieldMask(paths=["display_name", field])
            ),
            hospital.token,
        )
        assert refused == ("INVALID_ARGUMENT", "INVALID_FIELD")


async def test_an_issuer_that_the_operator_does_not_allow_is_refused(hospital: Hospital) -> None:
    """Before anything is sent there."""
    for issuer in (
        "http://id.example",
        "https://169.254.169.254",
        f"https://{secrets.token_hex(4)}",
    ):
        asked = messages.IdentityProvider(
            display_name="D", issuer=issuer, client_id="c", redirect_uris=[REDIRECT],
            provisioning=messages.PROVISIONING_CREATE, default_roles=["service"],
        )  # fmt: skip
        refused = await hospital.server.refused(
            "IdentityProviderService/CreateIdentityProvider",
            providers.CreateIdentityProviderRequest(identity_provider=asked),
            hospital.token,
        )
        # The third address is one that could be anybody's; its role is the platform's own.
        assert refused[1] in ("INVALID_FIELD", "ESCALATION_REFUSED")
