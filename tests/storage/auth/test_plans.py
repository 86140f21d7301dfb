"""The statements that every log-in and every hop runs find their rows by an index."""

from itertools import pairwise
from typing import Any

import pytest

from auth.storage import (
    access_grants,
    activations,
    dashboards,
    memberships,
    organizations,
    principals,
    roles,
    sessions,
    users,
)
from core import clock
from core.database import Statement
from core.ids import new_id
from tests.support.credentials import Auth
from tests.support.plans import plan_of

SOME, NOW = new_id(), clock.now()
PAGE = {"limit": 51, "state": "active", "role": "nurse", "at": NOW}
HOT: list[tuple[str, Statement, dict[str, Any]]] = [
    ("the account of an address", users._FIND, {"email_key": "a@b.test"}),
    ("where a person belongs", memberships._CHOICES, {"user_id": SOME}),
    ("whose refresh token", sessions._BY_TOKEN, {"hash": bytes(32)}),
    ("what a refresh token is worth", sessions._TOKEN, {"hash": bytes(32)}),
    ("a known device", sessions._KNOWN_PEER, {"user_id": SOME, "peer": "192.0.2.7"}),
    ("a person", principals._USER, {"user": SOME, "organization": SOME, "session": SOME}),
    ("what an organization decided", organizations._SETTINGS, {"id": SOME}),
    ("an organization", organizations._GET, {"id": SOME}),
    ("the account that founds", users._LOCK, {"key": SOME}),
    ("a page of members", memberships._NEXT, {**PAGE, "after_id": SOME}),
    ("the first page of members", memberships._FIRST, PAGE),
    ("who else administers", memberships._OTHER_ADMINISTRATORS, {"id": SOME}),
    ("an invitation", activations._FIND, {"token_hash": bytes(32), "at": NOW}),
    ("invitations of a membership", activations._OPEN_OF, {"membership": SOME, "at": NOW}),
    ("roles that are given", roles._SOME, {"ids": ["reader"]}),
    ("who holds a role", roles._HELD, {"role": "reader"}),
    ("members by state", dashboards._MEMBERS, {"at": NOW}),
    ("holders of roles", dashboards._ROLES, {"at": NOW}),
    ("open sessions", dashboards._SESSIONS, {"organization": SOME, "at": NOW}),
    ("the last log-in", dashboards._LAST_LOGIN, {"organization": SOME}),
    ("what a person may still open", access_grants._OPEN, {"user": SOME, "at": clock.now()}),
    ("a program", principals._SERVICE, {"account": SOME}),
]


@pytest.mark.parametrize(("what", "stmt", "values"), HOT, ids=[each[0] for each in HOT])
async def test_a_hot_statement_uses_an_index(
    auth: Auth, what: str, stmt: Statement, values: dict[str, Any]
) -> None:
    """Behind row-level security, as the app role; the one row of the revision apart."""
    await auth.act_as_administrator(await auth.clinic())

    plan = await plan_of(auth.store._database, stmt, **values)

    scanned = [line.strip() for line in plan.splitlines() if "Seq Scan" in line]
    assert [line for line in scanned if "auth_revision" not in line] == []
    assert "Index" in plan
    # An index that is read from end to end grows with the tenants like a table.
    lines = [line.strip() for line in plan.splitlines()]
    whole = [
        line
        for line, after in pairwise([*lines, ""])
        if "Index" in line and "Scan" in line and "Index Cond" not in after
    ]
    assert [line for line in whole if "auth_revision" not in line] == []
