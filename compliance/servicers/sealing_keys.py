"""Keys handed to relays, which seal events under them."""

import re
from collections import defaultdict
from uuid import UUID

from compliance.domain.keys import KeyWanted, SealingKey
from compliance.storage.store import Store
from core.errors import InvalidField
from medhub.compliance.v1 import key_service_pb2 as wire

_SUBJECT = re.compile(r"([a-zA-Z]{1,32}/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?")


class SealingKeys:
    """medhub.compliance.v1.KeyService."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ProvisionKeys(self, request: wire.ProvisionKeysRequest) -> wire.ProvisionKeysResponse:
        by_organization: dict[UUID, list[int]] = defaultdict(list)
        for at, wanted in enumerate(request.keys):
            by_organization[UUID(wanted.organization_id)].append(at)
        asked = [_wanted_from_proto(at, wanted) for at, wanted in enumerate(request.keys)]
        keys: dict[int, SealingKey] = {}
        for organization, places in sorted(by_organization.items()):
            async with self._store.begin_for(organization) as tx:
                provided = await tx.keys.provision([asked[at] for at in places])
            keys.update(zip(places, provided, strict=True))
        return wire.ProvisionKeysResponse(
            keys=[_key_to_proto(keys[at]) for at in range(len(asked))]
        )


def _wanted_from_proto(at: int, wanted: wire.KeyWanted) -> KeyWanted:
    if not _SUBJECT.fullmatch(wanted.subject):
        raise InvalidField(field=f"keys[{at}].subject", rule="resource_name")
    return KeyWanted(wanted.subject, wanted.retention_class, wanted.month)


def _key_to_proto(key: SealingKey) -> wire.SealingKey:
    reference = "" if key.reference is None else str(key.reference)
    return wire.SealingKey(key=key.name, subject_ref=reference, data_key=key.secret)
