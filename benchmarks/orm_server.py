"""CreatePatient the obvious way: SQLAlchemy's async ORM behind the same contract.

The same tables under the same row-level security and the same triggers, written through mapped
classes, relationships, a flush and a commit. What surrounds a call in medhub (proof of the
caller, permission, validation, access log, metrics) is left out here, in this server's favour.

`python -m benchmarks.orm_server 127.0.0.1:0` prints its port and serves until it is killed. It is
told the same by environment as the clinical server; organization and caller come as metadata.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any
from uuid import UUID

import grpc
import uvloop
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Column, MetaData, Table, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, relationship
from sqlalchemy.types import BigInteger, LargeBinary, Text, Uuid

from clinical.domain.identifiers import check_identifiers
from clinical.domain.ins import TenantKind
from clinical.domain.patients import Patient, register
from clinical.domain.search_keys import keys_of
from clinical.servicers.patient_messages import (
    identifiers_from_proto,
    patient_to_proto,
    traits_from_proto,
)
from clinical.storage import tables
from clinical.storage.sealing import index_of, seal_snapshot, seal_value
from core import clock, identity
from core.crypto.keyring import Keyring
from core.crypto.organization_keys import OrganizationKey, OrganizationKeys
from core.crypto.unlocking import KeyFile
from core.database import Database, DatabaseSettings
from core.ids import name_of, new_id
from core.settings import CoreSettings
from medhub.clinical.v1 import patient_pb2
from medhub.clinical.v1 import patient_service_pb2 as messages

_METHOD = "medhub.clinical.v1.PatientService/CreatePatient"
_SET = text(
    "SELECT set_config('medhub.organization', :organization, true),"
    " set_config('medhub.subject', :subject, true), set_config('medhub.context', :context, true)"
)


class Mapped(DeclarativeBase):
    """Classes over the clinical service's own tables."""

    metadata = tables.metadata


class SearchKeyRow(Mapped):
    """A word by which a patient is found."""

    __table__ = tables.patient_search_key


class IdentifierRow(Mapped):
    """A number of a patient."""

    __table__ = tables.patient_identifier


class RevisionRow(Mapped):
    """A patient as a change left them."""

    __table__ = tables.patient_revision


class CareLinkRow(Mapped):
    """What opens a patient to somebody."""

    __table__ = tables.care_link


class PractitionerRow(Mapped):
    """Somebody who cares."""

    __table__ = tables.practitioner


class PatientRow(Mapped):
    """A patient with what belongs to them."""

    __table__ = tables.patient
    numbers = relationship(IdentifierRow, cascade="all, delete-orphan")
    search_keys = relationship(SearchKeyRow, cascade="all, delete-orphan")
    revisions = relationship(RevisionRow, cascade="all, delete-orphan")
    care_links = relationship(
        CareLinkRow, primaryjoin=tables.patient.c.id == tables.care_link.c.patient_id,
        foreign_keys=[tables.care_link.c.patient_id],
    )  # fmt: skip


class RequestKeyRow(Mapped):
    """A request that was carried out, so that its repetition is known."""

    __table__ = Table(
        "request_key",
        MetaData(),
        Column("organization_id", Uuid, primary_key=True),
        Column("caller", Uuid, primary_key=True),
        Column("method", Text, primary_key=True),
        Column("request_id", Text, primary_key=True),
        Column("request_hash", LargeBinary),
        Column("name", Text),
        Column("revision", BigInteger),
        Column("created_at", TIMESTAMP(timezone=True), server_default=text("now()")),
        schema="medhub",
    )


