"""Rows by the million: organizations, people and patients, made by SQL inside PostgreSQL.

They are written as the administrator with triggers off. The trail would record each of them, which
is what it is for, and takes minutes for a million; here they stand for what was recorded long ago.
Ids are of the form that medhub gives them, and in their order.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from auth.hashing import hash_password
from benchmarks.stage import Stage

PASSWORD: Final = "a password of a million people"
COMMON_NAME: Final = "ALICE"
"""The given name of one patient in a thousand."""

# Patients of each organization that is not the caller's.
_PATIENTS_ELSEWHERE: Final = 10
# Patients whom one practitioner cares for.
_PATIENTS_EACH: Final = 1_000
_NAMESAKES: Final = 50


def _id(kind: int, number: str) -> str:
    """A UUID of version 7, by kind and number (SQL); later than all that medhub gives today.

    So whoever was there before is not among the newest, where a list begins.
    """
    return f"('01f0{kind:04x}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


_ORGANIZATION, _USER, _MEMBERSHIP, _SESSION, _PATIENT, _NUMBER, _LINK, _CARER = range(1, 9)

_ORGANIZATIONS: Final = f"""
INSERT INTO organization (id, display_name, test, created_at)
SELECT {_id(_ORGANIZATION, "i")}, 'Organization ' || i, true, now() - interval '1 year'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i"""

# Everybody works for one organization and has logged in once.
_USERS: Final = f"""
WITH grown AS (
    SELECT i, {_id(_USER, "i")} AS id, 'user' || i || '@grown.example' AS email,
        CASE WHEN %(organizations)s > 0
            THEN {_id(_ORGANIZATION, "1 + i %% greatest(%(organizations)s, 1)")}
            ELSE %(home)s::uuid END AS organization_id,
        now() - interval '1 year' AS made
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) i),
accounts AS (
    INSERT INTO app_user (id, email, email_key, password_hash, created_at)
    SELECT id, email, email, %(password_hash)s, made FROM grown),
members AS (
    INSERT INTO membership (organization_id, id, user_id, email, email_key, display_name, roles,
        created_at, updated_at, revision)
    SELECT organization_id, {_id(_MEMBERSHIP, "i")}, id, email, email, 'Somebody', '{{doctor}}',
        made, made, 1 FROM grown)
INSERT INTO session (id, user_id, organization_id, created_at, expires_at, peer, level, methods)
SELECT {_id(_SESSION, "i")}, id, organization_id, made, made + interval '30 days', '192.0.2.1', 1,
    '{{pwd}}' FROM grown"""

# Patients, each in the care of a practitioner who is not the caller.
_PATIENTS: Final = f"""
WITH grown AS (
    SELECT i, {_id(_PATIENT, "i + %(offset)s")} AS id, {_id(_NUMBER, "i + %(offset)s")} AS number,
        {_id(_LINK, "i + %(offset)s")} AS link, now() - interval '1 year' AS made,
        {_id(_CARER, f"%(offset)s + i / {_PATIENTS_EACH}")} AS carer,
        CASE WHEN %(offset)s > 0
            THEN {_id(_ORGANIZATION, f"1 + i / {_PATIENTS_ELSEWHERE}")}
            ELSE %(home)s::uuid END AS organization_id,
        'VERDIER' || lpad((i / {_NAMESAKES})::text, 7, '0') AS birth_name,
        CASE WHEN i %% 1000 = 0 THEN '{COMMON_NAME}'
            ELSE 'PRENOM' || lpad((i %% 500)::text, 3, '0') END AS given_name
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) i),
people AS (
    INSERT INTO patient (organization_id, id, birth_name, used_name, birth_given_names,
        first_birth_given_name, birth_date, sex, identity_status, created_at, updated_at)
    SELECT organization_id, id, birth_name, '', given_name, given_name,
        (date '1930-01-01' + (i * 7919 %% 33000)::int)::text, 'FEMALE', 'PROVISIONAL', made, made
    FROM grown),
words AS (
    INSERT INTO patient_search_key (organization_id, key, patient_id)
    SELECT organization_id, lower(word), id
    FROM grown CROSS JOIN LATERAL unnest(ARRAY[birth_name, given_name]) word),
numbers AS (
    INSERT INTO patient_identifier (organization_id, id, patient_id, position, system, type,
        value, value_index, use, is_held)
    SELECT organization_id, number, id, 0, '1.2.250.1.999.8', 'PI',
        sha256(int8send(-i)) || sha256(int8send(i)), sha256(int8send(i)), 'OFFICIAL', true
    FROM grown),
carers AS (
    INSERT INTO practitioner (organization_id, id, display_name, created_at)
    SELECT DISTINCT organization_id, carer, 'Somebody', made FROM grown
    ON CONFLICT DO NOTHING)
INSERT INTO care_link (organization_id, id, patient_id, practitioner_id, kind, started_at)
SELECT organization_id, link, id, carer, 'CARE_TEAM', made FROM grown"""
# What the numbers of patients elsewhere begin with: more than the caller's organization can have.
_ELSEWHERE: Final = 1 << 40

_AUTH_TABLES: Final = "organization, app_user, membership, session"
_CLINICAL_TABLES: Final = "patient, patient_search_key, patient_identifier, practitioner, care_link"


@dataclass
class Growth:
    """How much a stage holds beside its demonstration. `home` is the caller's organization."""

    stage: Stage
    home: UUID
    organizations: int = 0
    users: int = 0
    patients: int = 0

    def grow(self, *, organizations: int = 0, users: int = 0, patients: int = 0) -> None:
        """Grow until there are as many; what is there already stays."""
        if organizations > self.organizations:
            self._grow_organizations(organizations)
        if users > self.users:
            held = {"organizations": self.organizations, "password_hash": hash_password(PASSWORD)}
            self._run("auth", _USERS, self.users + 1, users, **held)
            self.users = users
        if patients > self.patients:
            self._run("clinical", _PATIENTS, self.patients, patients - 1, offset=0)
            self.patients = patients
        self._vacuum("auth", _AUTH_TABLES)
        self._vacuum("clinical", _CLINICAL_TABLES)

    def _grow_organizations(self, wanted: int) -> None:
        self._run("auth", _ORGANIZATIONS, self.organizations + 1, wanted)
        first, last = (count * _PATIENTS_ELSEWHERE for count in (self.organizations, wanted))
        self._run("clinical", _PATIENTS, first, last - 1, offset=_ELSEWHERE)
        self.organizations = wanted

    def _run(self, service: str, sql: str, first: int, last: int, **told: object) -> None:
        with self._connect(service) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET synchronous_commit = off")
            connection.execute(sql, {"first": first, "last": last, "home": self.home, **told})

    def _vacuum(self, service: str, tables: str) -> None:
        with self._connect(service) as connection:
            connection.execute(f"VACUUM (ANALYZE) {tables}")

    def _connect(self, service: str) -> "psycopg.Connection[tuple[object, ...]]":
        url = make_conninfo(self.stage.layout.admin_url(), dbname=f"medhub_{service}")
        return psycopg.connect(url, autocommit=True)
