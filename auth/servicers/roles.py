"""RoleService: roles, built in and the organization's own."""

from auth.domain.events import RoleChanged
from auth.domain.refusals import RoleExists
from auth.domain.roles import (
    BUILT_IN,
    DISPLAY_NAMES,
    OF_THE_PLATFORM,
)
from auth.giving import check_without_end
from auth.storage.store import Store, Tx
from core import clock, identity
from core.database import ConstraintViolated
from core.database.pages import Listing, PageTokens, page_of, page_size
from core.errors import InvalidField, NotFound
from medhub.auth.v1 import role_pb2
from medhub.auth.v1 import role_service_pb2 as wire

_LISTING = Listing(method="medhub.auth.v1.RoleService/ListRoles", order="id")
_REVISION = 1  # a role is defined once and does not change


class Roles:
    """The RoleService of the contract."""

    def __init__(self, store: Store, pages: PageTokens, catalogue: frozenset[str]) -> None:
        """`catalogue` holds every permission that a contract declares."""
        self._store = store
        self._pages = pages
        self._catalogue = catalogue

    async def ListRoles(self, request: wire.ListRolesRequest) -> wire.ListRolesResponse:
        """Show the roles that can be given in the organization."""
        size = page_size(request.page_size)
        key = self._pages.open(request.page_token, _LISTING)
        async with self._store.begin(read_only=True) as tx:
            own = await tx.roles.all()
        every = sorted([*_built_in(), *(role_to_proto(*each) for each in own)], key=_id)
        rest = [role for role in every if not key or _id(role) > str(key[0])]
        page = page_of(rest[: size + 1], size, _LISTING, self._pages, key=lambda r: (_id(r),))
        return wire.ListRolesResponse(roles=page.items, next_page_token=page.next_page_token)

    async def CreateRole(self, request: wire.CreateRoleRequest) -> role_pb2.Role:
        """Define a role of the organization."""
        key, permissions = request.role_id, tuple(sorted(request.role.permissions))
        async with self._store.begin() as tx:
            if await tx.first_try() is not None:
                return await _again(tx, key)
            self._refuse(key, permissions)
            await check_without_end(tx, permissions)
            try:
                await tx.roles.add(key, request.role.display_name, permissions, clock.now())
            except ConstraintViolated:
                raise RoleExists from None
            await tx.remember(f"roles/{key}", _REVISION)
            organization = identity.caller().organization
            await tx.state.publish([RoleChanged(organization, key, permissions)])
        return role_to_proto(key, request.role.display_name, permissions)

    def _refuse(self, key: str, permissions: tuple[str, ...]) -> None:
        if key in BUILT_IN:
            raise RoleExists
        if not self._catalogue.issuperset(permissions):
            raise InvalidField(field="role.permissions", rule="permission")


async def _again(tx: Tx, key: str) -> role_pb2.Role:
    """What an earlier call with the same request_id made."""
    for each in await tx.roles.all():
        if each[0] == key:
            return role_to_proto(*each)
    raise NotFound


def _built_in() -> list[role_pb2.Role]:
    return [
        role_to_proto(key, DISPLAY_NAMES[key], tuple(permissions), built_in=True)
        for key, permissions in BUILT_IN.items()
        if key not in OF_THE_PLATFORM
    ]


def role_to_proto(
    key: str, display_name: str, permissions: tuple[str, ...], *, built_in: bool = False
) -> role_pb2.Role:
    """A role, with its permissions in order."""
    return role_pb2.Role(
        name=f"roles/{key}",
        display_name=display_name,
        permissions=sorted(permissions),
        built_in=built_in,
    )


def _id(role: role_pb2.Role) -> str:
    return role.name.removeprefix("roles/")
