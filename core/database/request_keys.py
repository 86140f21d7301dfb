"""Repeated requests (AIP-155): the same request_id does its work once.

The key is written in the transaction that does the work, so both are there or neither is. It
holds no answer, only the name and the revision of what was made: a repeat reads that again,
with all the checks and the audit of a read.
"""

from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, Text, Uuid, bindparam, text

from core.database.statements import statement

RETENTION = "24 hours"  # a client that retries for longer than a day starts a new request


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier call with this request_id made."""

    name: str
    revision: int


_KEY = (
    bindparam("organization", type_=Uuid),
    bindparam("caller", type_=Uuid),
    bindparam("method", type_=Text),
    bindparam("request_id", type_=Text),
)
_MATCH = """WHERE organization_id = :organization AND caller = :caller
    AND method = :method AND request_id = :request_id"""

_FROM = f"FROM medhub.request_key {_MATCH}"
_SET = f"UPDATE medhub.request_key SET name = :name, revision = :revision {_MATCH}"  # noqa: S608 - our text

# A twin that is not yet committed holds the unique key: this statement waits for its end.
CLAIM = statement(
    text(
        """INSERT INTO medhub.request_key
            (organization_id, caller, method, request_id, request_hash)
        VALUES (:organization, :caller, :method, :request_id, :request_hash)
        ON CONFLICT DO NOTHING"""
    ).bindparams(*_KEY, bindparam("request_hash", type_=LargeBinary))
)
FIND = statement(text(f"SELECT request_hash, name, revision {_FROM}").bindparams(*_KEY))
FINISH = statement(
    text(_SET).bindparams(
        *_KEY, bindparam("name", type_=Text), bindparam("revision", type_=BigInteger)
    )
)
PURGE = statement(
    text("SELECT medhub.purge_request_keys(CAST(:age AS interval)) AS purged").bindparams(
        bindparam("age", type_=Text)
    )
)
