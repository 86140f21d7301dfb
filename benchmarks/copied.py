"""The database of the designs that medhub is compared with: patients of the stage, copied.

It is made on the stage's own PostgreSQL, with a role of its own, so that the processes that serve
it can be told apart.
"""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID, uuid4

import jwt
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.stage import Stage
from medhub.clinical.v1 import patient_pb2, patient_service_pb2

ROLE = "comparison"
# Longer than any benchmark.
_TOKEN_SECONDS = 86_400

_TABLES = """
CREATE TABLE session (id uuid PRIMARY KEY, user_id uuid NOT NULL, organization_id uuid NOT NULL,
    expires_at timestamptz NOT NULL, revoked_at timestamptz);
CREATE TABLE member_role (organization_id uuid, user_id uuid, role text,
    PRIMARY KEY (user_id, organization_id, role));
CREATE TABLE patient (id uuid PRIMARY KEY, organization_id uuid NOT NULL, birth_name text NOT NULL,
    used_name text NOT NULL, birth_given_names text NOT NULL, first_birth_given_name text NOT NULL,
    birth_date date NOT NULL, sex text NOT NULL, identity_status text NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, revision int NOT NULL);
CREATE INDEX ON patient (organization_id);
CREATE TABLE patient_identifier (id uuid PRIMARY KEY,
    patient_id uuid NOT NULL REFERENCES patient, position int NOT NULL, system text NOT NULL,
    type text NOT NULL, value text NOT NULL, use text NOT NULL);
CREATE INDEX ON patient_identifier (patient_id);
"""
_TRAITS = ("birth_name", "used_name", "birth_given_names", "first_birth_given_name")
_PATIENT = f"""INSERT INTO patient (id, organization_id, {", ".join(_TRAITS)}, birth_date, sex,
    identity_status, created_at, updated_at, revision)
    VALUES ({", ".join(["%s"] * 12)})"""
_IDENTIFIER = "INSERT INTO patient_identifier VALUES (%s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Copy:
    """What a design is told, and what it must answer."""

    url: str
    public_key: str
    token: str
    # By path; times and ids as text.
    shown: dict[str, dict[str, Any]]
    # A patient of another organization.
    foreign: str


@contextmanager
def copied(stage: Stage, requests: Sequence[bytes]) -> Iterator[Copy]:
    """The doctor, and the patients that these GetPatient requests name, in a database of its own.

    It is gone when the block ends.
    """
    patients = [_read(stage, one) for one in requests]
    with psycopg.connect(stage.layout.admin_url(), autocommit=True) as administrator:
        url = _make_database(administrator, stage)
        try:
            with psycopg.connect(url) as connection:
                made = _fill(connection, stage, patients, url)
            _analyze(url)
            yield made
        finally:
            _drop_database(administrator)


def _read(stage: Stage, request: bytes) -> patient_pb2.Patient:
    asked = patient_service_pb2.GetPatientRequest.FromString(request)
    found: patient_pb2.Patient = stage.session().call(stage.clients.patients.GetPatient, asked)
    return found


def _make_database(administrator: psycopg.Connection, stage: Stage) -> str:
    _drop_database(administrator)
    password = secrets.token_urlsafe()
    role = sql.Identifier(ROLE)
    administrator.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password))
    )
    administrator.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    own = {"user": ROLE, "password": password, "dbname": ROLE}
    return make_conninfo(stage.layout.admin_url(), **own)


def _drop_database(administrator: psycopg.Connection) -> None:
    role = sql.Identifier(ROLE)
    administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(role))
    administrator.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))


def _fill(
    connection: psycopg.Connection, stage: Stage, patients: list[patient_pb2.Patient], url: str
) -> Copy:
    claims = jwt.decode(stage.session().token, options={"verify_signature": False})
    organization, user, session = UUID(claims["org"]), UUID(claims["sub"]), uuid4()
    connection.execute(_TABLES)
    connection.execute(
        "INSERT INTO session VALUES (%s, %s, %s, now() + interval '1 day')",
        [session, user, organization],
    )
    connection.execute("INSERT INTO member_role VALUES (%s, %s, 'doctor')", [organization, user])
    shown = {}
    for patient in patients:
        told = as_shown(patient)
        _insert(connection, organization, told)
        shown[_path(told)] = told
    foreign = {**as_shown(patients[0]), "id": str(uuid4())}
    _insert(connection, uuid4(), foreign)
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mine = {"sub": str(user), "org": str(organization), "sid": str(session), "roles": ["doctor"]}
    times = {"iat": int(time.time()), "exp": int(time.time()) + _TOKEN_SECONDS}
    token = jwt.encode({**mine, **times}, key, algorithm="EdDSA")
    return Copy(url, public.decode(), token, shown, _path(foreign))


def _analyze(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def as_shown(patient: patient_pb2.Patient) -> dict[str, Any]:
    """A patient as the other designs answer them."""
    born = patient.birth_date
    return {
        "id": patient.name.removeprefix("patients/"),
        **{name: getattr(patient, name) for name in _TRAITS},
        "birth_date": f"{born.year:04d}-{born.month:02d}-{born.day:02d}",
        "sex": patient_pb2.Sex.Name(patient.sex).removeprefix("SEX_"),
        "identity_status": patient_pb2.IdentityStatus.Name(patient.identity_status).removeprefix(
            "IDENTITY_STATUS_"
        ),
        "created_at": patient.create_time.ToDatetime(tzinfo=UTC).isoformat(),
        "updated_at": patient.update_time.ToDatetime(tzinfo=UTC).isoformat(),
        "revision": 1,
        "identifiers": [
            {
                "system": one.system,
                "type": patient_pb2.IdentifierType.Name(one.type).removeprefix("IDENTIFIER_TYPE_"),
                "value": one.value,
                "use": patient_pb2.IdentifierUse.Name(one.use).removeprefix("IDENTIFIER_USE_"),
            }
            for one in patient.identifiers
        ],
    }


def _path(told: dict[str, Any]) -> str:
    return f"/patients/{told['id']}"


def _insert(connection: psycopg.Connection, organization: UUID, told: dict[str, Any]) -> None:
    values = [value for name, value in told.items() if name not in {"id", "identifiers"}]
    connection.execute(_PATIENT, [told["id"], organization, *values])
    for position, one in enumerate(told["identifiers"]):
        connection.execute(_IDENTIFIER, [uuid4(), told["id"], position, *one.values()])
