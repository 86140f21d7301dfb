"""Keys over the wire."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from compliance.domain.keys import AUDIT
from compliance.storage.store import Store
from core import clock, identity
from core.crypto.keyring import Keyring
from core.ids import new_id
from medhub.compliance.v1 import key_service_pb2 as wire
from medhub.compliance.v1.key_service_pb2_grpc import KeyServiceStub
from tests.support.postgres import ServiceDatabase
from tests.support.servers import PHRASE, Served, bearer, reason_of

PROVISION = "compliance.keys.provision"


def _wanted(organization: object, subject: str) -> wire.KeyWanted:
    return wire.KeyWanted(
        organization_id=str(organization),
        subject=subject,
        retention_class=AUDIT,
        month="2026-11",
    )


async def _provision(served: Served, token: str, *wanted: wire.KeyWanted) -> Any:
    stub: Any = KeyServiceStub(served.channel)
    request = wire.ProvisionKeysRequest(keys=wanted)
    return await stub.ProvisionKeys(request, metadata=bearer(token), timeout=60)


async def test_keys_come_in_the_order_asked(served: Served) -> None:
    """One request serves several organizations; each asked key stands at its place."""
    token = served.authority.token(PROVISION, kind="service")
    one, other = new_id(), new_id()
    person = f"patients/{new_id()}"
    wanted = [_wanted(one, person), _wanted(other, person), _wanted(one, ""), _wanted(one, person)]

    first = (await _provision(served, token, *wanted)).keys
    again = (await _provision(served, token, *wanted)).keys

    assert list(first) == list(again)
    assert first[0] == first[3]
    assert len({key.data_key for key in first}) == 3
    assert [bool(key.subject_ref) for key in first] == [True, True, False, True]


async def test_a_destroyed_key_is_refused(
    served: Served, compliance: ServiceDatabase, tmp_path: Path
) -> None:
    """KEY_DESTROYED: nobody gets a key for a person who is forgotten."""
    token = served.authority.token(PROVISION, kind="service")
    organization, person = new_id(), f"patients/{new_id()}"
    await _provision(served, token, _wanted(organization, person))
    caller = identity.Caller(kind=identity.Kind.SERVICE, subject=new_id())
    identity.enter(identity.Call(method="medhub.test/Forget", caller=caller))
    async with compliance.open() as db:
        store = Store(db, Keyring.open(tmp_path / "keyring.json", PHRASE))
        async with store.begin_for(organization) as tx:
            await tx.keys.destroy_subject_key(person, AUDIT, at=clock.now())

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await _provision(served, token, _wanted(organization, person))

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason_of(refused.value) == "KEY_DESTROYED"


async def test_a_subject_that_is_no_name_is_refused(served: Served) -> None:
    """INVALID_FIELD: a key is a person's, and a person has a resource name."""
    token = served.authority.token(PROVISION, kind="service")

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await _provision(served, token, _wanted(new_id(), "Marie Curie"))

    assert reason_of(refused.value) == "INVALID_FIELD"


async def test_a_user_gets_no_keys(served: Served) -> None:
    """Only who may provision keys gets any."""
    token = served.authority.token("compliance.audit.read", organization=new_id())

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await _provision(served, token, _wanted(new_id(), ""))

    assert reason_of(refused.value) == "PERMISSION_DENIED"
