"""AuthService over a real server: every reason once, and what a client sees of it."""

import asyncio

import grpc
import pytest

from auth import bootstrap
from medhub.auth.v1 import auth_pb2
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.auth_server import PASSWORD, AuthServer, told

EMAIL = "zoe@parc.test"


async def test_a_session_from_its_beginning_to_its_end(server: AuthServer) -> None:
    """Log in, ask, renew, log out; after the log-out every server refuses the token."""
    user = await server.member(EMAIL, "doctor")
    made = await server.log_in(EMAIL)

    asked = wire.AuthorizeRequest(resource="clinical.patients", action="read")
    allowed = await server.call("AuthService/Authorize", asked, made.access_token)
    renewed = await server.call(
        "AuthService/RefreshToken", wire.RefreshTokenRequest(refresh_token=made.refresh_token)
    )
    ended = await server.call("AuthService/Logout", wire.LogoutRequest(), renewed.access_token)
    after = await server.refused(
        "AuthService/Authorize",
        asked,
        renewed.access_token,
        x_medhub_min_auth_revision=str(ended.auth_revision),
    )

    assert made.user == f"users/{user}"
    assert (allowed.authorized, allowed.role) == (True, "doctor")
    assert made.token_type == renewed.token_type == "Bearer"
    assert after == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_credentials_are_refused_alike(server: AuthServer) -> None:
    """Unknown and wrong: the same bytes on the wire."""
    await server.member(EMAIL, "doctor")
    seen = []

    for email in (EMAIL, "nobody@nowhere.test"):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await server.log_in(email, "wrong-password-here")
        seen.append(refusal.value)

    assert [told(error) for error in seen] == [("UNAUTHENTICATED", "INVALID_CREDENTIALS")] * 2
    assert len({(error.details(), str(error.trailing_metadata())) for error in seen}) == 1


async def test_each_reason_of_credentials(server: AuthServer) -> None:
    """What cannot be proven is refused, each by its own reason."""
    await server.member(EMAIL, "doctor")
    made = await server.log_in(EMAIL)
    elsewhere = "organizations/00000000-0000-4000-8000-000000000000"

    assert await server.refused(
        "AuthService/Login",
        wire.LoginRequest(email=EMAIL, password=PASSWORD, organization=elsewhere),
    ) == ("PERMISSION_DENIED", "NOT_A_MEMBER")
    assert await server.refused(
        "AuthService/SwitchOrganization",
        wire.SwitchOrganizationRequest(organization=elsewhere),
        made.access_token,
    ) == ("PERMISSION_DENIED", "NOT_A_MEMBER")
    assert await server.refused(
        "AuthService/RefreshToken", wire.RefreshTokenRequest(refresh_token="unknown")
    ) == ("UNAUTHENTICATED", "REFRESH_REFUSED")
    assert await server.refused(
        "AuthService/ValidateToken", wire.ValidateTokenRequest(token="a.b.c")
    ) == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert await server.refused(
        "AuthService/IssueServiceToken", wire.IssueServiceTokenRequest(assertion="a.b.c")
    ) == ("UNAUTHENTICATED", "ASSERTION_REFUSED")


async def test_each_reason_of_activation(server: AuthServer) -> None:
    """A token that nobody gave, and a password that everybody guesses."""
    for password, refusal in (
        (PASSWORD, ("UNAUTHENTICATED", "ACTIVATION_REFUSED")),
        ("motdepasse123456", ("INVALID_ARGUMENT", "PASSWORD_TOO_COMMON")),
        ("too-short", ("INVALID_ARGUMENT", "INVALID_FIELD")),
    ):
        request = wire.ActivateAccountRequest(activation_token="unknown", password=password)
        assert await server.refused("AuthService/ActivateAccount", request) == refusal


async def test_a_token_in_the_body_is_validated(server: AuthServer) -> None:
    """Whom it stands for, with roles and expiry; for backends that ask each time."""
    user = await server.member(EMAIL, "doctor", "nurse")
    made = await server.log_in(EMAIL)

    answer = await server.call(
        "AuthService/ValidateToken", wire.ValidateTokenRequest(token=made.access_token)
    )

    assert (answer.user_id, answer.organization_id) == (str(user), str(server.organization))
    assert f"sessions/{answer.session_id}" == made.session
    assert list(answer.roles) == ["doctor", "nurse"]
    assert answer.expire_time == made.expire_time
    assert answer.assurance_level == 1


async def test_a_stolen_refresh_token_ends_the_session_everywhere(server: AuthServer) -> None:
    """The second use is refused, and the access token dies with it."""
    await server.member(EMAIL, "doctor")
    made = await server.log_in(EMAIL)
    request = wire.RefreshTokenRequest(refresh_token=made.refresh_token)
    await server.call("AuthService/RefreshToken", request)

    refused = await server.refused("AuthService/RefreshToken", request)
    dead = await server.refused(
        "AuthService/ValidateToken", wire.ValidateTokenRequest(token=made.access_token)
    )

    assert refused == ("UNAUTHENTICATED", "REFRESH_REFUSED")
    assert dead == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_without_a_token_nothing_is_answered_about_oneself(server: AuthServer) -> None:
    """Self methods need a caller."""
    for method, request in (
        ("Authorize", wire.AuthorizeRequest(resource="clinical.patients", action="read")),
        ("BatchAuthorize", wire.BatchAuthorizeRequest(questions=[auth_pb2.AccessQuestion()])),
        ("ListMyOrganizations", wire.ListMyOrganizationsRequest()),
        ("Logout", wire.LogoutRequest()),
    ):
        refused = await server.refused(f"AuthService/{method}", request)
        assert refused == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_a_token_without_an_organization_chooses_one(server: AuthServer) -> None:
    """It is good for one's own account and for choosing, and for nothing inside one."""
    await server.member(EMAIL, "doctor")
    second = await bootstrap.organization(server.store, "Second", test=True)
    await bootstrap.user(server.store, second, EMAIL, "Z", PASSWORD, ["nurse"])
    made = await server.log_in(EMAIL)
    asked = wire.AuthorizeRequest(resource="clinical.patients", action="read")

    refused = await server.refused("AuthService/Authorize", asked, made.access_token)
    mine = await server.call(
        "AuthService/ListMyOrganizations", wire.ListMyOrganizationsRequest(), made.access_token
    )
    moved = await server.call(
        "AuthService/SwitchOrganization",
        wire.SwitchOrganizationRequest(organization=f"organizations/{second}"),
        made.access_token,
    )
    answer = await server.call("AuthService/Authorize", asked, moved.credentials.access_token)

    assert refused == ("PERMISSION_DENIED", "ORGANIZATION_REQUIRED")
    assert [each.display_name for each in mine.organizations] == ["Clinique du Parc", "Second"]
    assert (answer.authorized, answer.role) == (True, "nurse")


async def test_log_ins_at_once_do_not_starve_the_rest(server: AuthServer) -> None:
    """While passwords are being checked, tokens are validated in milliseconds."""
    await server.member(EMAIL, "doctor")
    made = await server.log_in(EMAIL)
    logging_in = [asyncio.create_task(server.log_in(EMAIL)) for _ in range(8)]
    await asyncio.sleep(0.05)

    began = asyncio.get_running_loop().time()
    await server.call(
        "AuthService/ValidateToken", wire.ValidateTokenRequest(token=made.access_token)
    )
    took = asyncio.get_running_loop().time() - began
    all_done = await asyncio.gather(*logging_in)

    assert took < 0.5
    assert len({each.session for each in all_done}) == 8
