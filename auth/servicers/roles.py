"""RoleService: roles, built in and the organization's own, and what a role can give."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from auth.domain.events import RoleChanged
from auth.domain.memberships import check_etag
from auth.domain.names import check_name
from auth.domain.refusals import RoleBuiltIn, RoleExists, RoleHeld
from auth.domain.roles import BUILT_IN, DISPLAY_NAMES, OF_THE_PLATFORM, of_the_platform_alone
from auth.domain.sessions import forget_at
from auth.giving import check_without_end
from auth.servicers.masks import named
from auth.servicers.times import timestamp
from auth.storage.roles import OwnRole
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as wire

_LISTING = Listing(method="medhub.auth.v1.RoleService/ListRoles", order="id")
_PERMISSIONS = Listing(method="medhub.auth.v1.RoleService/ListPermissions", order="permission")
_CHANGEABLE = frozenset({"display_name", "permissions"})


class Roles:
    """The RoleService of the contract."""

    def __init__(
        self,
        store: Store,
        pages: PageTokens,
        catalogue: Mapping[str, Sequence[role_pb2.PermissionUse]],
    ) -> None:
        """`catalogue` holds every permission that a contract declares, and what it opens."""
        self._store = store
        self._pages = pages
        self._catalogue = catalogue

    async def ListRoles(self, request: wire.ListRolesRequest) -> wire.ListRolesResponse:
        """Show the roles that can be given in the organization."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            own = await tx.roles.all()
        every = sorted([*_built_in(), *map(role_to_proto, own)], key=_id)
        rest = [role for role in every if not key or _id(role) > str(key[0])]
        page = page_of(rest[: size + 1], size, _LISTING, self._pages, key=lambda r: (_id(r),))
        return wire.ListRolesResponse(roles=page.items, next_page_token=page.next_page_token)

    async def GetRole(self, request: wire.GetRoleRequest) -> role_pb2.Role:
        """Show one."""
        for role in _built_in():
            if role.name == request.name:
                return role
        async with self._store.begin(read_only=True) as tx:
            return await _again(tx, _key(request.name))

    async def CreateRole(self, request: wire.CreateRoleRequest) -> role_pb2.Role:
        """Define a role of the organization."""
        key, permissions = request.role_id, tuple(sorted(request.role.permissions))
        check_name(request.role.display_name, field="role.display_name")
        async with self._store.begin() as tx:
            if await tx.first_try() is not None:
                return await _again(tx, key)
            if key in BUILT_IN:
                raise RoleExists
            await self._check_new(tx, permissions)
            now = clock.now()
            made = OwnRole(key, request.role.display_name, permissions, now, now, revision=1)
            try:
                await tx.roles.add(made)
            except ConstraintViolated:
                raise RoleExists from None
            await tx.remember(f"roles/{key}", made.revision)
            await _tell(tx, key, permissions)
        return role_to_proto(made)

    async def UpdateRole(self, request: wire.UpdateRoleRequest) -> role_pb2.Role:
        """Change one, for everybody who holds it."""
        fields = named(request.update_mask, _CHANGEABLE)
        asked = request.role
        if "display_name" in fields:
            check_name(asked.display_name, field="role.display_name")
        async with self._store.begin() as tx:
            held = await _hold(tx, asked.name, asked.etag)
            display_name = asked.display_name if "display_name" in fields else held.display_name
            permissions = held.permissions
            if "permissions" in fields:
                permissions = tuple(sorted(asked.permissions))
                # What it has may stay, whoever changes it, and whatever this version declares.
                await self._check_new(tx, sorted(set(permissions) - set(held.permissions)))
            now = clock.now()
            await tx.roles.save(held.id, display_name, permissions, now)
            if permissions != held.permissions:
                await _tell(tx, held.id, permissions)
            else:
                await tx.state.settled()
        return role_to_proto(
            replace(
                held,
                display_name=display_name,
                permissions=permissions,
                updated_at=now,
                revision=held.revision + 1,
            )
        )

    async def DeleteRole(self, request: wire.DeleteRoleRequest) -> wire.DeleteRoleResponse:
        """Delete one that nobody holds. Whoever is giving it is waited for, and the other way."""
        async with self._store.begin() as tx:
            held = await _hold(tx, request.name, request.etag)
            if await tx.roles.is_held(held.id):
                raise RoleHeld
            await tx.roles.remove(held.id)
            revision = await _tell(tx, held.id, ())
        return wire.DeleteRoleResponse(auth_revision=revision)

    async def ListPermissions(
        self, request: wire.ListPermissionsRequest
    ) -> wire.ListPermissionsResponse:
        """Show what a role can give, and what the caller could."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _PERMISSIONS)
        after, mine = str(key[0]) if key else "", identity.caller().permissions
        names = sorted(each for each in self._catalogue if not of_the_platform_alone(each))
        rest = [each for each in names if each > after]
        page = page_of(rest[: size + 1], size, _PERMISSIONS, self._pages, key=lambda name: (name,))
        return wire.ListPermissionsResponse(
            permissions=[
                role_pb2.Permission(permission=each, uses=self._catalogue[each], held=each in mine)
                for each in page.items
            ],
            next_page_token=page.next_page_token,
        )

    async def _check_new(self, tx: Tx, permissions: Sequence[str]) -> None:
        """Refuse to put into a role what no contract declares, or what the caller does not hold.

        A role is held without a period, so the caller must hold it so. Raises InvalidField or
        EscalationRefused.
        """
        if not self._catalogue.keys() >= set(permissions):
            raise InvalidField(field="role.permissions", rule="permission")
        await check_without_end(tx, permissions)


async def _hold(tx: Tx, name: str, etag: str) -> OwnRole:
    """A role to change. Raises RoleBuiltIn, NotFound or EtagMismatch."""
    if _key(name) in BUILT_IN:
        raise RoleBuiltIn
    held = await tx.roles.lock(_key(name))
    if held is None:
        raise NotFound
    check_etag(held.revision, etag)
    return held


async def _tell(tx: Tx, key: str, permissions: tuple[str, ...]) -> int:
    """Tell every server. A role that gives nothing is forgotten once no server needs to hear it."""
    forgotten = None if permissions else forget_at(clock.now())
    organization = identity.caller().organization
    return await tx.state.publish([RoleChanged(organization, key, permissions, forgotten)])


async def _again(tx: Tx, key: str) -> role_pb2.Role:
    """One of the organization's own. Raises NotFound."""
    found = await tx.roles.get(key)
    if found is None:
        raise NotFound
    return role_to_proto(found)


def _built_in() -> list[role_pb2.Role]:
    return [
        role_pb2.Role(
            name=f"roles/{key}",
            display_name=DISPLAY_NAMES[key],
            permissions=sorted(permissions),
            built_in=True,
        )
        for key, permissions in BUILT_IN.items()
        if key not in OF_THE_PLATFORM
    ]


def role_to_proto(role: OwnRole) -> role_pb2.Role:
    """A role of the organization, with its permissions in order."""
    return role_pb2.Role(
        name=f"roles/{role.id}",
        display_name=role.display_name,
        permissions=sorted(role.permissions),
        create_time=timestamp(role.created_at),
        update_time=timestamp(role.updated_at),
        etag=str(role.revision),
    )


def _id(role: role_pb2.Role) -> str:
    return _key(role.name)


def _key(name: str) -> str:
    return name.removeprefix("roles/")
