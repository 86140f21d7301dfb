"""How fresh a sign-in by an identity provider is, and what it reaches of a person's account."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from auth import bootstrap
from medhub.auth.v1 import auth_service_pb2 as auth
from medhub.auth.v1 import factor_service_pb2 as factors
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as roles
from medhub.auth.v1 import session_service_pb2 as sessions
from tests.support.auth_server import PASSWORD
from tests.support.federated import REFUSED, Hospital, hospital, provider

__all__ = ["hospital", "provider"]
TOTP = "FactorService/BeginTotpEnrolment"
ADDING = factors.BeginTotpEnrolmentRequest(display_name="Telephone")
STEP_UP = "STEP_UP_REQUIRED"


def without(name: str) -> Any:
    """A provider that does not say something."""
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def saying(**said: Any) -> Any:
    """A provider that says something else."""
    return lambda claims: {**claims, **said}


async def test_the_provider_is_told_to_ask_again(hospital: Hospital) -> None:
    """Whom it knows from an hour ago may have left the room; otherwise it is not told so."""
    trusted = await hospital.trust()

    fresh = parse_qs(urlsplit((await hospital.begin(trusted, fresh=True)).authorization_url).query)
    plain = parse_qs(urlsplit((await hospital.begin(trusted)).authorization_url).query)

    assert (fresh["prompt"], fresh["max_age"]) == (["login"], ["0"])
    assert not {"prompt", "max_age"} & set(plain)


async def test_a_sign_in_that_has_to_be_fresh_is_so_or_is_refused(hospital: Hospital) -> None:
    """A provider that ignores what it is asked, or does not say when it was."""
    trusted, found = await hospital.trust(), []
    hour_ago = int(time.time()) - 3600
    for lie in (
        without("auth_time"),
        saying(auth_time=hour_ago),
        saying(auth_time=str(int(time.time()))),
        saying(auth_time=1e300),
    ):
        hospital.provider.lie = lie
        found.append(await hospital.refused(trusted, fresh=True))

    assert found == [REFUSED] * 4


@pytest.mark.parametrize(
    ("said", "fresh", "passes"),
    [({}, False, False), ({"auth_time": -3600}, False, False), ({"auth_time": 0}, False, True),
     ({}, True, True)],
)  # fmt: skip
async def test_what_asks_for_a_recent_proof_counts_from_what_the_provider_says(
    hospital: Hospital, said: dict[str, int], fresh: bool, passes: bool
) -> None:
    """Single sign-on without a question, from an hour ago or nobody knows when, is none."""
    trusted = await hospital.trust(default_roles=["administrator"])
    hospital.provider.person = {
        "sub": "u-1", **{name: int(time.time()) + since for name, since in said.items()}
    }  # fmt: skip
    token = (await hospital.sign_in(trusted, fresh=fresh)).access_token
    defining = roles.CreateRoleRequest(
        role_id="reader",
        role=role_pb2.Role(display_name="Reader", permissions=["auth.roles.read"]),
    )

    if passes:
        await hospital.server.call("RoleService/CreateRole", defining, token)
    else:
        refused = await hospital.server.refused("RoleService/CreateRole", defining, token)
        assert refused[1] == STEP_UP


async def test_an_account_that_the_provider_alone_opens_is_its_persons(hospital: Hospital) -> None:
    """With a fresh sign-in they add a factor; not one that would open the account without it."""
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-1"}

    plain = (await hospital.sign_in(trusted)).access_token
    fresh = (await hospital.sign_in(trusted, fresh=True)).access_token
    before = await hospital.server.refused(TOTP, ADDING, plain)
    begun = await hospital.server.call(TOTP, ADDING, fresh)
    passkey = await hospital.server.refused(
        "FactorService/BeginPasskeyRegistration",
        factors.BeginPasskeyRegistrationRequest(display_name="Key"),
        fresh,
    )

    assert before[1] == STEP_UP
    assert begun.secret
    assert passkey[1] == "FACTOR_NOT_ALLOWED"


async def test_what_a_provider_says_reaches_no_account_beyond_its_organization(
    hospital: Hospital,
) -> None:
    """However fresh: whoever has a password elsewhere is seen and changed here alone."""
    server = hospital.server
    await server.member("nina@parc.test", "nurse")
    other = await bootstrap.organization(server.store, "Second", test=True)
    await bootstrap.user(server.store, other, "nina@parc.test", "N", PASSWORD, ["nurse"])
    places = [f"organizations/{server.organization}", f"organizations/{other}"]
    own, elsewhere = [
        await server.call(
            "AuthService/Login",
            auth.LoginRequest(email="nina@parc.test", password=PASSWORD, organization=place),
        )
        for place in places
    ]
    trusted = await hospital.trust()
    hospital.provider.person = {"sub": "u-5"}
    await hospital.tie(trusted, own.access_token)

    token = (await hospital.sign_in(trusted, fresh=True)).access_token

    listed = await server.call("SessionService/ListSessions", sessions.ListSessionsRequest(), token)
    belongs = await server.call(
        "AuthService/ListMyOrganizations", auth.ListMyOrganizationsRequest(), token
    )
    ending = await server.refused(
        "SessionService/RevokeSession",
        sessions.RevokeSessionRequest(name=elsewhere.session),
        token,
    )
    assert (await server.refused(TOTP, ADDING, token))[1] == STEP_UP
    assert {each.organization for each in listed.sessions} == {places[0]}
    assert [each.organization for each in belongs.organizations] == [places[0]]
    # To end sessions asks for a proof of the account's own, which a provider's word is not.
    assert ending[1] == STEP_UP
