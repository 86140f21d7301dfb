"""The statements that every log-in and every hop runs find their rows by an index."""

from typing import Any

import pytest

from auth.storage import memberships, principals, sessions, users
from core.database import Statement
from core.ids import new_id
from tests.support.credentials import Auth
from tests.support.plans import plan_of

SOME = new_id()
HOT: list[tuple[str, Statement, dict[str, Any]]] = [
    ("the account of an address", users._FIND, {"email_key": "a@b.test"}),
    ("where a person belongs", memberships._CHOICES, {"user_id": SOME}),
    ("whose refresh token", sessions._BY_TOKEN, {"hash": bytes(32)}),
    ("what a refresh token is worth", sessions._TOKEN, {"hash": bytes(32)}),
    ("a known device", sessions._KNOWN_PEER, {"user_id": SOME, "peer": "192.0.2.7"}),
    ("a person", principals._USER, {"user": SOME, "organization": SOME, "session": SOME}),
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
