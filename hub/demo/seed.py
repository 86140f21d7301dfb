"""Loads the demonstration: `python -m hub.demo.seed`, once auth and clinical serve.

What is there already stays as it is, so a second start changes nothing. Writes who can log in as
JSON to the file that it is told.
"""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretBytes, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from auth import bootstrap
from auth.domain.assertions import COLLECTION
from auth.formats import key_files
from auth.settings import CommandSettings
from auth.storage.store import Store
from clinical.domain.ins import TenantKind
from clinical.storage.settings import Settings
from core.contract import everything
from core.crypto.private_files import PrivateFile
from core.database import Database, DatabaseSettings
from core.identity import Call, Caller, Kind
from core.ids import name_of
from core.rpc.channel import open_channel
from core.settings import PAGE_KEY_BYTES
from hub.demo.people import HOSPITAL, HOUSES, House, Person
from hub.run_file import DemoOrganization
from hub.secrets import Secrets
from medhub.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from medhub.clinical.v1 import hl7_pb2, hl7_v2_service_pb2, hl7_v2_service_pb2_grpc
from medhub.clinical.v1 import practitioner_pb2 as staff
from medhub.clinical.v1 import practitioner_service_pb2 as staff_service
from medhub.clinical.v1 import practitioner_service_pb2_grpc as staff_grpc

# 96 bits: long enough for a password that people copy, short enough for a line.
_PASSWORD_BYTES = 12
_CALL_SECONDS = 10.0
ENDPOINT_LABEL = "GAM (MLLP)"


class SeedSettings(BaseSettings):
    """What the loader is told by environment, MEDHUB_DEMO_…"""

    model_config = SettingsConfigDict(env_prefix="MEDHUB_DEMO_", extra="ignore", frozen=True)

    auth_target: str
    clinical_target: str
    clinical_database_url: SecretStr
    secrets_path: Path
    gateway_key_path: Path
    gateway_endpoints_path: Path
    out_path: Path


