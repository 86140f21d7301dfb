"""OrganizationService: the organization that the caller works in."""

from auth.servicers.times import timestamp
from auth.storage.organizations import Organization
from auth.storage.store import Store
from core import identity
from core.errors import NotFound
from core.ids import id_from, name_of
from medhub.auth.v1 import organization_pb2
from medhub.auth.v1 import organization_service_pb2 as wire


class Organizations:
    """The OrganizationService of the contract."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def GetOrganization(
        self, request: wire.GetOrganizationRequest
    ) -> organization_pb2.Organization:
        """Show the organization of the token; any other is not found."""
        key = id_from(request.name, "organizations")
        if key != identity.caller().organization:
            raise NotFound
        async with self._store.begin(read_only=True) as tx:
            found = await tx.organizations.get(key)
        if found is None:
            raise NotFound
        return organization_to_proto(found)


def organization_to_proto(organization: Organization) -> organization_pb2.Organization:
    """As its members see it."""
    suspended = organization.suspended_at is not None
    return organization_pb2.Organization(
        name=name_of("organizations", organization.id),
        display_name=organization.display_name,
        state=(
            organization_pb2.ORGANIZATION_STATE_SUSPENDED
            if suspended
            else organization_pb2.ORGANIZATION_STATE_ACTIVE
        ),
        test=organization.test,
        create_time=timestamp(organization.created_at),
    )
