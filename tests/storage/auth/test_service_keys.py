"""Keys of service accounts: they overlap, expire, are removed, and say when they were used."""

from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.domain.refusals import (
    AssertionRefused,
    EscalationRefused,
    LastKey,
    TokenInvalid,
    TooManyKeys,
)
from core import clock
from core.errors import EtagMismatch, InvalidField, NotFound
from core.truth.proof import verify
from medhub.auth.v1 import service_account_pb2
from medhub.auth.v1 import service_account_service_pb2 as wire
from tests.storage.auth.test_service_accounts import assertion, exchange
from tests.support.credentials import Auth
from tests.support.emergencies import told


def _pair() -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


async def _add(
    auth: Auth, account: UUID, public: bytes, etag: str, expires: timedelta | None = None
) -> service_account_pb2.ServiceAccount:
    key = service_account_pb2.ServiceAccountKey(public_key=public)
    if expires is not None:
        key.expire_time.FromDatetime(clock.now() + expires)
    return await auth.service_accounts.AddServiceAccountKey(
        wire.AddServiceAccountKeyRequest(name=f"serviceAccounts/{account}", key=key, etag=etag)
    )


async def _remove(
    auth: Auth, account: UUID, key_id: str, etag: str
) -> service_account_pb2.ServiceAccount:
    return await auth.service_accounts.RemoveServiceAccountKey(
        wire.RemoveServiceAccountKeyRequest(
            name=f"serviceAccounts/{account}", key_id=key_id, etag=etag
        )
    )


async def test_a_program_changes_its_key_without_a_gap(auth: Auth) -> None:
    """Both keys get tokens while both are there; the removed one's are dead, the other's go on."""
    clinic = await auth.clinic()
    account, old = await auth.service(clinic.organization, "integration")
    new, public = _pair()
    await auth.act_as_administrator(clinic)

    both = await _add(auth, account, public, "1")

    tokens = [(await exchange(auth, assertion(account, key))).access_token for key in (old, new)]
    await auth.act_as_administrator(clinic)
    left = await _remove(auth, account, both.keys[0].id, both.etag)
    assert [len(both.keys), len(left.keys), left.etag] == [2, 1, "3"]
    state = await told(auth)
    dead = [state.dead(verify(token, state.keys, clock.now())) for token in tokens]
    assert dead == [True, False]
    with pytest.raises(TokenInvalid):
        await auth.proving.prove(tokens[0])
    assert (await auth.proving.prove(tokens[1])).roles == ("integration",)
    with pytest.raises(AssertionRefused):
        await exchange(auth, assertion(account, old))
    again = await exchange(auth, assertion(account, new))
    assert (await auth.proving.prove(again.access_token)).roles == ("integration",)


async def test_a_key_says_when_it_was_used(auth: Auth) -> None:
    """Unset before the first time; a refused assertion is no use of it."""
    clinic = await auth.clinic()
    account, key = await auth.service(clinic.organization, "integration")
    request = wire.GetServiceAccountRequest(name=f"serviceAccounts/{account}")
    with pytest.raises(AssertionRefused):
        await exchange(auth, assertion(account, _pair()[0]))
    await auth.act_as_administrator(clinic)
    before = await auth.service_accounts.GetServiceAccount(request)
    await exchange(auth, assertion(account, key))
    await auth.act_as_administrator(clinic)

    after = await auth.service_accounts.GetServiceAccount(request)

    assert not before.keys[0].HasField("last_use_time")
    assert after.keys[0].last_use_time.seconds >= after.keys[0].create_time.seconds
    assert after.etag == before.etag


async def test_an_expired_key_proves_nothing(auth: Auth) -> None:
    """And may go although it is the only other one; the last good one may not."""
    clinic = await auth.clinic()
    account, first = await auth.service(clinic.organization, "integration")
    second, public = _pair()
    await auth.act_as_administrator(clinic)
    both = await _add(auth, account, public, "1", timedelta(days=1))
    auth.rows("SET session_replication_role = replica; UPDATE service_account_key SET"
              f" expires_at = now() WHERE id = '{both.keys[1].id}'")  # fmt: skip

    with pytest.raises(AssertionRefused):
        await exchange(auth, assertion(account, second))
    await exchange(auth, assertion(account, first))
    await auth.act_as_administrator(clinic)
    with pytest.raises(LastKey):
        await _remove(auth, account, both.keys[0].id, both.etag)
    assert len((await _remove(auth, account, both.keys[1].id, both.etag)).keys) == 1


