"""The auth service of the replaced design: who stands behind a token, and may it still be used.

It proves the signature and looks up session and roles, since a session may have been ended: else
nobody would have to ask it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import FastAPI, HTTPException
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

_KEY = cast("Ed25519PublicKey", load_pem_public_key(os.environ["COMPARISON_PUBLIC_KEY"].encode()))
_SESSION = """SELECT s.user_id, s.organization_id, array_agg(m.role)
    FROM session s JOIN member_role m USING (user_id, organization_id)
    WHERE s.id = %s AND s.revoked_at IS NULL AND s.expires_at > now()
    GROUP BY s.user_id, s.organization_id"""

pool = AsyncConnectionPool(
    os.environ["COMPARISON_DATABASE_URL"], max_size=10, open=False, kwargs={"autocommit": True}
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """The pool lives as long as the service."""
    async with pool:
        yield


app = FastAPI(lifespan=lifespan, docs_url=None, openapi_url=None)


class Question(BaseModel):
    """A token."""

    token: str


class Answer(BaseModel):
    """Whom it stands for."""

    user_id: UUID
    organization_id: UUID
    roles: list[str]


@app.post("/validate")
async def validate(question: Question) -> Answer:
    """Say whom a token stands for."""
    try:
        claims = jwt.decode(question.token, _KEY, algorithms=["EdDSA"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    async with pool.connection() as connection:
        cursor = await connection.execute(_SESSION, [claims["sid"]])
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(401)
    return Answer(user_id=row[0], organization_id=row[1], roles=row[2])