class Patients:
    """PatientService, of which CreatePatient alone is here."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], keys: "_Keys") -> None:
        self._sessions = sessions
        self._keys = keys

    async def CreatePatient(
        self, request: messages.CreatePatientRequest, context: Any
    ) -> patient_pb2.Patient:
        """Take a patient in."""
        told = dict(context.invocation_metadata())
        organization, caller = UUID(told["organization"]), UUID(told["subject"])
        key = await self._keys.of(organization)
        identifiers = identifiers_from_proto(request.patient.identifiers)
        check_identifiers(identifiers, TenantKind.TEST)
        traits = traits_from_proto(request.patient)
        patient = register(new_id(), traits, identifiers, at=clock.now())
        async with self._sessions() as session, session.begin():
            await session.execute(_SET, _settings(organization, caller))
            claim = _claim(request, organization, caller)
            session.add(claim)
            await session.flush()
            await _check_free(session, patient, key)
            session.add(await _row_of(session, patient, key, organization, caller))
            await session.flush()
            claim.name, claim.revision = name_of("patients", patient.id), patient.revision
        return patient_to_proto(patient)


async def _check_free(session: AsyncSession, patient: Patient, key: OrganizationKey) -> None:
    for one in patient.identifiers:
        taken = await session.scalar(
            select(IdentifierRow).where(
                tables.patient_identifier.c.system == one.system,
                tables.patient_identifier.c.value_index == index_of(key, one.value),
                tables.patient_identifier.c.is_held,
            )
        )
        if taken is not None:
            raise LookupError("the identifier is taken")


async def _row_of(
    session: AsyncSession, patient: Patient, key: OrganizationKey, organization: UUID, caller: UUID
) -> PatientRow:
    by_user = select(PractitionerRow).where(tables.practitioner.c.user_id == caller)
    practitioner: Any = await session.scalar(by_user)
    traits, held = patient.traits, {"organization_id": organization}
    return PatientRow(
        **held, id=patient.id, birth_name=traits.birth_name, used_name=traits.used_name,
        birth_given_names=traits.birth_given_names,
        first_birth_given_name=traits.first_birth_given_name, birth_date=traits.birth_date,
        sex=traits.sex.value, birth_place_code=traits.birth_place_code,
        death_date=traits.death_date, identity_status=patient.identity_status.value,
        created_at=patient.created_at, updated_at=patient.updated_at, revision=patient.revision,
        numbers=[
            IdentifierRow(
                **held, id=new_id(), position=position, system=one.system, type=one.type.value,
                value=seal_value(key, patient.id, one.value), value_index=index_of(key, one.value),
                use=one.use.value, is_held=one.in_use,
            )
            for position, one in enumerate(patient.identifiers)
        ],
        search_keys=[SearchKeyRow(**held, key=word) for word in sorted(keys_of(traits))],
        revisions=[
            RevisionRow(**held, revision=patient.revision, snapshot=seal_snapshot(key, patient))
        ],
        care_links=[
            CareLinkRow(
                **held, id=new_id(), kind="REGISTRATION", started_at=patient.created_at,
                practitioner_id=practitioner.id if practitioner else None,
                user_id=None if practitioner else caller,
            )
        ],
    )  # fmt: skip


def _claim(request: messages.CreatePatientRequest, organization: UUID, caller: UUID) -> Any:
    return RequestKeyRow(
        organization_id=organization, caller=caller, method=_METHOD,
        request_id=request.request_id,
        request_hash=hashlib.sha256(request.SerializeToString()).digest(),
    )  # fmt: skip


def _settings(organization: UUID, caller: UUID) -> dict[str, str]:
    context = {
        "actor": str(caller), "actor_kind": "user", "session": None, "method": _METHOD,
        "action": "clinical.patients.create", "purpose": "administration", "trace": "0" * 32,
        "peer": "127.0.0.1", "on_behalf": None,
    }  # fmt: skip
    return {
        "organization": str(organization),
        "subject": str(caller),
        "context": json.dumps(context),
    }


class _Keys:
    """The organizations' keys, found once as the clinical server finds them."""

    def __init__(self, settings: CoreSettings) -> None:
        self._database = Database(
            DatabaseSettings.model_validate({
                "app_url": settings.database_app_url,
                "page_key": settings.database_page_key.get_secret_value(),
                "pool_size": 1,
            })
        )  # fmt: skip
        assert settings.keyring_key_path is not None
        keyring = Keyring.open(settings.keyring_path, KeyFile(settings.keyring_key_path))
        self._keys = OrganizationKeys(tables.organization_key, keyring)

    async def open(self) -> None:
        await self._database.open()

    async def of(self, organization: UUID) -> OrganizationKey:
        if known := self._keys.kept(organization):
            return known
        caller = identity.Caller(kind=identity.Kind.SERVICE, organization=organization)
        async with self._database.begin_as(identity.Call(method=_METHOD, caller=caller)) as tx:
            return await self._keys.of(tx)


def _url(settings: CoreSettings) -> URL:
    told = conninfo_to_dict(settings.database_app_url.get_secret_value())
    return URL.create(
        "postgresql+psycopg",
        username=str(told["user"]),
        password=str(told["password"]),
        host=str(told["host"]),
        port=int(told["port"] or 5432),
        database=str(told["dbname"]),
    )


async def serve(listen: str) -> None:
    """Serve for ever."""
    settings = CoreSettings.read("clinical")
    engine = create_async_engine(_url(settings), pool_size=settings.pool_size, max_overflow=0)
    keys = _Keys(settings)
    await keys.open()
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    create = grpc.unary_unary_rpc_method_handler(
        Patients(sessions, keys).CreatePatient,
        request_deserializer=messages.CreatePatientRequest.FromString,
        response_serializer=patient_pb2.Patient.SerializeToString,
    )
    service, _, method = _METHOD.partition("/")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: create}),)
    )
    port = server.add_insecure_port(listen)
    await server.start()
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