class Seed:
    """Loads one house after the other."""

    def __init__(self, settings: SeedSettings, store: Store, clinical: Database) -> None:
        self._settings = settings
        self._store = store
        self._records = clinical
        self._secrets = Secrets(settings.secrets_path)
        self._loaded = {one["name"]: one for one in _written(settings.out_path)}
        self._auth = open_channel(settings.auth_target, everything())
        self._clinical = open_channel(settings.clinical_target, everything())

    async def close(self) -> None:
        """Close the channels."""
        await self._auth.close()
        await self._clinical.close()

    async def house(self, house: House) -> DemoOrganization:
        """Load an organization, its people, its units and its staff."""
        organization = await bootstrap.organization(self._store, house.display_name, test=True)
        loaded = self._loaded.get(name_of("organizations", organization))
        if loaded is not None:
            # What its people have changed since, a password or a factor too, stays.
            return loaded
        await self._rehearse(organization)
        users = {p.email: await self._user(organization, p) for p in house.people}
        admin = await self._token(house.people[0])
        units = await self._units(house, admin)
        await self._staff(house, admin, users, units)
        if house is HOSPITAL:
            await self._endpoint(organization, admin)
        return {
            "name": name_of("organizations", organization),
            "display_name": house.display_name,
            "users": [
                {"email": p.email, "password": self._password(p), "roles": list(p.roles)}
                for p in house.people
            ],
        }

    async def _rehearse(self, organization: UUID) -> None:
        """Let the organization hold test identities, and no others."""
        call = Call(
            method="hub.demo/Seed",
            caller=Caller(kind=Kind.SERVICE, organization=organization),
            action="clinical.settings.put",
            purpose="operation",
        )
        async with self._records.begin_as(call) as tx:
            settings = Settings(tx)
            if await settings.tenant_kind() is not TenantKind.TEST:
                await settings.put_tenant_kind(TenantKind.TEST)

    def _password(self, person: Person) -> str:
        path = self._secrets.file(
            f"demo.{person.email}", lambda: secrets.token_urlsafe(_PASSWORD_BYTES).encode()
        )
        return path.read_text()

    async def _user(self, organization: UUID, person: Person) -> UUID:
        return await bootstrap.user(
            self._store, organization, person.email, person.display_name,
            self._password(person), person.roles,
        )  # fmt: skip

    async def _token(self, person: Person) -> str:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(self._auth)
        request = auth_service_pb2.LoginRequest(email=person.email, password=self._password(person))
        answer = await stub.Login(request, timeout=_CALL_SECONDS)
        if not answer.access_token:
            raise RuntimeError("the demonstration has other people by now: start without --demo")
        return str(answer.access_token)

    async def _units(self, house: House, token: str) -> dict[str, str]:
        stub: Any = staff_grpc.PractitionerServiceStub(self._clinical)
        listed = await _call(stub.ListUnits, staff_service.ListUnitsRequest(page_size=200), token)
        units = {unit.code: str(unit.name) for unit in listed.units}
        for unit in house.units:
            if unit.code not in units:
                asked = staff.Unit(code=unit.code, display_name=unit.display_name)
                made = await _call(
                    stub.CreateUnit, staff_service.CreateUnitRequest(unit=asked), token
                )
                units[unit.code] = made.name
        return units

    async def _staff(
        self, house: House, token: str, users: dict[str, UUID], units: dict[str, str]
    ) -> None:
        stub: Any = staff_grpc.PractitionerServiceStub(self._clinical)
        listed = await _call(
            stub.ListPractitioners, staff_service.ListPractitionersRequest(page_size=200), token
        )
        known = {one.user for one in listed.practitioners}
        for person in house.people:
            user = name_of("users", users[person.email])
            if person.unit and user not in known:
                asked = staff.Practitioner(
                    display_name=person.display_name, rpps=person.rpps, user=user,
                    units=[units[person.unit]],
                )  # fmt: skip
                await _call(
                    stub.CreatePractitioner,
                    staff_service.CreatePractitionerRequest(practitioner=asked),
                    token,
                )

    async def _endpoint(self, organization: UUID, token: str) -> None:
        """The place where the hospital's messages arrive, fed by the gateway's account alone."""
        path = self._settings.gateway_key_path
        key = await asyncio.to_thread(key_files.read_or_create, path)
        account = name_of(
            COLLECTION,
            await bootstrap.service_account(
                self._store, organization, "MLLP gateway", key.public_key, ["integration"]
            ),
        )
        if key.account != account:
            await asyncio.to_thread(key_files.write, path, key.of(account))
        stub: Any = hl7_v2_service_pb2_grpc.Hl7V2ServiceStub(self._clinical)
        listed = await _call(
            stub.ListEndpoints, hl7_v2_service_pb2.ListEndpointsRequest(page_size=200), token
        )
        names = [e.name for e in listed.hl7_endpoints if e.label == ENDPOINT_LABEL]
        if not names:
            asked = hl7_pb2.Hl7Endpoint(label=ENDPOINT_LABEL, service_account=account)
            made = await _call(
                stub.CreateEndpoint,
                hl7_v2_service_pb2.CreateEndpointRequest(hl7_endpoint=asked),
                token,
            )
            names = [made.name]
        self._settings.gateway_endpoints_path.write_text(names[0])


def _written(path: Path) -> list[DemoOrganization]:
    """What an earlier start has loaded; nothing at the first."""
    try:
        loaded: list[DemoOrganization] = json.loads(path.read_text())
    except FileNotFoundError:
        return []
    return loaded


async def _call(method: Any, request: Any, token: str) -> Any:
    metadata = (("authorization", f"Bearer {token}"),)
    return await method(request, metadata=metadata, timeout=_CALL_SECONDS)


async def load(settings: SeedSettings) -> None:
    """Load every house and write who can log in."""
    accounts = Database(CommandSettings.read().database())
    records = Database(
        DatabaseSettings(
            app_url=settings.clinical_database_url,
            page_key=SecretBytes(os.urandom(PAGE_KEY_BYTES)),
            pool_size=1,
        )
    )
    await accounts.open()
    await records.open()
    seed = Seed(settings, Store(accounts), records)
    try:
        organizations = [await seed.house(house) for house in HOUSES]
    finally:
        await seed.close()
        await records.close()
        await accounts.close()
    PrivateFile(settings.out_path).replace(json.dumps(organizations).encode())


if __name__ == "__main__":
    asyncio.run(load(SeedSettings()))  # type: ignore[call-arg]  # the environment has them
    sys.exit(0)
