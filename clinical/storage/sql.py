"""Statements written as SQL text, each compiled once at import."""

from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.types import TypeEngine

from core.database import Statement, statement


def sql(body: str, **types: TypeEngine[Any] | type[TypeEngine[Any]]) -> Statement:
    """A statement from its text and the types of its `:parameters`.

    Every parameter has a type: PostgreSQL then plans the statement once, for all values.
    """
    return statement(text(body).bindparams(*(bindparam(n, type_=t) for n, t in types.items())))
