"""Roles of an organization, from definition to deletion, against a real database."""

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from auth.domain.refusals import EscalationRefused, RoleBuiltIn, RoleHeld
from core.errors import EtagMismatch, InvalidField, NotFound, Refusal
from core.identity import Caller
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as wire
from tests.storage.auth.test_memberships import _with, invitation
from tests.support.credentials import Auth, enter

READ, CREATE = "clinical.patients.read", "clinical.patients.create"


async def define(auth: Auth, *permissions: str, key: str = "reader") -> role_pb2.Role:
    """A role of the organization of the call."""
    role = role_pb2.Role(display_name="Reader", permissions=permissions)
    return await auth.roles.CreateRole(wire.CreateRoleRequest(role_id=key, role=role))


def changed(role: role_pb2.Role, *permissions: str) -> wire.UpdateRoleRequest:
    """A request to let it give exactly these."""
    asked = role_pb2.Role(name=role.name, permissions=permissions, etag=role.etag)
    return wire.UpdateRoleRequest(role=asked, update_mask=FieldMask(paths=["permissions"]))


async def test_a_change_acts_for_everybody_who_holds_it(auth: Auth) -> None:
    """With the token that is out, and told to every server."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    role = await define(auth, READ)
    made = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "reader"))
    invited = await auth.auth._invitations.find(made.activation_token)
    await auth.auth._invitations.activate(invited, await auth.hashing.hash("tilleul-harfang-8"))
    token = (await auth.log_in("zoe@parc.test", "tilleul-harfang-8")).access_token
    before = (await auth.proving.prove(token)).permissions
    await auth.act_as_administrator(clinic)

    saved = await auth.roles.UpdateRole(changed(role, READ, CREATE))

    assert before == {READ}
    assert (await auth.proving.prove(token)).permissions == {READ, CREATE}
    assert (saved.display_name, saved.etag) == ("Reader", "2")
    assert saved == await auth.roles.GetRole(wire.GetRoleRequest(name=role.name))
    told = auth.rows("SELECT event FROM auth_event ORDER BY revision DESC LIMIT 1")[0]["event"]
    assert told["permissions"] == [CREATE, READ]
    with pytest.raises(EtagMismatch):
        await auth.roles.UpdateRole(changed(role, READ))


async def test_nobody_puts_into_a_role_what_they_do_not_hold(auth: Auth) -> None:
    """Not for others, nor for themselves; what it has already may stay."""
    clinic = await auth.clinic()
    administrator = await auth.act_as_administrator(clinic)
    role = await define(auth, READ, CREATE)
    lesser: Caller = _with(administrator, "auth.roles.update", READ)
    enter(lesser, "UpdateRole")

    with pytest.raises(EscalationRefused) as refused:
        await auth.roles.UpdateRole(changed(role, READ, CREATE, "clinical.patients.delete"))
    kept = await auth.roles.UpdateRole(changed(role, READ, CREATE))

    assert refused.value.metadata == {"permission": "clinical.patients.delete"}
    assert list(kept.permissions) == [CREATE, READ]


async def test_a_permission_of_another_version_may_stay_and_not_come(auth: Auth) -> None:
    """While versions are mixed, a change of the rest loses nothing and gives nothing new."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    role = await define(auth, READ)
    auth.rewrite("UPDATE role SET permissions = permissions || '{clinical.dreams.read}'")

    kept = await auth.roles.UpdateRole(changed(role, READ, "clinical.dreams.read"))
    gone = await auth.roles.UpdateRole(changed(kept, READ))

    assert list(kept.permissions) == ["clinical.dreams.read", READ]
    assert list(gone.permissions) == [READ]
    with pytest.raises(InvalidField):
        await auth.roles.UpdateRole(changed(gone, READ, "clinical.dreams.read"))


async def test_who_lacks_a_permission_of_another_version_does_not_give_its_role(
    auth: Auth,
) -> None:
    """What nobody here can hold, nobody gives."""
    await auth.act_as_administrator(await auth.clinic())
    await define(auth, READ)
    auth.rewrite("UPDATE role SET permissions = permissions || '{clinical.dreams.read}'")

    with pytest.raises(EscalationRefused):
        await auth.memberships.CreateMembership(invitation("zoe@parc.test", "reader"))