async def test_what_cannot_be_added_is_refused(auth: Auth) -> None:
    """Another account's key, one of the past, a sixth, one with a stale etag."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "integration")
    _, theirs = _pair()
    other, _ = await auth.service(clinic.organization, "integration")
    await auth.act_as_administrator(clinic)
    await _add(auth, other, theirs, "1")

    with pytest.raises(InvalidField):
        await _add(auth, account, theirs, "1")
    with pytest.raises(InvalidField):
        await _add(auth, account, _pair()[1], "1", timedelta(seconds=-1))
    with pytest.raises(EtagMismatch):
        await _add(auth, account, _pair()[1], "9")
    for number in range(4):
        await _add(auth, account, _pair()[1], str(number + 1))
    with pytest.raises(TooManyKeys):
        await _add(auth, account, _pair()[1], "5")


async def test_a_key_that_cannot_be_used_is_refused_in_one_way(auth: Auth) -> None:
    """Nobody learns that somebody else has it: another organization, or the platform."""
    clinic, elsewhere = await auth.clinic(), await auth.clinic("Clinique du Lac")
    account, _ = await auth.service(clinic.organization, "integration")
    taken = [(await auth.service(each, "integration"))[1] for each in (elsewhere.organization,)]
    taken += [(await auth.service(None, "service"))[1]]
    known = [Ed25519PrivateKey.from_private_bytes(each).public_key() for each in taken]
    keys = [bytes(32), bytes([1]) + bytes(31), bytes([2]) + bytes(31)]
    keys += [each.public_bytes_raw() for each in known]
    await auth.act_as_administrator(clinic)

    told = set()
    for key in keys:
        with pytest.raises(InvalidField) as refused:
            await _add(auth, account, key, "1")
        told.add(repr(refused.value.violations))
        program = service_account_pb2.ServiceAccount(display_name="Gateway", public_key=key)
        with pytest.raises(InvalidField) as refused:
            await auth.service_accounts.CreateServiceAccount(
                wire.CreateServiceAccountRequest(service_account=program)
            )
        told.add(repr(refused.value.violations))

    assert len(told) == 2
    assert all("unique" not in each for each in told)


async def test_a_removed_key_is_shown_no_more(auth: Auth) -> None:
    """What an account shows as its key is one that it has."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "integration")
    _, public = _pair()
    await auth.act_as_administrator(clinic)
    both = await _add(auth, account, public, "1")

    left = await _remove(auth, account, both.keys[0].id, both.etag)

    assert both.public_key == both.keys[0].public_key != public
    assert left.public_key == left.keys[0].public_key == public


async def test_to_add_a_key_again_changes_nothing(auth: Auth) -> None:
    """A client that lost the answer repeats the call as it was."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "integration")
    _, public = _pair()
    await auth.act_as_administrator(clinic)

    first = await _add(auth, account, public, "1")
    again = await _add(auth, account, public, "1")

    assert (len(again.keys), again.etag) == (2, first.etag)


async def test_other_roles_act_at_once(auth: Auth) -> None:
    """On the token that is about, and on the stream; nobody gives what they do not hold."""
    clinic = await auth.clinic()
    await auth.user(clinic.organization, "lead@parc.test", "auditor")
    account, key = await auth.service(clinic.organization, "integration")
    token = (await exchange(auth, assertion(account, key))).access_token
    name = f"serviceAccounts/{account}"
    await auth.act_as_administrator(clinic)

    saved = await auth.service_accounts.SetServiceAccountRoles(
        wire.SetServiceAccountRolesRequest(name=name, roles=["biller", "auditor"], etag="1")
    )

    assert (list(saved.roles), saved.etag) == (["auditor", "biller"], "2")
    assert (await auth.proving.prove(token)).roles == ("auditor", "biller")
    told = auth.rows("SELECT event FROM auth_event ORDER BY revision DESC LIMIT 1")[0]["event"]
    assert (told["kind"], told["roles"]) == ("membership_changed", ["auditor", "biller"])
    made = await auth.log_in("lead@parc.test")
    await auth.act(made.access_token)
    with pytest.raises(EscalationRefused):
        await auth.service_accounts.SetServiceAccountRoles(
            wire.SetServiceAccountRolesRequest(name=name, roles=["administrator"], etag="2")
        )


async def test_another_organizations_account_is_not_found(auth: Auth) -> None:
    """Whatever is asked of it."""
    first, second = await auth.clinic("Alpha"), await auth.clinic("Beta")
    theirs, _ = await auth.service(second.organization, "integration")
    key = auth.rows(f"SELECT id FROM service_account_key WHERE account_id = '{theirs}'")[0]["id"]
    await auth.act_as_administrator(first)
    name = f"serviceAccounts/{theirs}"

    with pytest.raises(NotFound):
        await auth.service_accounts.GetServiceAccount(wire.GetServiceAccountRequest(name=name))
    with pytest.raises(NotFound):
        await auth.service_accounts.SetServiceAccountRoles(
            wire.SetServiceAccountRolesRequest(name=name, roles=[], etag="1")
        )
    with pytest.raises(NotFound):
        await _add(auth, theirs, _pair()[1], "1")
    with pytest.raises(NotFound):
        await _remove(auth, theirs, str(key), "1")


async def test_an_expiry_that_is_no_time_is_refused(auth: Auth) -> None:
    """In words, and nothing is added."""
    clinic = await auth.clinic()
    account, _ = await auth.service(clinic.organization, "integration")
    _, public = _pair()
    await auth.act_as_administrator(clinic)
    key = service_account_pb2.ServiceAccountKey(public_key=public)
    key.expire_time.seconds = 2**53 + 1

    with pytest.raises(InvalidField):
        await auth.service_accounts.AddServiceAccountKey(
            wire.AddServiceAccountKeyRequest(name=f"serviceAccounts/{account}", key=key, etag="1")
        )
