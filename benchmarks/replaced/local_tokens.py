"""FastAPI and psycopg without an auth service: the token is proved here and says everything.

A session that was ended or a role that was taken away is noticed when the token has run out.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, cast
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

_KEY = cast("Ed25519PublicKey", load_pem_public_key(os.environ["COMPARISON_PUBLIC_KEY"].encode()))
_PATIENT = """SELECT p.*, i.identifiers FROM patient p
    CROSS JOIN LATERAL (SELECT json_agg(json_build_object('system', n.system, 'type', n.type,
            'value', n.value, 'use', n.use) ORDER BY n.position) AS identifiers
        FROM patient_identifier n WHERE n.patient_id = p.id) i
    WHERE p.id = %s AND p.organization_id = %s"""

# Each read is one statement: in autocommit it is one round trip.
pool = AsyncConnectionPool(
    os.environ["COMPARISON_DATABASE_URL"], max_size=10, open=False,
    kwargs={"autocommit": True, "row_factory": dict_row},
)  # fmt: skip


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """The pool lives as long as the service."""
    async with pool:
        yield


app = FastAPI(lifespan=lifespan, docs_url=None, openapi_url=None)


@dataclass(frozen=True)
class Caller:
    """Whom the token names."""

    organization_id: UUID
    roles: frozenset[str]


async def caller(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> Caller:
    """Prove the token of the call."""
    try:
        claims = jwt.decode(credentials.credentials, _KEY, algorithms=["EdDSA"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return Caller(UUID(claims["org"]), frozenset(claims["roles"]))


class Role:
    """A dependency that lets callers with one of these roles pass."""

    def __init__(self, *roles: str) -> None:
        self._roles = roles

    async def __call__(self, who: Annotated[Caller, Depends(caller)]) -> Caller:
        """The caller."""
        if who.roles.isdisjoint(self._roles):
            raise HTTPException(403)
        return who


class IdentifierOut(BaseModel):
    """A number, as it is answered."""

    system: str
    type: str
    value: str
    use: str


class PatientOut(BaseModel):
    """A patient, as they are answered."""

    id: UUID
    birth_name: str
    used_name: str
    birth_given_names: str
    first_birth_given_name: str
    birth_date: date
    sex: str
    identity_status: str
    created_at: datetime
    updated_at: datetime
    revision: int
    identifiers: list[IdentifierOut]


@app.get("/patients/{patient_id}", response_model=PatientOut)
async def get_patient(
    patient_id: UUID, who: Annotated[Caller, Depends(Role("doctor", "nurse"))]
) -> Any:
    """Show one patient of the caller's organization."""
    async with pool.connection() as connection:
        cursor = await connection.execute(_PATIENT, [patient_id, who.organization_id])
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(404)
    return row
