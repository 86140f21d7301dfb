"""A server's token and its caller's make one for both, which adds nothing to either."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from auth.domain.refusals import TokenInvalid
from auth.domain.roles import BUILT_IN, SERVICE_COMPLIANCE
from auth.operation import disable_account, disable_server
from core import clock
from core.identity import Caller, Kind
from core.truth import Claims
from medhub.auth.v1 import auth_service_pb2 as wire
from tests.support.credentials import Auth, enter

ROLES = ("service", "service.compliance")


async def _exchange(auth: Auth, actor: UUID, token: str) -> str:
    enter(Caller(kind=Kind.SERVICE, subject=actor), "ExchangeToken")
    request = wire.ExchangeTokenRequest(subject_token=token, audience="clinical")
    return str((await auth.auth.ExchangeToken(request)).access_token)


async def _claims(auth: Auth, token: str) -> Claims:
    return (await auth.proving.prove(token)).claims


async def test_it_is_the_callers_but_for_who_acts(auth: Auth) -> None:
    """Subject, session, organization, assurance and end; the revision is the newest."""
    clinic = await auth.clinic()
    actor, _ = await auth.service(None, *ROLES)
    token = (await auth.log_in(clinic.email)).access_token
    shown = await _claims(auth, token)

    with clock.frozen(clock.now() + timedelta(seconds=90)):
        made = await _exchange(auth, actor, token)
        both = await _claims(auth, made)

    same = {name: getattr(both, name) for name in ("revision", "issued_at", "token_id")}
    assert both == replace(shown, actor=actor, audience="clinical", **same)
    assert both.expires_at == shown.expires_at
    assert both.issued_at > shown.issued_at


async def test_it_opens_what_both_may_do(auth: Auth) -> None:
    """Auth's own word to a server that asks."""
    clinic = await auth.clinic()
    actor, _ = await auth.service(None, *ROLES)
    token = (await auth.log_in(clinic.email)).access_token

    proven = await auth.proving.prove(await _exchange(auth, actor, token))

    held = BUILT_IN["administrator"] & BUILT_IN[SERVICE_COMPLIANCE]
    assert proven.permissions == held
    assert (proven.roles, proven.actor_roles) == (("administrator",), ROLES)


async def test_it_is_not_passed_on(auth: Auth) -> None:
    """One server acts for a caller, not a chain of them; nor do backends take it for a caller's."""
    clinic = await auth.clinic()
    first, _ = await auth.service(None, *ROLES)
    second, _ = await auth.service(None, "service")
    made = await _exchange(auth, first, (await auth.log_in(clinic.email)).access_token)

    for actor in (first, second):
        with pytest.raises(TokenInvalid):
            await _exchange(auth, actor, made)
    with pytest.raises(TokenInvalid):
        await auth.auth.ValidateToken(wire.ValidateTokenRequest(token=made))


@pytest.mark.parametrize("ends", ["session", "account", "actor"])
async def test_it_ends_with_either(auth: Auth, ends: str) -> None:
    """And none is given any more."""
    clinic = await auth.clinic()
    actor, _ = await auth.service(None, *ROLES)
    token = (await auth.log_in(clinic.email)).access_token
    made = await _exchange(auth, actor, token)
    await auth.proving.prove(made)

    if ends == "session":
        await auth.act(token, "Logout")
        await auth.auth.Logout(wire.LogoutRequest())
    elif ends == "account":
        await disable_account(auth.store, clinic.email)
    else:
        await disable_server(auth.store, actor)

    with pytest.raises(TokenInvalid):
        await auth.proving.prove(made)
    with pytest.raises(TokenInvalid):
        await _exchange(auth, actor, token)


async def test_a_program_of_an_organization_acts_for_nobody(auth: Auth) -> None:
    """Should it ever get the permission, it gets no token on behalf of others."""
    clinic = await auth.clinic()
    program, _ = await auth.service(clinic.organization, "integration")
    token = (await auth.log_in(clinic.email)).access_token

    with pytest.raises(TokenInvalid):
        await _exchange(auth, program, token)


async def test_the_trail_names_both(auth: Auth) -> None:
    """In the organization of the caller: who was acted for, by whom, and where."""
    clinic = await auth.clinic()
    actor, _ = await auth.service(None, *ROLES)
    token = (await auth.log_in(clinic.email)).access_token

    await _exchange(auth, actor, token)

    (left,) = auth.rows(
        "SELECT organization_id, subject, resource, context->>'actor' AS actor, after"
        " FROM medhub.audit_outbox WHERE operation = 'auth.exchangetoken'"
    )
    assert left == {
        "organization_id": clinic.organization,
        "subject": clinic.administrator,
        "resource": f"serviceAccounts/{actor}",
        "actor": str(actor),
        "after": {"audience": "clinical"},
    }