async def test_a_role_that_nobody_holds_is_deleted(auth: Auth) -> None:
    """Its id may be used again, and its event is forgotten in time."""
    await auth.act_as_administrator(await auth.clinic())
    role = await define(auth, READ)

    await auth.roles.DeleteRole(wire.DeleteRoleRequest(name=role.name, etag=role.etag))

    with pytest.raises(NotFound):
        await auth.roles.GetRole(wire.GetRoleRequest(name=role.name))
    kept = auth.rows("SELECT forget_at FROM auth_state WHERE key LIKE 'role/%%/reader'")
    assert kept[0]["forget_at"] is not None
    assert (await define(auth, READ)).etag == "1"


async def test_a_role_that_somebody_is_invited_to_stays(auth: Auth) -> None:
    """Or holds, or gets by joining: asked once for each below, in one organization."""
    clinic = await auth.clinic()
    await auth.act_as_administrator(clinic)
    role = await define(auth, READ)
    request = wire.DeleteRoleRequest(name=role.name, etag=role.etag)

    made = await auth.memberships.CreateMembership(invitation("zoe@parc.test", "reader"))
    with pytest.raises(RoleHeld):
        await auth.roles.DeleteRole(request)
    later = '[{"role": "reader", "starts_at": "2999-01-01T00:00:00+00:00", "ends_at": null}]'
    auth.rewrite(f"UPDATE membership SET roles = '{{}}', timed_roles = '{later}'")
    with pytest.raises(RoleHeld):
        await auth.roles.DeleteRole(request)
    auth.rewrite("UPDATE membership SET timed_roles = '[]'")
    auth.rewrite("UPDATE organization SET registration_roles = '{reader}'")
    with pytest.raises(RoleHeld):
        await auth.roles.DeleteRole(request)
    auth.rewrite("UPDATE organization SET registration_roles = '{}'")

    assert made.name
    await auth.roles.DeleteRole(request)


async def test_a_role_is_not_given_while_it_is_deleted(auth: Auth) -> None:
    """Of an invitation and a deletion at once, one is refused; nobody is left with a role that
    is not there.
    """
    await auth.act_as_administrator(await auth.clinic())

    for turn in range(8):
        role = await define(auth, READ, key=f"reader{turn}")
        asked = invitation(f"zoe{turn}@parc.test", f"reader{turn}")
        outcomes = await asyncio.gather(
            auth.roles.DeleteRole(wire.DeleteRoleRequest(name=role.name, etag=role.etag)),
            auth.memberships.CreateMembership(asked),
            return_exceptions=True,
        )
        refused = [each for each in outcomes if isinstance(each, BaseException)]
        assert len(refused) == 1
        assert isinstance(refused[0], Refusal)
    stray = auth.rows(
        "SELECT 1 FROM membership m, unnest(m.roles) r WHERE r LIKE 'reader%%'"
        " AND NOT EXISTS (SELECT 1 FROM role o WHERE o.id = r)"
    )
    assert stray == []


async def test_built_in_roles_stand_as_they_are(auth: Auth) -> None:
    """Shown like others, and changed or deleted by nobody."""
    await auth.act_as_administrator(await auth.clinic())

    shown = await auth.roles.GetRole(wire.GetRoleRequest(name="roles/doctor"))

    assert (shown.display_name, shown.built_in) == ("Doctor", True)
    with pytest.raises(RoleBuiltIn):
        await auth.roles.UpdateRole(changed(shown, READ))
    with pytest.raises(RoleBuiltIn):
        await auth.roles.DeleteRole(wire.DeleteRoleRequest(name=shown.name, etag="1"))
    with pytest.raises(NotFound):
        await auth.roles.GetRole(wire.GetRoleRequest(name="roles/service"))


async def test_the_catalogue_says_what_each_permission_opens(auth: Auth) -> None:
    """In the words of the contract, and which of them the caller could give."""
    caller = await auth.act_as_administrator(await auth.clinic())
    enter(_with(caller, "auth.roles.read"), "ListPermissions")

    found: list[role_pb2.Permission] = []
    token = ""
    while True:
        page = await auth.roles.ListPermissions(
            wire.ListPermissionsRequest(page_size=50, page_token=token)
        )
        found += page.permissions
        token = page.next_page_token
        if not token:
            break

    names = [each.permission for each in found]
    assert names == sorted(set(names))
    assert "auth.state.watch" not in names
    assert [each.permission for each in found if each.held] == ["auth.roles.read"]
    [reading] = [each for each in found if each.permission == "auth.memberships.read"]
    assert [use.method.rpartition("/")[2] for use in reading.uses] == [
        "GetMembership", "ListMemberships",
    ]  # fmt: skip
    assert reading.uses[0].comment == "Shows one membership."
    assert all(use.comment for each in found for use in each.uses)
